"""The low-rank adapters of a run, by its config."""

import functools
from collections.abc import Mapping

import jax
import ml_collections

from temporal_jax import training
from temporal_jax.training.state import Tree


def add_factors(
  config: ml_collections.ConfigDict, variables: Tree, key: jax.Array | None = None
) -> Tree:
  """Adds the factors of `config.adapters` to the variables of a network.

  Args:
    config: The run's config.
    variables: {"params", "batch_stats"}, or their shapes.
    key: Random key; None for the shapes of factors.

  Raises:
    ValueError: If there are layers and no rank or a rank and no layers, or see
      `training.init_factors`.
  """
  rank, layers = config.adapters.rank, config.adapters.layers
  if not rank and not layers:
    return variables
  if not rank:
    raise ValueError(
      f"adapters.rank must be 1 or above for adapters.layers {tuple(layers)}, got 0; "
      "without adapters they are 0 and ()."
    )
  if not layers:
    raise ValueError(
      "adapters.layers must be regexes of the kernels that get adapters of "
      f"adapters.rank {rank}, got ()."
    )
  params = variables["params"]
  init = functools.partial(
    training.init_factors, params=params, rank=rank, layers=layers
  )
  factors = jax.eval_shape(init, jax.random.key(0)) if key is None else init(key)
  return {**variables, "params": {**params, training.FACTORS: factors}}


def check_trained(groups: Mapping[str, training.Group]) -> None:
  """Raises ValueError unless adapted kernels are frozen and factors trained.

  Args:
    groups: Groups of the run's parameters.
  """
  for factor in groups:
    kernel = training.adapted_kernel(factor)
    if kernel == factor or (groups[kernel].frozen and not groups[factor].frozen):
      continue
    raise ValueError(
      f"adapters: {factor} must be trained and {kernel} frozen, as "
      f"optim.trained=({training.FACTORS + '/.*'!r}, 'head/.*') does."
    )
