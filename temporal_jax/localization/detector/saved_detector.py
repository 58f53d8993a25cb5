"""Saves and loads a detector as a directory: variables and `model.json`.

`model.safetensors` holds the variables, `model.json` the rest, as for a
classifier. The workdir of a run is such a directory too.
"""

import dataclasses
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.localization.detector.decoding_settings import Decoding
from temporal_jax.localization.detector.detect import Detector
from temporal_jax.localization.detector.detector_schema import (
  DETECTORS,
  described_decoding,
  described_features,
  described_network,
  described_sequences,
)
from temporal_jax.localization.detector.sequence_format import SequenceFormat
from temporal_jax.localization.features.film_features import FeatureKind
from temporal_jax.localization.networks.actionformer import ActionFormer
from temporal_jax.saved_networks import description as descriptions
from temporal_jax.saved_networks.arguments import DTYPE
from temporal_jax.saved_networks.description import (
  DESCRIPTION,
  LOCALIZATION,
  described_classes,
)
from temporal_jax.saved_networks.find import find_folder
from temporal_jax.saved_networks.folder import read_network, save_network
from temporal_jax.saved_networks.variables import check_kinds, check_leaves
from temporal_jax.training.load_variables import first_line


def describe_detector(
  model: str,
  *,
  overrides: Mapping[str, Any],
  num_classes: int | None,
  class_names: Sequence[str],
  feature_kind: FeatureKind,
  form: SequenceFormat,
  decoding: Decoding,
  **others: Any,
) -> dict[str, Any]:
  """Returns the content of a detector's `model.json`.

  Args:
    model: Name of the network, a key of `LOCALIZERS`.
    overrides: Arguments that replace its own.
    num_classes: Classes; None for a BMN.
    class_names: Their names, () if they are not known.
    feature_kind: Kind of its features.
    form: Kind of its sequences.
    decoding: Settings that turn the network's outputs into segments.
    **others: Other fields of the schema: lists, notes, license, source, report.
  """
  return {
    "task": LOCALIZATION,
    "model": model,
    "overrides": dict(overrides),
    "num_classes": num_classes,
    "class_names": list(class_names) or None,
    "features": feature_kind._asdict(),
    "sequences": dataclasses.asdict(form),
    "decoding": dataclasses.asdict(decoding),
    **others,
  }


def save_detector(
  directory: str | os.PathLike,
  variables: Mapping[str, Any],
  description: Mapping[str, Any],
) -> None:
  """Writes a detector; the directory appears only when it is complete.

  Args:
    directory: Must not exist yet.
    variables: {"params", ...}.
    description: See `describe_detector`.

  Raises:
    FileExistsError: If the directory exists.
    ValueError: If a field is not allowed, or the variables do not fit the
      network.
  """

  def check(described: Mapping[str, Any], shapes: Mapping[str, Any]) -> None:
    _check_fit("the variables", described, shapes)

  variables = {"params": variables["params"], "batch_stats": {}}
  save_network(directory, variables, description, DETECTORS, check)


def write_detector_description(
  directory: str | os.PathLike,
  description: Mapping[str, Any],
  variables: Mapping[str, Any],
) -> None:
  """Writes the `model.json` of a detector, such as a run's, never half.

  Args:
    directory: The folder to write to.
    description: See `describe_detector`.
    variables: {"params", ...} that fit the network, or their shapes.

  Raises:
    ValueError: If a field is not allowed.
  """
  descriptions.write_description(
    pathlib.Path(directory), description, variables, DETECTORS
  )


def read_detector_description(directory: str | os.PathLike) -> dict[str, Any]:
  """Reads the `model.json` of a detector.

  Raises:
    FileNotFoundError: If there is none.
    ValueError: If it is a classifier's, or a field is wrong.
  """
  directory = pathlib.Path(directory).expanduser().absolute()
  description = descriptions.read_description(directory, DETECTORS)
  if description is None:
    raise FileNotFoundError(
      f"there is no {DESCRIPTION} in {directory}: a detector's folder is the "
      "workdir of a run, or what `save_detector` wrote."
    )
  return description


def load_detector(
  directory: str | os.PathLike, *, dtype: str | None = None
) -> Detector:
  """Reads a detector that `save_detector` or a run wrote.

  Args:
    directory: Its directory, or its address hf://org/name; of a run's workdir
      the newest checkpoint is read, and the moving averages where it kept them.
    dtype: Dtype of the activations; None for the one in `model.json`, or else
      bfloat16 and on CPU float32.

  Raises:
    FileNotFoundError: If there is none.
    ValueError: If the network is a classifier, `model.json` is not what
      `save_detector` writes, a file of the variables is damaged, or they do not
      fit the network.
  """
  DTYPE("dtype", dtype)
  directory = find_folder(directory)
  description = read_detector_description(directory)
  where = f"{directory / DESCRIPTION}"

  def check(described: Mapping[str, Any], shapes: Mapping[str, Any]) -> None:
    _check_fit(f"{directory}", described, shapes)

  return Detector(
    described_network(where, description, dtype),
    read_network(directory, description, check),
    described_sequences(where, description),
    described_decoding(where, description),
    described_classes(description),
    described_features(description),
  )


def _check_fit(
  where: str, description: Mapping[str, Any], variables: Mapping[str, Any]
) -> None:
  """Raises ValueError if a network has other parameters."""
  check_kinds(where, variables)
  expected = _expected_shapes(where, description)
  # Statistics of a training, such as the loss's normalizer, are left out.
  params = {"params": variables["params"]}
  check_leaves(where, description["model"], expected, params)


def _expected_shapes(where: str, description: Mapping[str, Any]) -> dict[str, Any]:
  """Returns the shapes of a detector's parameters; nothing is computed."""
  network = described_network(where, description)
  width = description["features"]["width"]
  try:
    return jax.eval_shape(
      network.init, jax.random.key(0), *_example_inputs(network, description, width)
    )
  except Exception as error:  # Layers refuse sizes in many ways.
    raise ValueError(
      f"{where}: no {description['model']} can be built from the overrides of "
      f"model.json for features of width {width}: {first_line(error)[:300]}"
    ) from error


def _example_inputs(
  network: nn.Module, description: Mapping[str, Any], width: int
) -> list[jax.ShapeDtypeStruct]:
  """Returns the shapes of a network's arguments, as short as may be."""
  if isinstance(network, ActionFormer):
    length = network.stride ** (len(network.ranges) - 1)
    mask = jax.ShapeDtypeStruct((1, length), bool)
    return [jax.ShapeDtypeStruct((1, length, width), jnp.float32), mask]
  length = description["sequences"]["length"]
  return [jax.ShapeDtypeStruct((1, length, width), jnp.float32)]
