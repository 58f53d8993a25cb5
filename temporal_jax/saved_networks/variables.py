"""The variables of a network's directory, checked against the network."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import flax.traverse_util as trees
import jax.numpy as jnp
import numpy as np

from temporal_jax.models.inspect.variables import differing
from temporal_jax.training.load_variables import load_variables

_COLLECTIONS = {"params", "batch_stats"}
# Fields of a `model.json` that define a network.
_MAKES_NETWORK = ("model", "overrides", "num_classes")
# A classifier's inputs have the shape of its clips, a detector's the width of
# its features.
_INPUTS = ("clip_shape", "features")
_NAMED = 3  # Leaves that a message names, at most.


def read_variables(
  directory: str | os.PathLike,
  description: Mapping[str, Any],
  check_fit: Callable[[Mapping[str, Any]], None],
  on_shapes: Callable[[dict[str, Any]], None] = lambda shapes: None,
) -> dict[str, Any]:
  """Reads variables that fit a network.

  Args:
    directory: See `load_variables`.
    description: A checked `model.json`. If its "leaves" is the digest of the
      network and the variables' shapes, as `write_description` writes it, then
      they were compared when they were written; otherwise they are compared
      now.
    check_fit: Called with the shapes of the variables to compare them; raises
      ValueError if they do not fit the network.
    on_shapes: Called with the shapes of the variables, jax.ShapeDtypeStruct,
      once they fit and before any value is read; again where an earlier
      checkpoint of a run is read instead of a damaged one.

  Returns:
    {"params", "batch_stats"}.

  Raises:
    FileNotFoundError: If there are none.
    ValueError: If they cannot be read, do not fit the network, or hold NaN or
      infinite numbers.
  """

  def check(shapes: Mapping[str, Any]) -> None:
    shapes = {"batch_stats": {}, **shapes}
    check_kinds(f"{directory}", shapes)
    if digest_of_leaves(description, shapes) != description.get("leaves"):
      check_fit(shapes)
    on_shapes(shapes)

  variables = load_variables(directory, check)
  check_finite(f"{directory}", variables)
  return variables


def digest_of_leaves(
  description: Mapping[str, Any], variables: Mapping[str, Any]
) -> str:
  """Returns a sha256 of the network's arguments and all leaves' shapes.

  Args:
    description: Content of `model.json`.
    variables: {"params", "batch_stats"}, or their shapes.
  """
  made = {name: description.get(name) for name in _MAKES_NETWORK}
  made |= {name: description[name] for name in _INPUTS if name in description}
  # The dtype of activations is chosen when a network is loaded.
  made["overrides"] = {**made["overrides"], "dtype": None}
  leaves = trees.flatten_dict(dict(variables), sep="/")
  shapes = {path: list(leaf.shape) for path, leaf in leaves.items()}
  text = json.dumps([made, shapes], sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()


def check_leaves(
  where: str,
  name: str,
  expected: Mapping[str, Any],
  variables: Mapping[str, Any],
) -> None:
  """Checks that variables have exactly the leaves of a network.

  Args:
    where: Their directory, for messages.
    name: The network's name.
    expected: The shapes of the network's variables.
    variables: {"params", "batch_stats"}, or their shapes.

  Raises:
    ValueError: If leaves are missing, unknown or of another shape.
  """
  if wrong := differing(expected, variables):
    leaves = trees.flatten_dict(dict(variables), sep="/")
    wanted = trees.flatten_dict(dict(expected), sep="/")
    words = [
      f"{path} {_shape(leaves.get(path))} instead of {_shape(wanted.get(path))}"
      for path in wrong[:_NAMED]
    ]
    raise ValueError(
      f"{where}: the variables do not fit {name} of model.json: {len(wrong)} "
      f"leaves differ: {', '.join(words)}."
    )


def check_kinds(where: str, variables: Mapping[str, Any]) -> None:
  """Raises ValueError if there is something else than a network's numbers."""
  if unknown := sorted(set(variables) - _COLLECTIONS):
    raise ValueError(
      f"{where}: variables must be {sorted(_COLLECTIONS)}, got {unknown[:3]}."
    )
  for path, leaf in trees.flatten_dict(dict(variables), sep="/").items():
    if not jnp.issubdtype(leaf.dtype, jnp.floating):
      raise ValueError(
        f"{where}: {path} must hold floating point numbers, got {leaf.dtype}."
      )


def check_finite(where: str, variables: Mapping[str, Any]) -> None:
  """Raises ValueError if a leaf holds NaN or infinite numbers."""
  for path, leaf in trees.flatten_dict(dict(variables), sep="/").items():
    values = np.asarray(leaf)
    if not values.size:
      continue
    # Both are NaN if any value is; faster than a mask of all.
    with np.errstate(invalid="ignore"):
      ends = [values.min(), values.max()]
    if not np.isfinite(ends).all():
      count = np.count_nonzero(~np.isfinite(values))
      raise ValueError(
        f"{where}: {path} must hold finite numbers, {count} of {values.size} "
        "are NaN or infinite. The training that wrote it diverged, or the file "
        "is damaged."
      )


def _shape(leaf: Any) -> str:
  return "missing" if leaf is None else str(tuple(leaf.shape))


def digest(variables: Mapping[str, Any]) -> str:
  """Returns the sha256 of names, shapes and values, in the order of names."""
  total = hashlib.sha256()
  leaves = trees.flatten_dict(dict(variables), sep="/")
  for path in sorted(leaves):
    value = np.ascontiguousarray(leaves[path])
    total.update(f"{path} {value.dtype} {value.shape}\n".encode())
    # As bytes: Python's buffers know no bfloat16.
    total.update(value.reshape(-1).view(np.uint8).data)
  return total.hexdigest()


def check_values(
  directory: str | os.PathLike, variables: Mapping[str, Any], written: str
) -> None:
  """Compares variables with the sha256 that model.json has of them.

  Raises:
    ValueError: If they differ.
  """
  found = digest(variables)
  if found != written:
    raise ValueError(
      f"the variables in {directory} changed since they were written: sha256 "
      f"{found}, {written} in model.json."
    )
