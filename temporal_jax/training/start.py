"""Starting from the weights of another run."""

import re
from typing import NamedTuple

import jax
from flax import traverse_util

from temporal_jax.training.state import Tree


class Grafted(NamedTuple):
  """Variables with loaded weights in place.

  Attributes:
    variables: {"params", "batch_stats"}.
    kept: Leaves that stay as initialised, since their shape differs.
  """

  variables: Tree
  kept: tuple[str, ...]


def graft(fresh: Tree, loaded: Tree, *, replaceable: str) -> Grafted:
  """Puts loaded weights in the place of fresh ones, all of them or none.

  Args:
    fresh: Variables of the model to train.
    loaded: Variables of another run of the same model.
    replaceable: Regex of the leaves, e.g. "params/head/.*", that may have
      another shape and then stay fresh.

  Raises:
    ValueError: Listing `-` leaves that are not loaded, `+` loaded ones that the
      model lacks, `!` shapes that differ.
  """
  target = traverse_util.flatten_dict(fresh, sep="/")
  source = traverse_util.flatten_dict(loaded, sep="/")
  problems = [f"- {name}" for name in sorted(target.keys() - source.keys())]
  problems += [f"+ {name}" for name in sorted(source.keys() - target.keys())]
  kept = []
  for name in sorted(target.keys() & source.keys()):
    if target[name].shape == source[name].shape:
      continue
    if re.fullmatch(replaceable, name):
      kept.append(name)
    else:
      problems.append(
        f"! {name}: model {target[name].shape}, loaded {source[name].shape}"
      )
  if problems:
    raise ValueError(
      "init_from does not fit the model:\n" + "\n".join(problems)
    )
  merged = {
    name: target[name] if name in kept else source[name] for name in target
  }
  variables = traverse_util.unflatten_dict(merged, sep="/")
  if not jax.tree.leaves(fresh["batch_stats"]):
    variables["batch_stats"] = {}
  return Grafted(variables, tuple(kept))
