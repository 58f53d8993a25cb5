"""Prefetches batches to the device, and times how long it waits."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures

import jax
import numpy as np

from temporal_jax.training.objective import Arrays


class Feed:
  """Fetches the next batch while the device works on this one.

  Use as a context manager.

  Attributes:
    waited: Seconds the device has been idle for want of a batch.
  """

  def __init__(
    self,
    batches: Iterator[Mapping[str, np.ndarray]],
    place: Callable[[Mapping[str, np.ndarray]], Arrays],
  ):
    """Wraps host batches; `place` puts one on the devices."""
    self._batches = batches
    self._place = place
    self._next: Arrays | None = None
    self._watcher = futures.ThreadPoolExecutor(1, "device-watcher")
    self.waited = 0.0

  def __enter__(self) -> "Feed":
    return self

  def __exit__(self, *exception: object) -> None:
    self._watcher.shutdown()

  def take(self) -> Arrays:
    """Returns the next batch on the devices; fetches it if need be."""
    if self._next is None:
      start = time.perf_counter()
      self._next = self._place(next(self._batches))
      self.waited += time.perf_counter() - start  # Nothing was running.
    batch, self._next = self._next, None
    return batch

  def fetch(self, running: jax.Array) -> None:
    """Fetches the next batch while the step that makes `running` works."""
    done = self._watcher.submit(_time_when_ready, running)
    start = time.perf_counter()
    self._next = self._place(next(self._batches))
    if done.done():
      self.waited += time.perf_counter() - max(start, done.result())


def _time_when_ready(array: jax.Array) -> float:
  """Waits for an array and returns the time."""
  jax.block_until_ready(array)
  return time.perf_counter()
