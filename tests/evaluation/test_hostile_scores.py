"""Whatever a file of scores holds, one error names the file and the part."""

import io
import pickle
import struct
import time
import zipfile

import numpy as np
import pytest

from temporal_jax import cli, evaluation

NAMES = ["left", "right", "up"]


def _good():
  scores = np.full((4, 3), 1 / 3, np.float32)
  return {
    "ids": np.array(list("abcd")),
    "labels": np.array([0, 1, 2, 0]),
    "scores": scores,
    "views": np.stack([scores, scores], axis=1),
    "class_names": np.array(NAMES),
    "protocol": np.array("{}"),
  }


def _tasks():
  good = _good()
  return {
    "ids": good["ids"],
    "labels": np.stack([good["labels"]] * 2, axis=1),
    "tasks": np.array(["verb", "noun"]),
    "protocol": good["protocol"],
    **{f"{n}/{t}": good[n] for n in ("scores", "class_names") for t in _PAIR},
  }


_PAIR = ("verb", "noun")
_F4 = np.float32
# Part -> values that it must not have; None takes it away.
PARTS = {
  "ids": [
    None,
    np.arange(4),
    np.array(list("abc")),
    np.array("abcd"),
    np.array([b"a"] * 4),
    np.array([["a"]] * 4),
    np.array([], "U1"),
    np.array(list("abcd"), object),
  ],
  "labels": [
    *(np.array([0, 1, 2, 3]), np.array([-1, 0, 0, 0]), np.arange(3)),
    *(np.array([0, 1, 2, 10**9]), np.array([2**63] * 4, np.uint64)),
    *(np.array(list("0120")), np.zeros((4, 2), int), np.full((4, 3), 7.0)),
    *(np.array([0.5, 1, 2, 0]), np.full((4, 3), np.nan), np.array(0)),
    *(np.zeros((4, 3), complex), np.zeros(4, "M8[s]")),
  ],
  "scores": [
    *(None, np.zeros((4, 2), _F4), np.zeros((3, 3), _F4), np.zeros(4, _F4)),
    *(np.full((4, 3), np.nan), np.full((4, 3), np.inf), np.zeros((4, 3), int)),
    *(np.full((4, 3), "x"), np.zeros((4, 3), object), np.zeros((4, 0), _F4)),
    np.zeros((4, 3), [("a", "f4")]),
  ],
  "views": [
    np.zeros((4, 3), _F4),
    np.zeros((4, 2, 9), _F4),
    np.zeros((9, 2, 3), _F4),
    np.full((4, 2, 3), np.nan),
  ],
  "class_names": [None, np.array(["a"]), np.arange(3), np.array("abc")],
  "protocol": [
    None,
    np.array("{"),
    np.array("[" * 100_000),
    np.array("[]"),
    np.array('{"a": NaN}'),
    np.array('{"a": 1, "a": 2}'),
    np.array(3),
    np.array(["{}"]),
    np.array("1e999"),
  ],
  "tasks": [np.array(["verb"]), np.array([], "U1"), np.array([3])],
}
CASES = [
  pytest.param(part, value, id=f"{part}-{number}")
  for part, values in PARTS.items()
  for number, value in enumerate(values)
]


def _refused(file, words, capsys):
  began = time.monotonic()
  with pytest.raises(ValueError, match=words) as caught:
    evaluation.load_scores(file)
  assert str(file) in str(caught.value)
  assert len(str(caught.value)) < 2000
  capsys.readouterr()
  out = file.parent / "out"
  for command in (
    ["combine", out, file, file],
    ["compare", file, file, out],
    ["views", out, file],
  ):
    assert cli.main(["scores", *map(str, command)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"temporal-jax scores: {file}")
    assert len(error.splitlines()) == 1
  assert not out.exists()
  assert time.monotonic() - began < 5


@pytest.mark.parametrize(("part", "value"), CASES)
def test_a_wrong_part_is_named(tmp_path, capsys, part, value):
  arrays = _good()
  arrays[part] = value
  if value is None:
    del arrays[part]
  file = tmp_path / "scores.npz"
  np.savez(file, **arrays)
  _refused(file, part, capsys)


@pytest.mark.parametrize(
  ("part", "value"),
  [
    ("labels", np.zeros(4, int)),
    ("labels", np.full((4, 2), 3)),
    ("labels", np.zeros((4, 2), _F4)),
    ("tasks", np.array(["verb", "verb"])),
    ("tasks", np.array(["verb", "adverb"])),
    ("scores/noun", np.zeros((4, 2), _F4)),
  ],
)
def test_a_wrong_part_of_tasks_is_named(tmp_path, capsys, part, value):
  file = tmp_path / "scores.npz"
  np.savez(file, **_tasks())
  assert list(evaluation.load_scores(file).class_names) == ["verb", "noun"]
  np.savez(file, **{**_tasks(), part: value})
  _refused(file, "adverb" if "adverb" in str(value) else part, capsys)


def _npy(array):
  out = io.BytesIO()
  np.lib.format.write_array(out, array)
  return out.getvalue()


def _header(shape, descr="<f4", content=b""):
  """Returns a member whose header declares what its content is not."""
  words = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}"
  words = words.ljust(117) + "\n"
  head = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(words)) + words.encode()
  return head + content


def _archive(replaced, compression=zipfile.ZIP_DEFLATED):
  members = {f"{name}.npy": _npy(array) for name, array in _good().items()}
  out = io.BytesIO()
  with zipfile.ZipFile(out, "w", compression) as archive:
    for name, content in {**members, **replaced}.items():
      archive.writestr(name, content)
  return out.getvalue()


class _Harm:
  """Unpickling it would raise another error."""

  def __reduce__(self):
    return exec, ("raise KeyboardInterrupt",)


_WHOLE = _archive({})
# Name -> words of the message, and the file.
FILES = {
  "empty": ("holds no saved scores", b""),
  "text": ("holds no saved scores", b"hello"),
  "npy": ("holds no saved scores", _npy(np.zeros(3))),
  "pickle": ("holds no saved scores", pickle.dumps(_Harm())),
  "cut": ("holds no saved scores", _WHOLE[:-30]),
  "half": ("holds no saved scores", _WHOLE[: len(_WHOLE) // 2]),
  "head": ("holds no saved scores", b"PK\3\4" + 40 * b"x"),
  "huge-shape": ("scores", _archive({"scores.npy": _header((10**9, 10**9))})),
  "negative": ("scores", _archive({"scores.npy": _header((-1, 3))})),
  "nothing-wide": (
    "bytes in",
    _archive({"ids.npy": _header((10**15,), "<U0")}),
  ),
  "wide-text": ("ids", _archive({"ids.npy": _header((4,), "<U999999999")})),
  "no-numbers": ("bytes in", _archive({"scores.npy": _header((10**15, 0))})),
  "object": ("allowed", _archive({"ids.npy": _header((1,), "|O", b"x")})),
  "harm": (
    "allowed",
    _archive({"ids.npy": _header((1,), "|O", pickle.dumps(_Harm()))}),
  ),
  "code": ("scores", _archive({"scores.npy": _header("__import__('os')")})),
  "no-npy": ("no array", _archive({"scores.txt": b"1"})),
  "absolute": ("no array", _archive({"/etc/passwd": b"1"})),
  "parent": ("no array", _archive({"../../scores": b"1"})),
  "many": ("members", _archive({f"{n}.npy": b"" for n in range(1001)})),
  "bzip2": ("compressed", _archive({}, zipfile.ZIP_BZIP2)),
  "bomb": (
    "bytes in",
    _archive({"zeros.npy": _npy(np.zeros(2**25, np.float32))}),
  ),
}


@pytest.mark.parametrize("name", FILES)
def test_other_files_are_refused(tmp_path, capsys, name):
  words, content = FILES[name]
  file = tmp_path / "scores.npz"
  file.write_bytes(content)
  _refused(file, words, capsys)


def test_flipped_bytes_are_refused_or_change_nothing(tmp_path):
  rng = np.random.default_rng(0)
  file = tmp_path / "scores.npz"
  want = _good()
  held = 0
  for place in rng.choice(len(_WHOLE), 200, replace=False):
    content = bytearray(_WHOLE)
    content[place] ^= 1 << rng.integers(8)
    file.write_bytes(content)
    try:
      got = evaluation.load_scores(file).predictions
    except ValueError as error:
      held += str(file) in str(error)
    else:
      assert got.ids == tuple("abcd")
      np.testing.assert_array_equal(got.scores, want["scores"])
      np.testing.assert_array_equal(got.labels, want["labels"])
      held += 1
  assert held == 200
