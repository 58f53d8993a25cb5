"""The one schema of `model.json`: its fields, and what each may hold."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from absl import logging

from temporal_jax.data.views.eval_protocol import (
  CROP_RULES,
  FUSIONS,
  NUM_CROPS,
  EvalProtocol,
)
from temporal_jax.inference.runtime.override_schema import (
  MAX_FRAMES,
  MAX_SIDE,
  check_overrides,
)
from temporal_jax.models.catalog.registry import MODELS
from temporal_jax.untrusted import fields
from temporal_jax.untrusted.json_text import parse_json

# Version 1 has the fields below. Files without a version are older and may have
# any other fields; fields of a newer version may mean something else.
FORMAT_VERSION = 1
# A report of a conversion has a line for each of some thousand leaves, and
# 100,000 class names have some 5 MB.
MAX_BYTES = 16 * 2**20
# ImageNet-21k has 21,841 classes, the largest video data sets some thousands.
MAX_CLASSES = 100_000
_MAX_TASKS = 64
# A float32 clip of this many values has 1 GiB; 64 frames of 336 x 336 pixels,
# the largest published, have 22 million.
_MAX_CLIP = 2**28
# All views of a video are decoded before they are scored. As uint8 these have
# 4 GiB; 10 x 3 views of the clip above have 0.65.
_MAX_VIEWS = 2**32
# A stack of optical flow has 10 channels.
_MAX_CHANNELS = 64
# Nine hours at 30 frames a second.
_MAX_STRIDE = 1_000_000

_COUNT = fields.whole(1, MAX_CLASSES)
_NAMES = fields.list_of(fields.text(1000), 0, MAX_CLASSES)
_SHA256 = fields.null_or(fields.text(64))
_NOTE = fields.null_or(fields.text(100_000))


def _or_by_task(check: fields.Check) -> fields.Check:
  """Allows what a check allows, or an object of it for each task."""
  by_task = fields.object_of(check, _MAX_TASKS)

  def check_either(where: str, value: Any) -> None:
    (by_task if isinstance(value, dict) else check)(where, value)

  return check_either


def _clip_shape(where: str, value: Any) -> None:
  """Allows [T, S, S, C]."""
  fields.list_of(fields.anything, 4, 4)(where, value)
  bounds = (MAX_FRAMES, MAX_SIDE, MAX_SIDE, _MAX_CHANNELS)
  for place, (size, most) in enumerate(zip(value, bounds, strict=True)):
    fields.whole(1, most)(f"{where}[{place}]", size)
  if value[1] != value[2]:
    fields.refuse(where, value, "[T, S, S, C] with square frames")
  if math.prod(value) > _MAX_CLIP:
    fields.refuse(where, value, f"of at most {_MAX_CLIP} values")


def _pixels(where: str, value: Any) -> None:
  """Allows statistics of values in [0, 1]."""
  known = {
    "mean": fields.list_of(fields.number(0, 1), 1, _MAX_CHANNELS),
    # A smaller deviation would make pixels larger than bfloat16 can tell apart.
    "std": fields.list_of(fields.number(1e-3, 1), 1, _MAX_CHANNELS),
  }
  fields.check_members(where, value, known, known)


def _lists(where: str, value: Any) -> None:
  """Allows the number of videos and the digest of each list of a run."""
  known = {"videos": fields.whole(0, 2**62), "sha256": _SHA256}
  fields.object_of(
    lambda place, one: fields.check_members(place, one, known, known) and None,
    _MAX_TASKS,
  )(where, value)


def _trained_with(where: str, value: Any) -> None:
  """Allows the clips of a run's training; `short_side` 0 keeps the size."""
  known = {
    "num_frames": fields.whole(1, MAX_FRAMES),
    "image_size": fields.whole(1, MAX_SIDE),
    "short_side": fields.whole(0, MAX_SIDE),
  }
  fields.check_members(where, value, known, known)


def _num_crops(where: str, value: Any) -> None:
  """Allows the numbers of crops that there are."""
  if type(value) is not int or value not in NUM_CROPS:
    fields.refuse(where, value, f"one of {list(NUM_CROPS)}")


_SIDE = fields.whole(1, MAX_SIDE)
PROTOCOL: Mapping[str, fields.Check] = {
  "num_frames": fields.whole(1, MAX_FRAMES),
  "crop_size": _SIDE,
  "sampling": fields.text(200),
  "stride": fields.whole(1, _MAX_STRIDE),
  "num_clips": fields.whole(1, 1000),  # Published tests take up to 30.
  "num_crops": _num_crops,
  "short_side": fields.null_or(_SIDE),
  "stretch": fields.null_or(fields.list_of(_SIDE, 2, 2)),
  "crop_rule": fields.one_of(CROP_RULES),
  "fusion": fields.one_of(FUSIONS),
  "square_pixels": fields.boolean,
}
FIELDS: Mapping[str, fields.Check] = {
  "format_version": fields.whole(1, FORMAT_VERSION),
  "model": fields.one_of(MODELS),
  "overrides": fields.anything,  # They depend on the model.
  "num_classes": fields.null_or(_or_by_task(_COUNT)),
  "clip_shape": _clip_shape,
  "class_names": fields.null_or(_or_by_task(_NAMES)),
  "multi_label": fields.boolean,
  "pixels": _pixels,
  "protocol": fields.anything,  # Checked with the members' own names.
  "trained_with": _trained_with,
  "templates": fields.list_of(fields.text(1000), 1, 1000),
  "lists": _lists,
  "source": fields.anything,
  "report": fields.anything,
  "notes": fields.anything,
  "license": _NOTE,
  "leaves": _SHA256,
  "sha256": _SHA256,
}
NEEDED = (
  "model",
  "overrides",
  "num_classes",
  "clip_shape",
  "class_names",
  "pixels",
)


def check_description(where: str, description: Any) -> None:
  """Checks what a `model.json` holds; nothing of its sizes is allocated.

  Members that are not known are named in a warning if the file has no version.

  Args:
    where: The file, for messages.
    description: Its JSON value.

  Raises:
    ValueError: If the file is of a newer version than `FORMAT_VERSION`, a field
      is missing, unknown or not allowed, or fields do not fit each other; the
      message names the field.
  """
  _check_version(where, description)
  unknown = fields.check_members(where, description, FIELDS, NEEDED)
  version = description.get("format_version")
  _report_unknown(where, unknown, FIELDS, version)
  check_overrides(where, description["model"], description["overrides"])
  _check_class_names(where, description)
  _check_channels(where, description)
  if description.get("protocol") is not None:
    _check_protocol(where, description["protocol"], version)
  _check_clips(where, description)


def as_written(description: Mapping[str, Any], where: str) -> dict[str, Any]:
  """Returns a description as a file of this version holds it.

  Raises:
    ValueError: If it is no JSON, or see `check_description`.
  """
  try:
    text = json.dumps({"format_version": FORMAT_VERSION, **description})
  except (TypeError, ValueError, RecursionError) as error:
    raise ValueError(f"{where} cannot be written as JSON: {error}.") from None
  written = parse_json(text, where)
  check_description(where, written)
  return written


def read_protocol(description: Mapping[str, Any]) -> EvalProtocol:
  """Returns the protocol of a checked description, or the middle of a video."""
  record = description.get("protocol")
  if record:
    known = {name: record[name] for name in PROTOCOL if name in record}
    return EvalProtocol(**known)
  frames, side, *_ = description["clip_shape"]
  return EvalProtocol(num_frames=frames, crop_size=side, short_side=side)


def _check_version(where: str, description: Any) -> None:
  """Raises ValueError at files that only a newer package can read."""
  version = description.get("format_version") if isinstance(description, dict) else 1
  if type(version) is int and version > FORMAT_VERSION:
    raise ValueError(
      f"{where}: format_version must be at most {FORMAT_VERSION}, got {version}: a "
      "newer temporal_jax wrote the file, and reads it."
    )


def _report_unknown(
  where: str,
  unknown: Sequence[str],
  known: Mapping[str, Any],
  version: int | None,
) -> None:
  """Refuses unknown members of a version, and warns of those without one."""
  if not unknown:
    return
  words = fields.unknown_members(where, unknown, list(known))
  if version is not None:
    raise ValueError(words)
  logging.warning("%s They are not used.", words)


def _check_class_names(where: str, description: Mapping[str, Any]) -> None:
  """Raises ValueError if names are there twice, or not one for each class."""
  names, counts = description["class_names"], description["num_classes"]
  if not names:
    return
  several = names if isinstance(names, dict) else {"": names}
  for task, of_task in several.items():
    place = f"{where}: class_names" + (f".{task}" if task else "")
    if len({*of_task}) < len(of_task):
      first: dict[str, int] = {}
      for number, name in enumerate(of_task):
        if first.setdefault(name, number) != number:
          raise ValueError(
            f"{place} must be distinct, got {name!r} as the names of classes "
            f"{first[name]} and {number}."
          )
  given = len(names)
  if isinstance(names, dict):
    given = {task: len(of_task) for task, of_task in names.items()}
  if counts is not None and given != counts:
    raise ValueError(
      f"{where}: class_names must name the {counts} classes of num_classes, "
      f"got {given} names."
    )


def _check_clips(where: str, description: Mapping[str, Any]) -> None:
  """Raises ValueError if clips are not those of the protocol.

  Without one they are those that the network is made for. A run may test with
  others: learned positions are then interpolated.
  """
  protocol, overrides = description.get("protocol"), description["overrides"]
  if protocol is not None:
    sizes = {f"protocol.{name}": protocol[name] for name in ("num_frames", "crop_size")}
  else:
    names = ("num_frames", "image_size")
    sizes = {f"overrides.{name}": overrides.get(name) for name in names}
  for place, (name, size) in enumerate(sizes.items()):
    found = description["clip_shape"][place]
    if size is not None and size != found:
      raise ValueError(
        f"{where}: clip_shape[{place}] must be {name}, which is {size}, got {found}."
      )


def _check_channels(where: str, description: Mapping[str, Any]) -> None:
  """Raises ValueError if pixels have other channels than clips."""
  channels = description["clip_shape"][3]
  # Statistics of RGB stand in those of optical flow.
  allowed = sorted({1, 3, channels}) if channels != 3 else [3]
  for name in ("mean", "std"):
    if len(description["pixels"][name]) not in allowed:
      raise ValueError(
        f"{where}: pixels.{name} must have {' or '.join(map(str, allowed))} "
        f"numbers for clips of {channels} channels, got "
        f"{len(description['pixels'][name])}."
      )


def _check_protocol(where: str, record: Any, version: int | None) -> None:
  """Raises ValueError if a protocol is not allowed."""
  if not isinstance(record, dict):
    fields.refuse(f"{where}: protocol", record, "a JSON object or null")
  unknown = fields.check_members(
    where, record, PROTOCOL, ("num_frames", "crop_size"), prefix="protocol."
  )
  _report_unknown(f"{where}: protocol", unknown, PROTOCOL, version)
  try:
    protocol = read_protocol({"protocol": record})
  except (TypeError, ValueError, ArithmeticError) as error:
    raise ValueError(f"{where}: protocol: {error}") from None
  values = protocol.num_views * protocol.num_frames * protocol.crop_size**2 * 3
  if values > _MAX_VIEWS:
    raise ValueError(
      f"{where}: protocol asks for {protocol.describe()}: {values} bytes a "
      f"video, at most {_MAX_VIEWS} are allowed."
    )
