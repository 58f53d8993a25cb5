"""Exports a network to a folder with its file and its card."""

import functools
import hashlib
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import jax
import jax.export
import jax.numpy as jnp

from temporal_jax import hub
from temporal_jax.inference.export.card import create_card, write_card
from temporal_jax.inference.export.compare_exported import largest_difference
from temporal_jax.inference.export.onnx import run_onnx, to_onnx
from temporal_jax.inference.export.program import trace_network
from temporal_jax.inference.export.stablehlo import run_stablehlo, to_stablehlo
from temporal_jax.inference.runtime.saved_model import (
  SavedModel,
  load_model,
  read_description,
  save_model,
)
from temporal_jax.saved_networks.find import find_folder
from temporal_jax.saved_networks.variables import check_finite
from temporal_jax.storage import is_in_bucket, whole_folder
from temporal_jax.training import int8_weights
from temporal_jax.training.load_variables import VARIABLES_FILE
from temporal_jax.validation import check_at_least, check_choice

FORMATS = ("stablehlo", "onnx", "savable")
PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
DTYPES = ("float32", "bfloat16")
WEIGHTS = ("float32", "int8")


def export_model(
  model: SavedModel | str | os.PathLike,
  out: str | os.PathLike,
  *,
  format: str,
  platforms: Sequence[str] | None = None,
  batch_size: int | None = None,
  dtype: str = "float32",
  weights: str = "float32",
  license: str | None = None,
) -> dict[str, Any]:
  """Writes a network for others, with a card that describes it.

  "stablehlo" is a program that runs where only JAX is installed, and "onnx" one
  for onnxruntime: both map uint8 clips to probabilities, hold the weights and
  normalise pixels themselves, and are compared with the network before they are
  written. "savable" is a folder for `load_model`, `--config.init_from` and the
  hub: of a run only the weights, averaged where it kept averages, as
  safetensors.

  The same folder gets card.json, README.md and, if classes have names,
  classes.json.

  Args:
    model: The network; or its folder, name or address, see `load_model`.
    out: The directory to write; must not exist yet, and appears when it is
      complete.
    format: One of "stablehlo", "onnx", "savable".
    platforms: Platforms that a "stablehlo" runs on: "cpu", "cuda", "rocm",
      "tpu"; all of them by default.
    batch_size: Clips that a program takes at once, or None for any number.
    dtype: Dtype of the activations, "float32" or "bfloat16"; of "stablehlo"
      only.
    weights: Dtype of the written kernels, "float32" or, except for "onnx",
      "int8": a quarter of the size, see `training.int8_weights`.
    license: Licence of the weights; None for the one that the network has.

  Returns:
    Content of card.json.

  Raises:
    FileExistsError: If `out` exists.
    FileNotFoundError: See `load_model`.
    ImportError: If the extra "export", or for texts "text", is not installed.
    ValueError: If an argument does not fit the format, the network cannot be
      written in it, the written file gives other probabilities, variables are
      NaN or infinite, or `out` is an address.
  """
  _check(format, platforms, batch_size, dtype, weights)
  report = None
  hub.refuse_address(out, "temporal_jax.push_to_hub uploads a network")
  if isinstance(model, SavedModel):
    check_finite("the network", model.variables)
    described = {
      "clip_shape": list(model.clip_shape),
      "class_names": model.class_names or None,
      "pixels": dict(model.pixels),
    }
    saved = model._replace(
      network=model.network.clone(dtype=dtype),
      description={**model.description, **described},
    )
  else:
    saved = load_model(model, dtype=dtype)
    # A repository or a bucket has no report.
    if not (hub.is_address(model) or is_in_bucket(model)):
      report = find_folder(model) / "report.json"
  if license is not None:
    saved = saved._replace(description={**saved.description, "license": license})
  if weights == "int8":
    saved = saved._replace(variables=int8_weights.rounded(saved.variables))
  with whole_folder(out) as directory:
    if format == "savable":
      save_model(directory, saved.variables, saved.description, weights=weights)
      file = directory / VARIABLES_FILE
      facts = {
        "sha256": read_description(directory)["sha256"],
        "bytes": file.stat().st_size,
      }
    else:
      directory.mkdir()
      facts = _write(
        saved, directory, format, platforms or PLATFORMS, batch_size, weights
      )
    facts["weights"] = weights
    card = create_card(
      saved,
      {"format": format, **facts},
      name=pathlib.Path(out).expanduser().resolve().name,
      report=report,
    )
    write_card(directory, card, saved.class_names)
  return card


def _write(
  saved: SavedModel,
  directory: pathlib.Path,
  format: str,
  platforms: Sequence[str],
  batch_size: int | None,
  weights: str,
) -> dict[str, Any]:
  """Writes a program and returns its description for the card."""
  program = trace_network(saved, batch_size=batch_size, weights=weights)
  if format == "onnx":
    content, run = to_onnx(program, saved.name), run_onnx
  else:
    content, run = to_stablehlo(program, platforms), run_stablehlo
  facts = {
    "file": f"model.{format}",
    "sha256": hashlib.sha256(content).hexdigest(),
    "bytes": len(content),
    "batch_size": batch_size,
    "dtype": jnp.dtype(saved.network.dtype).name,
  }
  if format == "stablehlo":
    facts["platforms"] = list(platforms)
  if format == "onnx" or jax.export.default_export_platform() in platforms:
    run_file = functools.partial(run, content)
    facts["largest_difference"] = largest_difference(
      run_file, saved, batch_size=batch_size
    )
  (directory / facts["file"]).write_bytes(content)
  return facts


def _check(
  format: str,
  platforms: Sequence[str] | None,
  batch_size: int | None,
  dtype: str,
  weights: str,
) -> None:
  """Raises ValueError unless the arguments of `export_model` fit together."""
  check_choice("format", format, FORMATS)
  if platforms is not None:
    if format != "stablehlo":
      raise ValueError(f"platforms are of format stablehlo, not {format}.")
    unknown = sorted(set(platforms) - set(PLATFORMS))
    if unknown or not platforms:
      raise ValueError(f"platforms must be some of {PLATFORMS}, got {list(platforms)}.")
  if batch_size is not None:
    if format == "savable":
      raise ValueError("format savable takes batches of any size.")
    check_at_least("batch_size", batch_size, 1)
  check_choice("dtype", dtype, DTYPES)
  if dtype != "float32" and format != "stablehlo":
    raise ValueError(f"format {format} is written in float32, not {dtype}.")
  check_choice("weights", weights, WEIGHTS)
  if weights != "float32" and format == "onnx":
    raise ValueError(f"format onnx is written with weights in float32, not {weights}.")
