"""Low-rank adapters: products of two narrow matrices, added to frozen kernels.

A network computes with W + a b in the place of a kernel W. Only the factors a
and b are trained; they are parameters of the run, "low_rank/KERNEL/a" and
"low_rank/KERNEL/b", and b is zero at first. `merge` adds them up: a network
that is read from a run, whatever for, has merged kernels and no factors.

Source: Hu et al. 2021, https://arxiv.org/abs/2106.09685, section 4.1, with its
alpha equal to the rank.
"""

import math
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
from flax import traverse_util

from temporal_jax.layers.initializers import torch_default
from temporal_jax.training.host_init import run_on_host
from temporal_jax.training.parameter_names import first_fits, named
from temporal_jax.training.state import Tree

FACTORS = "low_rank"  # Name of the factors among the parameters.
_NAMES = ("a", "b")


def init_factors(
  key: jax.Array, params: Tree, *, rank: int, layers: Sequence[str]
) -> Tree:
  """Returns factors of some kernels, whose products are zero.

  A kernel (*I, *O) has factors a (I, r) and b (r, O): its axes are divided
  where both sides are most alike, as those of heads, (D, 3, M, d) and
  (M, d, D), are where inputs meet outputs.

  Args:
    key: Random key.
    params: Parameters of the network, abstract or not.
    rank: Columns of a and rows of b, r.
    layers: Regexes of the kernels' names, see `parameter_names`.

  Returns:
    The tree of factors, to be kept under `FACTORS`.

  Raises:
    ValueError: If a regex fits nothing or what is no kernel, or the rank is
      above a side of a kernel.
  """
  kernels = named(params)
  chosen = sorted(first_fits("adapters.layers", layers, kernels))
  sides = {name: _sides(name, kernels[name], rank) for name in chosen}

  def init(key: jax.Array) -> Tree:
    factors = {}
    for number, (name, (inner, outer)) in enumerate(sides.items()):
      own = jax.random.fold_in(key, number)
      factors[f"{name}/a"] = torch_default()(own, (inner, rank), jnp.float32)
      factors[f"{name}/b"] = jnp.zeros((rank, outer), jnp.float32)
    return traverse_util.unflatten_dict(factors, sep="/")

  return run_on_host(init, key)


def adapted_kernel(name: str) -> str:
  """Returns the name of the kernel of a factor; of others their own name."""
  if not name.startswith(f"{FACTORS}/"):
    return name
  return name.removeprefix(f"{FACTORS}/").rpartition("/")[0]


def without_factors(params: Tree) -> Tree:
  """Returns the parameters that the network has."""
  return {name: tree for name, tree in params.items() if name != FACTORS}


def merge(params: Tree) -> Tree:
  """Returns the network's parameters, with the products in their kernels.

  Args:
    params: Parameters of a run, with factors or without.
  """
  if FACTORS not in params:
    return params
  merged = traverse_util.flatten_dict(without_factors(params))
  for path, (a, b) in _pairs(params).items():
    kernel = merged[path]
    # (I, O); a TPU or GPU would round its inputs otherwise.
    product = jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)
    merged[path] = kernel + product.reshape(kernel.shape).astype(kernel.dtype)
  return traverse_util.unflatten_dict(merged)


def check_factors(params: Tree) -> None:
  """Raises ValueError if factors, or their shapes, are not of these kernels."""
  if FACTORS not in params:
    return
  if not isinstance(params[FACTORS], Mapping):
    raise ValueError(f"{FACTORS} must hold the factors of kernels, got an array.")
  kernels = traverse_util.flatten_dict(without_factors(params))
  for path, factors in _pairs(params).items():
    kernel = kernels.get(path)
    shapes = [x if x is None else tuple(x.shape) for x in (kernel, *factors)]
    if kernel is None or not _fit(*shapes):
      raise ValueError(
        f"{FACTORS}/{'/'.join(path)} must hold a (I, r) and b (r, O) of a kernel of "
        f"I O values, got {shapes[1]} and {shapes[2]} for the kernel {shapes[0]}."
      )


def _pairs(params: Tree) -> dict[tuple[str, ...], tuple[jax.Array | None, ...]]:
  """Returns path of the kernel -> its factors; None for one that is missing."""
  leaves = traverse_util.flatten_dict(params[FACTORS])
  paths = sorted({path[:-1] for path in leaves})
  return {path: tuple(leaves.get((*path, name)) for name in _NAMES) for path in paths}


def _fit(
  kernel: tuple[int, ...], a: tuple[int, ...] | None, b: tuple[int, ...] | None
) -> bool:
  """Whether the product of two shapes has as many values as a kernel."""
  if a is None or b is None or not len(a) == len(b) == 2:
    return False
  return a[1] == b[0] and a[0] * b[1] == math.prod(kernel)


def _sides(name: str, kernel: jax.Array, rank: int) -> tuple[int, int]:
  """Returns the sizes (I, O) between which a kernel's axes are divided."""
  shape = tuple(kernel.shape)
  if len(shape) < 2:
    raise ValueError(
      f"adapters.layers must fit kernels, of two axes or more, got {name} {shape}."
    )
  divided = (
    (math.prod(shape[:axis]), math.prod(shape[axis:])) for axis in range(1, len(shape))
  )
  sides = min(divided, key=lambda sides: abs(math.log(sides[0] / sides[1])))
  if rank > min(sides):
    raise ValueError(
      f"adapters.rank must be at most {min(sides)} for {name} {shape}, got {rank}."
    )
  return sides
