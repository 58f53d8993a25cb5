"""Learning-rate factor, weight decay and freezing of each parameter."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import jax

from temporal_jax.display import tables
from temporal_jax.training.layer_decay import layer_factors
from temporal_jax.training.parameter_names import first_fits, named, path_name
from temporal_jax.training.state import Tree

Rules = Sequence[tuple[str, float]]  # (regex, factor) of parameters' names.


class Group(NamedTuple):
  """Settings of parameters that are trained alike.

  Attributes:
    lr_factor: Factor of the learning rate.
    weight_decay: Strength; the learning rate, and so its factor, is multiplied
      on it, as in torch.
    frozen: Whether the parameters are not trained; the other fields are 0 then.
  """

  lr_factor: float
  weight_decay: float
  frozen: bool


def parameter_groups(
  params: Tree,
  *,
  weight_decay: float,
  decay_vectors: bool = False,
  decay_factors: Rules = (),
  lr_factors: Rules = (),
  frozen: Sequence[str] = (),
  trained: Sequence[str] = (),
  layer_decay: float = 1.0,
  layer_decay_except: Sequence[str] = (),
  layer_decay_first: str = "",
  blocks: str = "",
) -> dict[str, Group]:
  """Returns name -> group of each parameter.

  Names are matched by regexes, see `parameter_names`.

  Args:
    params: Parameters, abstract or not.
    weight_decay: Strength of the decay, before factors.
    decay_vectors: Whether vectors decay, if no rule of `decay_factors` fits
      them: arrays of fewer than two axes, and all named a bias, since
      the biases of attention have an axis for its heads.
    decay_factors: Factors of the decay, 1 where none fits.
    lr_factors: Factors of the learning rate, on top of the layer decay.
    frozen: Parameters that are not trained.
    trained: Instead of `frozen`, the only parameters that are trained; () for
      all others than the frozen ones.
    layer_decay: See `layer_factors`, and for the three below.
    layer_decay_except: Parameters whose layer decay is 1.
    layer_decay_first: Parameters before the first block.
    blocks: Regex of a block's parameters, with its number as a group.

  Raises:
    ValueError: If a regex has no effect, a value is negative, all
      parameters are frozen, or both `frozen` and `trained` are given.
  """
  names = named(params)
  if not 0 <= weight_decay < math.inf:
    raise ValueError(f"weight_decay must be 0 or above, got {weight_decay}.")
  lr_factor = _factors("lr_factors", lr_factors, names)
  decay_factor = _factors("decay_factors", decay_factors, names)
  still = _frozen(names, frozen, trained)
  layers = layer_factors(
    params,
    layer_decay,
    blocks=blocks,
    before=layer_decay_first,
    kept=layer_decay_except,
  )

  def group(name: str, leaf: jax.Array) -> Group:
    if name in still:
      return Group(0.0, 0.0, frozen=True)
    vector = leaf.ndim < 2 or name.endswith("bias")
    decays = 1.0 if decay_vectors or not vector else 0.0
    return Group(
      lr_factor=layers[name] * lr_factor.get(name, 1.0),
      weight_decay=weight_decay * decay_factor.get(name, decays),
      frozen=False,
    )

  return {name: group(name, leaf) for name, leaf in names.items()}


def _frozen(
  names: Mapping[str, jax.Array], frozen: Sequence[str], trained: Sequence[str]
) -> Collection[str]:
  """Returns the names of the frozen parameters."""
  field, regexes = ("trained", trained) if trained else ("frozen", frozen)
  if frozen and trained:
    raise ValueError(
      f"frozen {tuple(frozen)} and trained {tuple(trained)} are one choice: leave "
      "one of them at ()."
    )
  fits = first_fits(field, regexes, names)
  still = names.keys() - fits if trained else fits.keys()
  if len(still) == len(names):
    raise ValueError(f"{field} {tuple(regexes)} leaves nothing to train.")
  return still


def stop_frozen(params: Tree, groups: Mapping[str, Group]) -> Tree:
  """Returns the parameters, of which the frozen ones have no gradient.

  Inside a loss it saves computing gradients that nobody uses, and keeps them
  out of the gradient's norm.

  Args:
    params: Tree of parameters.
    groups: Groups of these parameters; {} freezes none.
  """
  if not groups:
    return params

  def stop(path: jax.tree_util.KeyPath, leaf: jax.Array) -> jax.Array:
    frozen = groups[path_name(path)].frozen
    return jax.lax.stop_gradient(leaf) if frozen else leaf

  return jax.tree_util.tree_map_with_path(stop, params)


def describe_groups(params: Tree, groups: Mapping[str, Group]) -> str:
  """Returns a table as text: one row per group, largest learning rate first.

  Args:
    params: Parameters, abstract or not.
    groups: Groups of these parameters.
  """
  members: dict[Group, list[str]] = {}
  for name, group in groups.items():
    members.setdefault(group, []).append(name)
  sizes = {name: math.prod(leaf.shape) for name, leaf in named(params).items()}
  rows = []
  for group in sorted(members, reverse=True):
    names = members[group]
    factors = ("frozen", "") if group.frozen else [f"{x:.4g}" for x in group[:2]]
    count = sum(sizes[name] for name in names)
    rows.append((*factors, f"{len(names):,}", f"{count:,}", names[0]))
  head = ("lr factor", "weight decay", "tensors", "parameters", "for example")
  return "\n".join(tables.render(tables.columns(rows, head=head, right=range(4))))


def _factors(
  field: str, rules: Rules, names: Mapping[str, jax.Array]
) -> dict[str, float]:
  """Returns name -> factor, where a rule fits."""
  for rule in rules:
    if isinstance(rule, str) or len(rule) != 2:
      raise ValueError(f"{field} must be pairs (regex, factor), got {rule!r}.")
    if not 0 <= rule[1] < math.inf:
      raise ValueError(f"{field}: a factor must be 0 or above, got {rule}.")
  fits = first_fits(field, [regex for regex, _ in rules], names)
  return {name: float(rules[position][1]) for name, position in fits.items()}
