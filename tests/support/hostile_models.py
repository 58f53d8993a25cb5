"""Directories of models that are damaged, or made to do harm.

Each case is a name, the words that the error must have, and what is done to a
good directory: a function of its path, or of its description.
"""

import json
import os

import jax
import ml_dtypes
import numpy as np
import orbax.checkpoint as ocp

DESCRIPTION = {
  "format_version": 1,
  "model": "resnet18",
  "overrides": {"width": 4, "stage_sizes": [1], "temporal": "none"},
  "num_classes": 2,
  "clip_shape": [2, 16, 16, 3],
  "class_names": ["falling", "waving"],
  "multi_label": False,
  "pixels": {"mean": [0.5] * 3, "std": [0.25] * 3},
  "protocol": {"num_frames": 2, "crop_size": 16, "short_side": 16},
}


def _set(*path_and_value):
  """Sets a member, or a member of a member."""
  *path, last, value = path_and_value

  def change(description):
    for key in path:
      description = description[key]
    description[last] = value

  return change


def _without(name):
  return lambda description: description.pop(name)


NAN, INFINITE = float("nan"), float("inf")
HUGE = 10**9
# Name of the field in the message -> values that it must not have.
FIELDS = {
  ("format_version",): [0, "1", True, None, 2, HUGE],
  ("model",): ["resnet19", "", None, 7, ["resnet18"], {}, "resnet18\0"],
  ("overrides",): [None, [], "width", 3],
  ("overrides", "width"): [0, -4, 4.5, "4", None, True, HUGE, 10**30],
  ("overrides", "stage_sizes"): [
    *([], [-1], [HUGE], [257], 1, "1", None, [[1]], [1.0], [1] * 1000, {})
  ],
  ("overrides", "wdith"): [4],
  ("overrides", "num_classes"): [2],
  ("overrides", "name"): ["x"],
  ("overrides", "temporal"): [
    *("agregation", 3, [], HUGE, "shift(", "shift | agregation"),
    *("aggregation(taps=65535)", "adaptive(route='mlp(taps=(65535, 1))')"),
    f"shift(fold_div={'-' * 450}8)",
  ],
  ("overrides", "dtype"): ["float31", "object", 3, "complex64"],
  ("overrides", "dropout"): [-0.1, 2, "0.5", None],
  ("overrides", "remat"): [0, "yes", None],
  ("overrides", "num_frames"): [0, HUGE, -1, "8", 2.0],
  ("overrides", "image_size"): [0, HUGE, -1, "8"],
  ("num_classes",): [None, 0, -2, HUGE, 2.0, "2", True, [2], {}, {"verb": 0}],
  ("clip_shape",): [
    None,
    [],
    [2, 16, 16],
    "2,16,16,3",
    {},
    [2, 16, 8, 3],
    [1024, 4096, 4096, 3],
  ],
  ("clip_shape", 0): [1, 3, 0, -1, HUGE, None, "2", 2.0, True],
  ("clip_shape", 1): [HUGE],
  ("clip_shape", 3): [0, HUGE, 65],
  ("class_names",): [
    *(["a"], ["a", "a"], ["a", ""], ["a", " "], ["a", None], ["a", 3], "ab", 3),
    *(["a", "b", "c"], {"verb": ["a", "b"]}, {}, ["a", "b" * 2000]),
  ],
  ("multi_label",): [None, 0, "false", []],
  ("pixels",): [None, {}, [], {"mean": [0.5] * 3}],
  ("pixels", "mean"): [
    *(None, 0.5, [], [0.5], [0.5] * 4, [0.5, 0.5, None], [0.5, 0.5, "0.5"]),
    *([123.7] * 3, [-0.1] * 3, [0.5, 0.5, True], [[0.5]] * 3),
  ],
  ("pixels", "std"): [[0.0] * 3, [-1.0] * 3, [1e-300] * 3, [57.0] * 3, None],
  ("protocol",): [[], "segments", 3, {"num_frames": 2}],
  ("protocol", "num_frames"): [0, -1, HUGE, 2.0, "2", None, True],
  ("protocol", "crop_size"): [0, -1, HUGE, "16", None],
  ("protocol", "num_clips"): [0, -1, HUGE, 1.5, None, "1"],
  ("protocol", "num_crops"): [0, 2, HUGE, 1.0, True, None, "1", [1]],
  ("protocol", "sampling"): [
    *("", None, 3, "segmints", "interval(", "(" * 190, "interval(9**9**9)"),
    *("__import__('os').abort()", "interval(-1)", "interval('a')"),
    *("interval(None)", "interval(())", "dense(stride='a')", "a.b", "x" * 300),
    *("tsm_clips(1e999)", "interval(rate=1, rate=2)", "interval(*[1])"),
  ],
  ("protocol", "stride"): [0, HUGE, None, 1.0],
  ("protocol", "short_side"): [8, HUGE, 0, "16", 16.0],
  ("protocol", "stretch"): [[16], [16, 16, 16], 16, [HUGE, 16], [[16], 16]],
  ("protocol", "crop_rule"): ["exect", None, 3, []],
  ("protocol", "fusion"): ["logit", None, {}],
  ("protocol", "square_pixels"): [1, None],
  ("protocol", "num_clip"): [1],
  ("templates",): [[], [3], None, "a photo of {}"],
  ("lists",): [3, {"train": 3}, {"train": {"videos": -1, "sha256": "0"}}],
  ("license",): [3],
  ("sha256",): [3],
  ("clas_names",): [["a", "b"]],
}
MISSING = (
  "model",
  "overrides",
  "num_classes",
  "clip_shape",
  "class_names",
  "pixels",
)


def _future(description):
  """A file of a newer version, which lacks what this one needs."""
  description["format_version"] = 2
  del description["pixels"]


def _no_classes(description):
  description["num_classes"] = description["class_names"] = None


def _made_for(frames):
  """A network without a protocol, and what it is made for."""

  def change(description):
    del description["protocol"]
    description["overrides"]["num_frames"] = frames

  return change


def field_cases():
  """Yields (name, words of the message, change of the description)."""
  for path, values in FIELDS.items():
    for number, value in enumerate(values):
      # A pair that needs more than its own member is named by the outer one.
      yield (
        f"{'.'.join(map(str, path))}-{number}",
        str(path[-1]) if isinstance(path[-1], str) else path[0],
        _set(*path, value),
      )
  for name in MISSING:
    yield f"without-{name}", name, _without(name)
  two_hours = {"num_frames": 1024, "crop_size": 4096, "num_clips": 1000}
  other = {"num_frames": 4, "crop_size": 16}
  yield (
    "other-frames",
    "clip_shape[0] must be protocol.num_frames",
    _set("protocol", other),
  )
  yield "other-clips", "clip_shape[0] must be overrides.num_frames", _made_for(3)
  yield "future", "version must be at most 1, got 2: a newer", _future
  yield "no-classes", "from the num_classes of model.json, null:", _no_classes
  yield "views", "bytes per video", _set("protocol", two_hours)


_GOOD = json.dumps(DESCRIPTION)
# Replacement of model.json -> words of the message.
TEXTS = {
  "empty": (b"", "not JSON"),
  "cut-off": (_GOOD[:50].encode(), "not JSON"),
  "list": (b"[]", "a JSON object"),
  "null": (b"null", "a JSON object"),
  "number": (b"1e400", "too large a number"),
  "nan": (_GOOD.replace("0.25", "NaN").encode(), "NaN is no JSON number"),
  "infinity": (_GOOD.replace("0.25", "-Infinity").encode(), "no JSON number"),
  "1e999": (_GOOD.replace("0.25", "1e999").encode(), "too large a number"),
  "twice": (_GOOD.replace("{", '{"model": "resnet50", ', 1).encode(), "twice"),
  "deep-lists": (b"[" * 100_000, "nested deeper"),
  "deep-objects": (b'{"a":' * 100_000, "nested deeper"),
  "deep-note": (
    _GOOD.replace("{", '{"notes": %s,' % ("[" * 90 + "]" * 90), 1).encode(),
    "nested deeper",
  ),
  "utf-16": (_GOOD.encode("utf-16"), "UTF-8"),
  "latin-1": (_GOOD.replace("waving", "wäving").encode("latin-1"), "UTF-8"),
  "nul": (_GOOD.encode() + b"\0", "not JSON"),
  "surrogate": (_GOOD.replace("waving", "\\ud800").encode(), "no Unicode"),
  "digits": (_GOOD.replace("16", "1" * 5000, 1).encode(), "not JSON"),
  "huge": (b" " * (16 * 2**20 + 1), "at most 16777216 bytes"),
  "pickle": (b"\x80\x04\x95", "UTF-8"),
}


def write_tree(path, tree):
  """Writes variables whatever they are."""
  with ocp.PyTreeCheckpointer() as writer:
    writer.save(path, tree)


def replace_variables(directory, tree):
  """Writes variables whatever they are, as older versions did, for the good."""
  for name in ("model.safetensors", "sha256sums.txt"):
    (directory / name).unlink()
  write_tree(directory / "variables", tree)


def _leaf(variables, change):
  """Returns variables whose classifier's kernel is changed."""
  variables = jax.tree.map(lambda leaf: np.array(leaf), variables)
  head = variables["params"]["head"]
  while "kernel" not in head:
    head = head["head"]
  head["kernel"] = change(head["kernel"])
  return variables


def _value(value):
  def change(kernel):
    kernel[0, 0] = value
    return kernel

  return change


def _extra(variables):
  return {
    **variables,
    "params": {**variables["params"], "zzz": np.ones(3, np.float32)},
  }


def _fewer(variables):
  params = dict(variables["params"])
  params.pop(sorted(params)[-1])
  return {**variables, "params": params}


# Name -> words of the message, and what is written instead of the variables.
TREES = {
  "nan": ("NaN or infinite", lambda v: _leaf(v, _value(np.nan))),
  "infinite": ("NaN or infinite", lambda v: _leaf(v, _value(-np.inf))),
  "nan-bfloat16": (
    "NaN or infinite",
    lambda v: _leaf(v, lambda k: _value(np.nan)(k.astype(ml_dtypes.bfloat16))),
  ),
  "turned": ("kernel", lambda v: _leaf(v, np.transpose)),
  "more": ("kernel", lambda v: _leaf(v, lambda k: np.ones((9, 9), "f4"))),
  "flat": ("kernel", lambda v: _leaf(v, np.ravel)),
  "integers": ("floating point", lambda v: _leaf(v, lambda k: k.astype("i4"))),
  "booleans": ("floating point", lambda v: _leaf(v, lambda k: k > 0)),
  "text": ("numbers", lambda v: _leaf(v, lambda k: "kernel")),
  "extra": ("zzz", _extra),
  "fewer": ("missing instead of", _fewer),
  "collection": ("cache", lambda v: {**v, "cache": {"a": np.ones(2)}}),
  "no-params": ("params", lambda v: {"batch_stats": v["batch_stats"]}),
  "no-statistics": ("batch_stats", lambda v: {"params": v["params"]}),
  "one-array": ("missing", lambda v: {"params": np.ones(3, np.float32)}),
}


def truncate(path):
  os.truncate(path, os.path.getsize(path) // 2)


def empty(path):
  os.truncate(path, 0)


def flip(path):
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 0xFF
  path.write_bytes(content)


def pipe(path):
  path.unlink()
  os.mkfifo(path)


def endless(path):
  path.unlink()
  path.symlink_to("/dev/zero")


def loop(path):
  path.unlink()
  path.symlink_to(path.name)


FILE_DAMAGES = (truncate, empty, flip, pipe, endless, loop, os.unlink)
