import time

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.training.device_feed import Feed


class _Running:
  """Stands for an array that is ready after some seconds."""

  def __init__(self, seconds):
    self._ready = time.perf_counter() + seconds

  def block_until_ready(self):
    time.sleep(max(self._ready - time.perf_counter(), 0))
    return self


def _slow(seconds):
  for i in range(10):
    time.sleep(seconds)
    yield {"number": np.full((), i)}


def _feed(batches):
  return Feed(batches, lambda batch: jax.tree.map(jnp.asarray, batch))


def test_batches_come_in_order():
  with _feed(_slow(0)) as feed:
    numbers = []
    for i in range(6):
      batch = feed.take()
      numbers.append(int(batch["number"]))
      if i % 2:
        feed.fetch(running=batch["number"])
  assert numbers == list(range(6))


def test_a_busy_device_does_not_wait():
  with _feed(_slow(0.02)) as feed:
    feed.take()
    before = feed.waited
    feed.fetch(running=_Running(0.5))
    assert feed.waited == before


def test_an_idle_device_waits_for_what_it_takes():
  with _feed(_slow(0.3)) as feed:
    feed.take()
    before = feed.waited
    assert before >= 0.3
    feed.fetch(running=_Running(0.1))
    assert 0.1 < feed.waited - before <= 0.5
