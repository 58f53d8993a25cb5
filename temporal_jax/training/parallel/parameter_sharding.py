"""Sharding of parameters and of the optimizer's state."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.sharding import NamedSharding, PartitionSpec

from temporal_jax.lookup import did_you_mean
from temporal_jax.training.parallel.mesh import replicated
from temporal_jax.training.state import TrainState, Tree

# Axes of one dimension: none, one, or several together.
Axes = str | Sequence[str] | None
# (regex of whole names "block1/mlp/expand/kernel", axes of the dimensions).
Rule = tuple[str, Sequence[Axes]]

AXES = ("fsdp", "tensor")  # Those that parameters may be split over.

# Elements below which an array is not worth a gathering of its parts.
MIN_SIZE = 2**14


def shard_parameters(
  params: Tree,
  mesh: jax.sharding.Mesh,
  rules: Sequence[Rule] = (),
  *,
  tensor_rules: Sequence[Rule] = (),
) -> Tree:
  """Returns the sharding of every parameter.

  The first rule that fits a parameter's name counts, to the letter. Parameters
  without one are split over fsdp if they have `MIN_SIZE` elements or more,
  along the first dimension that fsdp divides, so that each part of an array is
  contiguous in memory; every device holds the rest whole. Without any rules,
  `tensor_rules` split matching parameters over tensor, and fsdp takes another
  dimension of the same parameters.

  Args:
    params: Nested dicts of arrays, or of shapes.
    mesh: Made by `create_mesh`.
    rules: (regex of whole names, axes of the dimensions); see `Rule`.
    tensor_rules: The network's own rules for splitting parameters; unlike those
      of `rules`, one of them may fit no parameter.

  Returns:
    A tree of `NamedSharding`.

  Raises:
    ValueError: If a rule fits no parameter, names an unknown axis or has more
      dimensions than the parameter, if an axis does not divide its dimension,
      or if the tensor axis is larger than 1 and splits nothing.
  """
  flat, structure = jax.tree_util.tree_flatten_with_path(params)
  leaves = [(_name(path), tuple(leaf.shape)) for path, leaf in flat]
  _check_rules(rules, [name for name, _ in leaves])
  specs = [_spec(name, shape, mesh, rules, tensor_rules) for name, shape in leaves]
  if mesh.shape["tensor"] > 1 and not any(
    "tensor" in _axes(over) for spec in specs for over in spec
  ):
    raise ValueError(
      f"mesh {dict(mesh.shape)}: no parameter is split over the tensor axis; "
      "give rules that do, or leave the axis at 1."
    )
  return jax.tree.unflatten(structure, [NamedSharding(mesh, s) for s in specs])


def shard_state(
  state: TrainState,
  mesh: jax.sharding.Mesh,
  rules: Sequence[Rule] = (),
  *,
  tensor_rules: Sequence[Rule] = (),
) -> TrainState:
  """Returns the sharding of every array of a state.

  Moving averages, and the arrays of the optimizer that belong to a parameter
  (their names end with its name, the shapes are equal), are sharded as the
  parameter is. Every device holds the rest whole.

  Args:
    state: Arrays, or shapes.
    mesh: Made by `create_mesh`.
    rules: See `shard_parameters`.
    tensor_rules: See `shard_parameters`.

  Returns:
    A state of `NamedSharding`.

  Raises:
    ValueError: See `shard_parameters`.
  """
  params = shard_parameters(state.params, mesh, rules, tensor_rules=tensor_rules)
  flat = jax.tree_util.tree_leaves_with_path(state.params)
  followed = {
    (_name(path), tuple(leaf.shape)): sharding
    for (path, leaf), sharding in zip(flat, jax.tree.leaves(params), strict=True)
  }
  whole = replicated(mesh)

  def follow(path: tuple, leaf: Any) -> NamedSharding:
    for start in range(len(path)):  # The longest name first.
      key = (_name(path[start:]), tuple(leaf.shape))
      if key in followed:
        return followed[key]
    return whole

  everywhere = jax.tree.map(lambda leaf: whole, state)
  ema = everywhere.ema
  return everywhere.replace(
    params=params,
    opt_state=jax.tree_util.tree_map_with_path(follow, state.opt_state),
    ema={**ema, "params": params} if ema else ema,
  )


def make_gather(params: Tree) -> Callable[[Tree], Tree]:
  """Returns a function that gathers the parts of the parameters.

  Without it, the compiler may send activations instead, whose channels it then
  splits over fsdp. With it they stay split by clips; gradients are summed
  straight into the parts, and only the tensor axis stays in the parameters.

  Args:
    params: Shardings of the parameters, from `shard_parameters`.
  """
  whole = jax.tree.map(_without_fsdp, params)

  @jax.custom_vjp
  def gather(values: Tree) -> Tree:
    return jax.lax.with_sharding_constraint(values, whole)

  gather.defvjp(
    lambda values: (gather(values), None),
    lambda _, gradient: (jax.lax.with_sharding_constraint(gradient, params),),
  )
  return gather


def _without_fsdp(sharding: NamedSharding) -> NamedSharding:
  """Returns the same except for the fsdp axis."""
  left = (
    tuple(axis for axis in _axes(over) if axis != "fsdp") for over in sharding.spec
  )
  spec = PartitionSpec(*(over or None for over in left))
  return NamedSharding(sharding.mesh, spec)


def _name(path: tuple) -> str:
  """Returns a/b/kernel."""
  return jax.tree_util.keystr(path, simple=True, separator="/")


def _check_rules(rules: Sequence[Rule], names: Sequence[str]) -> None:
  """Each must fit a parameter, with axes that exist."""
  for pattern, axes in rules:
    used = [axis for over in axes for axis in _axes(over)]
    unknown = sorted(set(used) - set(AXES))
    if unknown:
      raise ValueError(
        f"sharding rule {pattern!r}: axes must be in {AXES}, got {unknown}."
      )
    if len(used) > len(set(used)):
      raise ValueError(f"sharding rule {pattern!r} uses an axis twice: {axes}.")
    if not any(re.fullmatch(pattern, name) for name in names):
      raise ValueError(
        f"sharding rule {pattern!r} fits no parameter"
        f"{did_you_mean(pattern, names, cutoff=0)}"
      )


def _spec(
  name: str,
  shape: tuple[int, ...],
  mesh: jax.sharding.Mesh,
  rules: Sequence[Rule],
  tensor_rules: Sequence[Rule],
) -> PartitionSpec:
  """Returns the axes of one parameter's dimensions."""
  axes = _first(rules, name)
  if axes is None:
    axes = None if rules else _first(tensor_rules, name)
    axes = _with_fsdp(axes or (), shape, mesh.shape["fsdp"])
  if len(axes) > len(shape):
    raise ValueError(f"{name} {shape} has fewer dimensions than axes {axes}.")
  for size, over in zip(shape, axes, strict=False):
    parts = math.prod(mesh.shape[axis] for axis in _axes(over))
    if size % parts:
      raise ValueError(
        f"{name} {shape}: {over} of size {parts} does not divide {size}."
      )
  return PartitionSpec(*axes)


def _first(rules: Sequence[Rule], name: str) -> Sequence[Axes] | None:
  """Returns the axes of the first rule that fits."""
  fitting = (axes for pattern, axes in rules if re.fullmatch(pattern, name))
  return next(fitting, None)


def _with_fsdp(
  axes: Sequence[Axes], shape: tuple[int, ...], parts: int
) -> tuple[Axes, ...]:
  """Splits the first free dimension of a large array over fsdp."""
  axes = [*axes, *[None] * (len(shape) - len(axes))]
  free = [
    dimension
    for dimension, size in enumerate(shape)
    if axes[dimension] is None and size % parts == 0
  ]
  if free and parts > 1 and math.prod(shape) >= MIN_SIZE:
    axes[free[0]] = "fsdp"
  return tuple(axes)


def _axes(over: Axes) -> tuple[str, ...]:
  """Returns the names of the axes over which a dimension is split."""
  return (over,) if isinstance(over, str) else tuple(over or ())
