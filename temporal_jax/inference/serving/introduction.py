"""Facts of a network that the page shows before there is a video."""

from collections.abc import Mapping, Sequence
from typing import Any

from temporal_jax.data.sampling import parse_sampling
from temporal_jax.data.sampling.windows import Dense
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.localization.detector.detect import Detector
from temporal_jax.models.inspect import count

# Arguments that a clip's shape shows, or that belong to this machine.
_SAID = ("num_frames", "image_size", "dtype")
_TIMES = "\u00d7"


def introduce(
  saved: SavedModel,
  names: Mapping[str | None, Sequence[str]],
  detector: Detector | None = None,
) -> dict[str, Any]:
  """Returns the facts of a network for the page, as JSON.

  Args:
    saved: The network.
    names: Names or numbers of the classes for each task, None of a single one.
    detector: Detector that finds segments, if there is one.

  Returns:
    "model", its name in the catalog; "facts", pairs of a subject and a
    statement; "tasks", for each its "name" ("" of a single one), the "count"
    of its classes, and "classes", their names, [] if they are not known.
  """
  return {
    "model": saved.name,
    "facts": _facts(saved) + (_detector_facts(detector) if detector else []),
    "tasks": _tasks(saved, names),
  }


def _facts(saved: SavedModel) -> list[tuple[str, str]]:
  protocol = saved.protocol
  frames, height, width, _ = saved.clip_shape
  side = f"{height} {_TIMES} {width} pixels"
  crops = "the middle"
  if protocol.num_crops > 1:
    crops = f"{protocol.num_crops} crops"
  facts = [
    ("Network", f"{saved.name}, {count.parameters(saved.variables):,} weights"),
    (
      "Clips",
      f"{_number(frames, 'frame')} of {side}, {crops} of {_resized(saved)}",
    ),
    (
      "Whole video",
      f"{_number(protocol.num_clips, 'clip')} of {_chosen(protocol)}",
    ),
  ]
  arguments = [
    f"{name.replace('_', ' ')} {_plain(value)}"
    for name, value in saved.description.get("overrides", {}).items()
    if name not in _SAID
  ]
  if arguments:
    facts.append(("Arguments", ", ".join(arguments)))
  if "license" in saved.description:
    facts.append(("License of the weights", saved.description["license"]))
  return facts


def _detector_facts(detector: Detector) -> list[tuple[str, str]]:
  weights = count.parameters(detector.variables)
  name = type(detector.network).__name__
  return [
    ("Detector of segments", f"{name}, {weights:,} weights"),
    ("Its classes", ", ".join(detector.class_names)),
  ]


def _resized(saved: SavedModel) -> str:
  """Returns the resizing of frames before the crop, in words."""
  protocol = saved.protocol
  if protocol.stretch is not None:
    height, width = protocol.stretch
    return f"frames stretched to {height} {_TIMES} {width}"
  if protocol.short_side is not None:
    return f"frames with a short side of {protocol.short_side}"
  return "frames as they are"


def _chosen(protocol: EvalProtocol) -> str:
  """Returns the sampling of the frames of a clip, in words."""
  rule = parse_sampling(protocol.sampling, protocol.stride)
  if isinstance(rule, Dense) and rule.short == Dense.short:
    if rule.stride == 1:
      return "consecutive frames"
    return f"one frame in {rule.stride}"
  if protocol.sampling == "segments":
    return "frames spread evenly over it"
  return f"frames chosen by the rule {protocol.sampling}"


def _tasks(
  saved: SavedModel, names: Mapping[str | None, Sequence[str]]
) -> list[dict[str, Any]]:
  known = saved.class_names
  if not isinstance(known, Mapping):
    known = dict.fromkeys(names, known)
  return [
    {
      "name": task or "",
      "count": len(predicted),
      "classes": list(known[task]),
    }
    for task, predicted in names.items()
  ]


def _plain(value: Any) -> str:
  """Returns an argument without JSON's brackets and quotes."""
  if isinstance(value, Mapping):
    return " ".join(f"{name} {_plain(one)}" for name, one in value.items())
  if isinstance(value, Sequence) and not isinstance(value, str):
    return " ".join(map(_plain, value))
  if isinstance(value, bool):
    return "yes" if value else "no"
  return "none" if value is None else str(value)


def _number(count: int, noun: str) -> str:
  return f"{count} {noun}" + ("" if count == 1 else "s")
