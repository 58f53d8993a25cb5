"""Side-by-side timing of a JAX function and a torch function."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch

from benchmarks.shared import torch_device

_SPINNING = 0.03  # Seconds; libgomp's threads sleep after about ten ms.


class Times(NamedTuple):
  """Medians in milliseconds, and how many times faster ours is."""

  ours: float
  theirs: float
  ratio: float


def side_by_side(
  ours: Callable[[], Any],
  theirs: Callable[[], Any],
  *,
  seconds: float = 1.5,
  turns: tuple[int, int] = (5, 20),
  repeats: int = 3,
) -> Times:
  """Times both in turns, so that a busy machine slows both.

  Args:
    ours: Runs once and waits for its end.
    theirs: Runs once and waits for its end.
    seconds: Time to spend.
    turns: Fewest and most turns.
    repeats: Timed runs per turn; their median counts.
  """
  for function in (ours, theirs):  # Compiles, and fills caches.
    function()
    function()
  pairs = []
  start = time.perf_counter()
  while len(pairs) < turns[0] or (
    len(pairs) < turns[1] and time.perf_counter() - start < seconds
  ):
    pairs.append((_milliseconds(ours, repeats), _milliseconds(theirs, repeats)))
  mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))
  return Times(mine, other, statistics.median(b / a for a, b in pairs))


def _milliseconds(function: Callable[[], Any], repeats: int) -> float:
  """Returns the median time of a turn.

  The first runs are not timed: idle threads of the other library (OpenMP's)
  spin for milliseconds on cores that this one would use.
  """
  start = time.perf_counter()
  function()
  while time.perf_counter() - start < _SPINNING:
    function()
  return statistics.median(_time(function) for _ in range(repeats))


def _time(function: Callable[[], Any]) -> float:
  start = time.perf_counter()
  function()
  return 1e3 * (time.perf_counter() - start)


def jax_runners(
  function: Callable[..., jax.Array], arrays: Sequence[np.ndarray]
) -> tuple[Callable[[], Any], Callable[[], Any]]:
  """Returns functions that run `function` forward, and forward and backward.

  Backward computes the gradients of the sum of squares by all arrays.
  """
  arrays = [jax.device_put(array) for array in arrays]
  forward = jax.jit(function)

  def loss(*arrays: jax.Array) -> jax.Array:
    return jnp.sum(jnp.square(function(*arrays)))

  both = jax.jit(jax.value_and_grad(loss, argnums=tuple(range(len(arrays)))))
  return (
    lambda: jax.block_until_ready(forward(*arrays)),
    lambda: jax.block_until_ready(both(*arrays)),
  )


def torch_runners(
  function: Callable[..., torch.Tensor], arrays: Sequence[np.ndarray]
) -> tuple[Callable[[], Any], Callable[[], Any]]:
  """Returns functions that run `function` forward, and forward and backward."""
  device = torch_device.name()
  tensors = [torch.tensor(array, device=device) for array in arrays]
  variables = [tensor.clone().requires_grad_() for tensor in tensors]

  def forward() -> torch.Tensor:
    with torch.no_grad():
      out = function(*tensors)
    torch_device.wait()
    return out

  def both() -> Any:
    loss = function(*variables).square().sum()
    gradients = torch.autograd.grad(loss, variables)
    torch_device.wait()
    return loss, gradients

  return forward, both
