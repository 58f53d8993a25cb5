"""Stores the temperature of a network in its folder."""

import json
import os
import pathlib
from collections.abc import Mapping

from temporal_jax.inference.runtime.model_schema import CLASSIFIERS
from temporal_jax.inference.runtime.saved_model import read_description
from temporal_jax.saved_networks.description import DESCRIPTION, as_written
from temporal_jax.storage import write_text


def store_temperature(
  folder: str | os.PathLike, value: float | Mapping[str, float]
) -> None:
  """Writes `temperature` into the `model.json` of a network.

  All that gives probabilities of the network then divides its logits by it, of
  each view: prediction, the server, exported files and so on.

  Args:
    folder: Folder that `convert_weights` wrote, or the workdir of a run.
    value: See `evaluation.fit_temperature`; replaces an earlier one. 1 changes
      nothing.

  Raises:
    FileNotFoundError: If there is no `model.json`.
    ValueError: If the network is no classifier, or the value no temperature;
      the file is then as it was.
  """
  path = pathlib.Path(folder).expanduser() / DESCRIPTION
  description = read_description(path.parent) if path.exists() else None
  if description is None:
    raise FileNotFoundError(f"there is no {DESCRIPTION} in {path.parent}.")
  given = dict(value) if isinstance(value, Mapping) else value
  # NaN is no JSON: the check names the field.
  CLASSIFIERS.fields["temperature"](f"{path}: temperature", given)
  written = as_written({**description, "temperature": given}, CLASSIFIERS, f"{path}")
  write_text(path, json.dumps(written, indent=2) + "\n")
