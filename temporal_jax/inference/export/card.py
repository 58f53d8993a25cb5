"""The model card of an exported network."""

import dataclasses
import importlib.metadata
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from temporal_jax import evaluation, models
from temporal_jax.data.labels import ClassNames
from temporal_jax.inference.export.page import NOT_STATED, render
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.models.inspect import count
from temporal_jax.saved_networks.description import DESCRIPTION
from temporal_jax.untrusted.fields import check_members, whole
from temporal_jax.untrusted.json_text import read_json

# Fields of model.json that the card has elsewhere, or of the conversion.
_TOLD = {
  "model",
  "num_classes",
  "clip_shape",
  "class_names",
  "pixels",
  "protocol",
  "sha256",
  "report",
  "license",
  "multi_label",
  "temperature",
  "format_version",
  "leaves",
}
_MAX_REPORT = 16 * 2**20  # A report of 100,000 classes has some megabytes.
_COUNTS = {
  name: whole(0, 2**62) for name in ("clips_scored", "clips_decoded", "clips_listed")
}


def create_card(
  saved: SavedModel,
  artifact: Mapping[str, Any],
  *,
  name: str,
  report: pathlib.Path | None,
) -> dict[str, Any]:
  """Returns the content of card.json; nothing in it is guessed.

  Args:
    saved: The network.
    artifact: Facts of the written file: "format", "sha256" and other facts.
    name: Name of the network.
    report: The report.json of the run; need not exist, None for no run.
  """
  description = saved.description
  return {
    "name": name,
    "architecture": saved.name,
    "operator": _operator(saved),
    "artifact": dict(artifact),
    "input": _input(saved, artifact.get("batch_size")),
    "output": _output(saved, artifact["format"]),
    "parameters": count.parameters(saved.variables),
    "multiply_adds": _multiply_adds(saved),
    "source": models.find_model(saved.name).source,
    "origin": {
      key: value for key, value in description.items() if value and key not in _TOLD
    },
    "scores": _scores(report),
    "license": description.get("license", NOT_STATED),
    "versions": _versions(artifact["format"]),
  }


def write_card(
  directory: pathlib.Path, card: Mapping[str, Any], class_names: ClassNames
) -> None:
  """Writes card.json, README.md and, if there are names, classes.json."""
  if class_names:
    _write_json(directory / "classes.json", class_names)
  _write_json(directory / "card.json", card)
  (directory / "README.md").write_text(render(card))


def _operator(saved: SavedModel) -> str:
  """Returns the text of the operator in the temporal slots, "none" for none."""
  chosen = (saved.description.get("overrides") or {}).get("temporal", "default")
  own = models.find_model(saved.name).temporal
  return (own if chosen == "default" else chosen) or "none"


def _input(saved: SavedModel, batch_size: int | None) -> dict[str, Any]:
  return {
    "name": "clips",
    "dtype": "uint8",
    "shape": [batch_size or "B", *saved.clip_shape],
    "axes": "clips, frames, rows, columns, R G B",
    "pixels": {key: list(saved.pixels[key]) for key in ("mean", "std")},
    "sampling": saved.protocol.describe(),
    "protocol": dataclasses.asdict(saved.protocol),
  }


def _output(saved: SavedModel, format: str) -> dict[str, Any]:
  several = bool(saved.description.get("multi_label"))
  names, classes = saved.class_names, saved.description["num_classes"]
  if isinstance(names, Mapping):
    classes = {task: len(of_task) for task, of_task in names.items()}
  elif names:
    classes = len(names)
  kind = "sigmoid" if several else "softmax"
  temperature = saved.description.get("temperature")
  if format == "savable" and not saved.gives_features:
    temperature = DESCRIPTION  # It may get another one, see `store_temperature`.
  return {
    "dtype": "float32",
    "classes": classes,
    "names": "classes.json" if names else NOT_STATED,
    "probabilities": None if saved.gives_features else kind,
    "temperature": temperature,
  }


def _multiply_adds(saved: SavedModel) -> int:
  """Counts the multiply-adds of one clip, its texts encoded already."""
  network, classes = saved.network, saved.description["num_classes"]
  texts = len(saved.class_names) or classes or 1
  inputs = count.abstract_inputs(network, saved.clip_shape[:3], texts)
  return count.multiply_adds(network.apply, saved.variables, *inputs)


def _scores(report: pathlib.Path | None) -> dict[str, Any] | None:
  """Returns the overall scores of a run's report, None without one."""
  if report is None or not report.is_file():
    return None
  found = read_json(report, max_bytes=_MAX_REPORT)
  check_members(str(report), found, _COUNTS, _COUNTS)
  numbers = {
    key: value for key, value in found.items() if isinstance(value, int | float)
  }
  return {"headline": evaluation.headline(numbers), **numbers}


def _versions(format: str) -> dict[str, str]:
  """Returns the versions of the packages that wrote the file."""
  packages = ["temporal_jax", "jax"]
  packages += ["jax2onnx", "onnx"] if format == "onnx" else []
  return {name: _version(name) for name in packages}


def _version(package: str) -> str:
  try:
    return importlib.metadata.version(package)
  except importlib.metadata.PackageNotFoundError:
    return NOT_STATED  # A copy of the source that is not installed.


def _write_json(path: pathlib.Path, value: Any) -> None:
  path.write_text(json.dumps(value, indent=2) + "\n")
