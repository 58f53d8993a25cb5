"""The `model.json` of a classifier: its fields, and what each may hold."""

import math
from collections.abc import Mapping
from typing import Any

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
from temporal_jax.saved_networks.description import (
  CLASSIFICATION,
  COMMON_FIELDS,
  Schema,
  check_class_names,
  or_by_task,
  report_unknown,
)
from temporal_jax.untrusted import fields

# A float32 clip of this many values has 1 GiB; 64 frames of 336 x 336 pixels,
# the largest published, have 22 million.
_MAX_CLIP = 2**28
# All views of a video are decoded before they are scored. As uint8 these have
# 4 GiB; 10 x 3 views of the clip above have 0.65.
_MAX_VIEWS = 2**32
# A stack of optical flow has 10 channels.
_MAX_CHANNELS = 64
# Logits are divided by it: beyond them all scores are 0 and 1, or all equal.
TEMPERATURES = (1e-3, 1e3)
# Nine hours at 30 frames per second.
_MAX_STRIDE = 1_000_000


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
    # A smaller deviation would make pixels so large that bfloat16 rounds
    # different ones to one.
    "std": fields.list_of(fields.number(1e-3, 1), 1, _MAX_CHANNELS),
  }
  fields.check_members(where, value, known, known)


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
  **COMMON_FIELDS,
  "model": fields.one_of(MODELS),
  "clip_shape": _clip_shape,
  "multi_label": fields.boolean,
  "pixels": _pixels,
  "protocol": fields.anything,  # Checked with the members' own names.
  "trained_with": _trained_with,
  "temperature": or_by_task(fields.number(*TEMPERATURES)),
  "templates": fields.list_of(fields.text(1000), 1, 1000),
}
NEEDED = (
  "model",
  "overrides",
  "num_classes",
  "clip_shape",
  "class_names",
  "pixels",
)


def _check_together(where: str, description: Mapping[str, Any]) -> None:
  """Raises ValueError if fields do not fit each other."""
  check_overrides(where, description["model"], description["overrides"])
  check_class_names(where, description)
  _check_channels(where, description)
  _check_temperature(where, description)
  if description.get("protocol") is not None:
    version = description.get("format_version")
    _check_protocol(where, description["protocol"], version)
  _check_clips(where, description)


CLASSIFIERS = Schema(CLASSIFICATION, FIELDS, NEEDED, _check_together)


def read_protocol(description: Mapping[str, Any]) -> EvalProtocol:
  """Returns the protocol of a checked description, or the middle of a video."""
  record = description.get("protocol")
  if record:
    known = {name: record[name] for name in PROTOCOL if name in record}
    return EvalProtocol(**known)
  frames, side, *_ = description["clip_shape"]
  return EvalProtocol(num_frames=frames, crop_size=side, short_side=side)


def _check_clips(where: str, description: Mapping[str, Any]) -> None:
  """Raises ValueError if clips differ from the protocol's.

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
  # Descriptions of networks of optical flow may have the statistics of RGB.
  allowed = sorted({1, 3, channels}) if channels != 3 else [3]
  for name in ("mean", "std"):
    if len(description["pixels"][name]) not in allowed:
      raise ValueError(
        f"{where}: pixels.{name} must have {' or '.join(map(str, allowed))} "
        f"numbers for clips of {channels} channels, got "
        f"{len(description['pixels'][name])}."
      )


def _check_temperature(where: str, description: Mapping[str, Any]) -> None:
  """Raises ValueError unless there is one, or one for each task."""
  found, counts = description.get("temperature", 1), description["num_classes"]
  tasks = sorted(counts) if isinstance(counts, dict) else None
  if isinstance(found, dict) and sorted(found) != tasks:
    raise ValueError(
      f"{where}: temperature must be a number"
      + (f" or of the tasks {tasks}" if tasks else "")
      + f", got the tasks {sorted(found)}."
    )


def _check_protocol(where: str, record: Any, version: int | None) -> None:
  """Raises ValueError if a protocol is not allowed."""
  if not isinstance(record, dict):
    fields.refuse(f"{where}: protocol", record, "a JSON object or null")
  unknown = fields.check_members(
    where, record, PROTOCOL, ("num_frames", "crop_size"), prefix="protocol."
  )
  report_unknown(f"{where}: protocol", unknown, PROTOCOL, version)
  try:
    protocol = read_protocol({"protocol": record})
  except (TypeError, ValueError, ArithmeticError) as error:
    raise ValueError(f"{where}: protocol: {error}") from None
  values = protocol.num_views * protocol.num_frames * protocol.crop_size**2 * 3
  if values > _MAX_VIEWS:
    raise ValueError(
      f"{where}: protocol asks for {protocol.describe()}: {values} bytes "
      f"per video, at most {_MAX_VIEWS} are allowed."
    )
