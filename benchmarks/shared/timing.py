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
  calls: int = 1,
) -> Times:
  """Times both in turns, so that a busy machine slows both.

  Args:
    ours: Runs once and waits for its end.
    theirs: Runs once and waits for its end.
    seconds: Time to spend.
    turns: Fewest and most turns.
    repeats: Timed runs per turn; their median counts.
    calls: Calls that each run makes; the times are of one call.
  """
  pairs = in_turns((ours, theirs), seconds=seconds, turns=turns, repeats=repeats)
  mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))
  ratio = statistics.median(b / a for a, b in pairs)
  return Times(mine / calls, other / calls, ratio)


def in_turns(
  functions: Sequence[Callable[[], Any]],
  *,
  seconds: float = 1.5,
  turns: tuple[int, int] = (5, 20),
  repeats: int = 3,
  clock: Callable[[], float] = time.perf_counter,
) -> list[tuple[float, ...]]:
  """Returns for each turn the milliseconds of each function.

  Args:
    functions: Each runs once and waits for its end.
    seconds: Time to spend.
    turns: Fewest and most turns.
    repeats: Timed runs per turn; their median counts.
    clock: Returns seconds; `time.process_time` counts those of the processor,
      over all threads, which a busy machine changes less.
  """
  for function in functions:  # Compiles, and fills caches.
    function()
    function()
  rows = []
  start = time.perf_counter()
  while len(rows) < turns[0] or (
    len(rows) < turns[1] and time.perf_counter() - start < seconds
  ):
    rows.append(tuple(_milliseconds(f, repeats, clock) for f in functions))
  return rows


def _milliseconds(
  function: Callable[[], Any], repeats: int, clock: Callable[[], float]
) -> float:
  """Returns the median time of a turn.

  The first runs are not timed: idle threads of the other library (OpenMP's)
  spin for milliseconds on cores that this one would use.
  """
  start = time.perf_counter()
  function()
  while time.perf_counter() - start < _SPINNING:
    function()
  return statistics.median(_time(function, clock) for _ in range(repeats))


def _time(function: Callable[[], Any], clock: Callable[[], float]) -> float:
  start = clock()
  function()
  return 1e3 * (clock() - start)


def jax_runners(
  function: Callable[..., jax.Array],
  arrays: Sequence[np.ndarray],
  *,
  dtype: str = "float32",
  calls: int = 1,
) -> tuple[Callable[[], Any], Callable[[], Any]]:
  """Returns functions that run `function` forward, and forward and backward.

  Backward computes the gradients of the sum of squares by all arrays.

  Args:
    function: Function of arrays.
    arrays: Its arguments.
    dtype: Dtype that they are converted to.
    calls: Calls of each run, which waits for the last.
  """
  arrays = [jax.device_put(array).astype(dtype) for array in arrays]
  forward = jax.jit(function)

  def loss(*arrays: jax.Array) -> jax.Array:
    return jnp.sum(jnp.square(function(*arrays).astype(jnp.float32)))

  both = jax.jit(jax.value_and_grad(loss, argnums=tuple(range(len(arrays)))))

  def run(compiled: Callable[..., Any]) -> Any:
    for _ in range(calls):
      out = compiled(*arrays)
    return jax.block_until_ready(out)

  return lambda: run(forward), lambda: run(both)


def torch_runners(
  function: Callable[..., torch.Tensor],
  arrays: Sequence[np.ndarray],
  *,
  dtype: str = "float32",
  compiled: bool = False,
  calls: int = 1,
) -> tuple[Callable[[], Any], Callable[[], Any]]:
  """Returns functions that run `function` forward, and forward and backward.

  Args:
    function: Function of tensors.
    arrays: Its arguments.
    dtype: Dtype that they are converted to.
    compiled: Whether to use torch.compile.
    calls: Calls of each run, which waits for the last.
  """
  device = torch_device.name()
  tensors = [
    torch.tensor(array, device=device, dtype=getattr(torch, dtype)) for array in arrays
  ]
  variables = [tensor.clone().requires_grad_() for tensor in tensors]
  if compiled:
    function = torch.compile(function)

  def forward() -> torch.Tensor:
    with torch.no_grad():
      for _ in range(calls):
        out = function(*tensors)
    torch_device.wait()
    return out

  def both() -> Any:
    for _ in range(calls):
      loss = function(*variables).float().square().sum()
      gradients = torch.autograd.grad(loss, variables)
    torch_device.wait()
    return loss, gradients

  return forward, both
