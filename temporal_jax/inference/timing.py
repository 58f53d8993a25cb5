"""Times a network on this device, and reports its memory."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from temporal_jax.inference.runtime.clip_to_probabilities import (
  create_forward,
  prepare_variables,
)
from temporal_jax.inference.runtime.placeholder_text import stand_in_texts
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.models import fold_batch_norm
from temporal_jax.models.inspect import count

RUNS = (5, 1000)  # Fewest and most that are timed.
_TEXTS = 400  # Compared with a clip, where the network has no classes.


class Timing(NamedTuple):
  """Times of a batch of clips, from uint8 frames to probabilities.

  Attributes:
    batch_size: Clips of the batch.
    compile_seconds: To compile the network for it.
    median_ms: Time of a batch: half of the runs took less.
    p95_ms: 95 % of the runs took less.
    clips_per_second: Clips per second at the median.
    runs: Timed batches.
    peak_bytes: Peak bytes of the device: arguments, results and all that is
      kept between, as the compiler reports; None where it does not.
    flops: FLOPs of a clip: all operations, as the compiler counts them;
      likewise.
    multiply_adds: Multiply-adds per clip, only in matrix products and
      convolutions; papers call them FLOPs.
  """

  batch_size: int
  compile_seconds: float
  median_ms: float
  p95_ms: float
  clips_per_second: float
  runs: int
  peak_bytes: int | None
  flops: float | None
  multiply_adds: int


def time_network(saved: SavedModel, batch_size: int, *, seconds: float = 3.0) -> Timing:
  """Times a network on the first device.

  Batch norms are folded, texts are encoded before, and clips are on the device.

  Args:
    saved: The network; clips have its `clip_shape`.
    batch_size: Clips computed at once.
    seconds: To spend on runs that are timed, after two that are not; there are
      5 at least.

  Raises:
    ValueError: If `batch_size` is below 1 or `seconds` not positive.
  """
  if batch_size < 1 or seconds <= 0:
    raise ValueError(
      "batch_size must be at least 1 and seconds positive, got "
      f"{batch_size} and {seconds}."
    )
  variables = jax.device_put(_variables(saved))
  rng = np.random.default_rng(0)
  shape = (batch_size, *saved.clip_shape)
  clips = jax.device_put(rng.integers(0, 256, shape, np.uint8))
  forward = create_forward(saved)
  start = time.perf_counter()
  lowered = jax.jit(forward).lower(variables, clips)
  compiled = lowered.compile()
  compile_seconds = time.perf_counter() - start
  runs = _times(lambda: compiled(variables, clips), seconds)
  median = float(np.median(runs))
  flops = (lowered.cost_analysis() or {}).get("flops")
  products = count.multiply_adds(forward, variables, clips)
  return Timing(
    batch_size,
    compile_seconds,
    1e3 * median,
    1e3 * float(np.percentile(runs, 95)),
    batch_size / median,
    len(runs),
    _peak(compiled),
    flops / batch_size if flops else None,
    products // batch_size,
  )


def _variables(saved: SavedModel) -> dict[str, Any]:
  """Returns the network's variables; texts need no names here."""
  number = saved.description["num_classes"] or len(saved.class_names) or _TEXTS
  texts = stand_in_texts(saved.network, number)
  if texts:
    return {**fold_batch_norm(saved.variables), "inputs": texts}
  return prepare_variables(saved)


def _times(run: Callable[[], Any], seconds: float) -> list[float]:
  """Returns the seconds of each run, after two that are not timed."""
  for _ in range(2):
    jax.block_until_ready(run())
  times, fewest, most = [], *RUNS
  while len(times) < fewest or (sum(times) < seconds and len(times) < most):
    start = time.perf_counter()
    jax.block_until_ready(run())
    times.append(time.perf_counter() - start)
  return times


def _peak(compiled: jax.stages.Compiled) -> int | None:
  """Returns the bytes that a program holds at once, at most."""
  memory = compiled.memory_analysis()
  if memory is None:
    return None
  return (
    memory.argument_size_in_bytes
    + memory.output_size_in_bytes
    + memory.temp_size_in_bytes
    - memory.alias_size_in_bytes
  )
