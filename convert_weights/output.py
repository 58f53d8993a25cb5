"""Writes a converted network to disk, and verifies it."""

import functools
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl import logging

from convert_weights import report
from convert_weights.apply import apply_plan
from convert_weights.plan import plan_conversion
from convert_weights.planning.causes import NoClassifierError
from convert_weights.planning.conversion_plan import ConversionPlan
from convert_weights.reading import Checkpoint
from temporal_jax import hub, inference
from temporal_jax.models.inspect.variables import differing

_PART = 2**20  # Bytes read at once.


def describe(
  plan: ConversionPlan,
  checkpoint: Checkpoint,
  class_names: Sequence[str],
  address: hub.Address | None,
) -> dict[str, Any]:
  """Returns the description of a conversion for `model.json`.

  Args:
    plan: The conversion.
    checkpoint: The checkpoint.
    class_names: Names of the classes, () if they are not known.
    address: See `source`.

  Raises:
    ValueError: If there are not as many names as classes.
  """
  classes = plan.num_classes
  if class_names and len(class_names) != classes:
    raise ValueError(f"{len(class_names)} labels for {classes} classes.")
  return {
    "model": plan.model_name,
    "overrides": plan.overrides,
    "num_classes": classes,
    "clip_shape": plan.clip_shape,
    "class_names": class_names or None,
    "pixels": dict(zip(("mean", "std"), plan.pixels, strict=True)),
    "source": {**source(checkpoint, plan.source.name, address), "prefix": plan.prefix},
    "report": report.as_json(
      plan.mapping, (*plan.notes, *plan.interpolated), plan.assumed
    ),
  }


def save_checkpoint(
  model_name: str,
  checkpoint: Checkpoint,
  out: str | os.PathLike,
  *,
  address: hub.Address | None = None,
  num_classes: int | Mapping[str, int] | None = None,
  **overrides: Any,
) -> None:
  """Converts a checkpoint into the folder of a network.

  Args:
    model_name: Name of the network in the catalog.
    checkpoint: The checkpoint.
    out: The folder to write; must not exist yet.
    address: See `source`.
    num_classes: Classes of the network; None for the checkpoint's. A network
      that needs a classifier gets a new one of one class where it has none.
    **overrides: Arguments of `temporal_jax.create_model`.

  Raises:
    ValueError: If anything does not fit; all of it is listed.
  """
  plan = functools.partial(
    plan_conversion,
    model_name,
    checkpoint.tensors,
    settings=checkpoint.settings,
    **overrides,
  )
  try:
    planned = plan(num_classes=num_classes)
  except NoClassifierError:
    planned = plan(num_classes=1)
    new_head = (
      "no classifier in the checkpoint: the network gets a new one, of 1 class."
    )
    planned = planned._replace(notes=(*planned.notes, new_head))
  for line in (*planned.notes, *planned.interpolated, *planned.assumed):
    logging.warning("%s: %s", address or checkpoint.path, line)
  description = describe(planned, checkpoint, (), address)
  variables = apply_plan(planned, checkpoint.tensors)
  inference.save_model(out, variables, description)


def source(
  checkpoint: Checkpoint, name: str, address: hub.Address | None
) -> dict[str, Any]:
  """Returns a checkpoint's description for `model.json`.

  Args:
    checkpoint: The checkpoint.
    name: The naming of its tensors.
    address: The address hf://org/name@commit that it is from;
      None for a path.
  """
  return {
    **({"address": str(address)} if address else {}),
    "name": name,
    "file": checkpoint.path.absolute().name,
    "sha256": file_digest(*checkpoint.files),
    "wrapper": checkpoint.wrapper,
  }


def said(checkpoint: Checkpoint, address: hub.Address | None) -> Iterator[str]:
  """Yields lines about a file other than its tensors; see `source`."""
  if address:
    yield f"{address}."
  within = f", in {checkpoint.wrapper}" if checkpoint.wrapper else ""
  yield f"{checkpoint.path.absolute().name}: {checkpoint.format}{within}."
  if checkpoint.others:
    others = ", ".join(checkpoint.others)
    yield f"it holds other weights too: {others}."
  if checkpoint.ignored:
    yield f"also in the file and not read: {', '.join(checkpoint.ignored)}."


def file_digest(*paths: str | os.PathLike) -> str:
  """Returns the sha256 of a file, or of several one after another."""
  digest = hashlib.sha256()
  for path in paths:
    with open(path, "rb") as file:
      while part := file.read(_PART):
        digest.update(part)
  return digest.hexdigest()


def verify(directory: str | os.PathLike) -> str:
  """Reads a converted network again, compares it and runs it once.

  Returns:
    The result of the comparison and of the run, in a line.

  Raises:
    FileNotFoundError: If there is no such network.
    ValueError: If its files or values are not those that were written, do not
      fit the network, or a forward pass gives NaN or infinity.
  """
  saved = inference.load_model(directory)  # Compares files with their list.
  values = compare_values(directory, saved.variables, saved.description)
  clip = jnp.zeros((1, *saved.clip_shape))
  target = jax.eval_shape(saved.network.init, jax.random.key(0), clip)
  if wrong := differing(target, saved.variables):
    raise ValueError(f"{directory} does not fit {saved.name}: {wrong} differ.")
  inputs = [clip]
  if getattr(saved.network, "head", None) == "text":
    inputs.append(jnp.zeros((1, saved.network.context), jnp.int32))
  out, _ = jax.jit(saved.network.apply)(saved.variables, *inputs)
  arrays = jax.tree.leaves(out)
  if not all(np.isfinite(x).all() for x in arrays):
    raise ValueError(f"{saved.name} in {directory} gives NaN or infinity.")
  shapes = ", ".join(str(x.shape) for x in arrays)
  return (
    f"{saved.name}: {values} as written; a clip "
    f"{(1, *saved.clip_shape)} gives {shapes}."
  )


def compare_values(
  directory: str | os.PathLike,
  variables: Mapping[str, Any],
  description: Mapping[str, Any],
) -> str:
  """Compares variables with their sha256; returns the compared value.

  Raises:
    ValueError: If they changed since they were written.
  """
  written = description.get("sha256")
  if written is None:  # A run has none, as its variables change.
    return "files"
  inference.check_values(directory, variables, written)
  return f"sha256 {written[:12]}"
