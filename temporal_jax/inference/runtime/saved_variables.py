"""The variables of a model's directory, checked against its network."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.inference.runtime.override_schema import count_blocks
from temporal_jax.models.inspect.variables import differing
from temporal_jax.models.network import Network
from temporal_jax.training.load_variables import load_variables

_COLLECTIONS = {"params", "batch_stats"}
# What makes a network, in a `model.json`.
_MAKES_NETWORK = ("model", "overrides", "num_classes")
_NAMED = 3  # Leaves that a message names, at most.


def read_variables(
  directory: str | os.PathLike,
  network: Network,
  description: Mapping[str, Any],
  on_shapes: Callable[[dict[str, Any]], None] = lambda shapes: None,
) -> dict[str, Any]:
  """Reads variables that fit a network.

  Args:
    directory: See `load_variables`.
    network: The network of the description.
    description: A checked `model.json`. If its "leaves" is the digest of the
      network and the variables' shapes, as `save_model` writes it, then they
      were compared when they were written; otherwise they are compared now.
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
    _check_kinds(f"{directory}", shapes)
    if digest_of_leaves(description, shapes) != description.get("leaves"):
      check_fit(f"{directory}", network, description, shapes)
    on_shapes(shapes)

  variables = load_variables(directory, check)
  _check_values(f"{directory}", variables)
  return variables


def digest_of_leaves(
  description: Mapping[str, Any], variables: Mapping[str, Any]
) -> str:
  """Returns a sha256 of the network's arguments and all leaves' shapes.

  Args:
    description: What `model.json` holds.
    variables: {"params", "batch_stats"}, or their shapes.
  """
  made = {name: description.get(name) for name in _MAKES_NETWORK}
  # The dtype of activations is chosen when a network is loaded.
  made["overrides"] = {**made["overrides"], "dtype": None}
  leaves = trees.flatten_dict(dict(variables), sep="/")
  shapes = {path: list(leaf.shape) for path, leaf in leaves.items()}
  text = json.dumps([made, shapes], sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()


def check_fit(
  where: str,
  network: Network,
  description: Mapping[str, Any],
  variables: Mapping[str, Any],
) -> None:
  """Checks that a network has exactly these variables.

  Args:
    where: Their directory, for messages.
    network: The network.
    description: Its `model.json`, checked.
    variables: {"params", "batch_stats"}, or their shapes.

  Raises:
    ValueError: If leaves are missing, unknown, of another shape or no floating
      point numbers.
  """
  _check_kinds(where, variables)
  name = description["model"]
  leaves = trees.flatten_dict(dict(variables), sep="/")
  # Else tracing would take as long as the number of blocks says.
  blocks = count_blocks(name, description["overrides"])
  if blocks > len(leaves):
    raise ValueError(
      f"{where}: the {blocks} blocks of {name} by overrides have at least as "
      f"many variables, got {len(leaves)}."
    )
  target = expected_shapes(where, network, description)
  if wrong := differing(target, variables):
    wanted = trees.flatten_dict(target, sep="/")
    words = [
      f"{path} {_shape(leaves.get(path))} instead of {_shape(wanted.get(path))}"
      for path in wrong[:_NAMED]
    ]
    raise ValueError(
      f"{where}: the variables do not fit {name} of model.json: {len(wrong)} "
      f"leaves differ: {', '.join(words)}."
    )


def expected_shapes(
  where: str, network: Network, description: Mapping[str, Any]
) -> dict[str, Any]:
  """Returns the shapes of a network's variables; nothing is computed.

  Raises:
    ValueError: If the overrides do not make a network for its clips.
  """
  shape = (1, *description["clip_shape"])
  clip = jax.ShapeDtypeStruct(shape, jnp.float32)
  try:
    shapes = jax.eval_shape(network.init, jax.random.key(0), clip)
  except Exception as error:  # Layers refuse sizes in many ways.
    field = "overrides of model.json make"
    if not isinstance(network.num_classes, int):
      with contextlib.suppress(Exception):
        jax.eval_shape(network.clone(num_classes=1).init, jax.random.key(0), clip)
        given = json.dumps(description["num_classes"])
        field = f"num_classes of model.json, {given}, makes"
    raise ValueError(
      f"{where}: the {field} no {description['model']} for clips {shape}: "
      f"{_first_line(error)}"
    ) from error
  return {"batch_stats": {}, **shapes}


def _check_kinds(where: str, variables: Mapping[str, Any]) -> None:
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


def _check_values(where: str, variables: Mapping[str, Any]) -> None:
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


def _first_line(error: Exception) -> str:
  """Returns what an error says, in a line."""
  words = str(error).strip() or type(error).__name__
  return words.splitlines()[0][:300]
