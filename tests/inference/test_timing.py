import math

import jax.numpy as jnp
import pytest

from temporal_jax import inference
from temporal_jax.inference import timing
from temporal_jax.models.inspect import count

TINY = {"width": 8, "stage_sizes": (1,)}


@pytest.fixture(scope="module")
def saved():
  return inference.new_model(
    "resnet18", num_frames=2, image_size=16, num_classes=3, **TINY
  )


def test_a_batch_is_timed(saved):
  got = inference.time_network(saved, 2, seconds=0.01)
  assert got.batch_size == 2
  assert got.runs >= 5
  assert 0 < got.median_ms <= got.p95_ms
  assert math.isclose(got.clips_per_second, 2e3 / got.median_ms)
  assert got.compile_seconds > 0
  # By hand: the stem's 7 x 7 taps of 3 colours at 8 x 8 places, two 3 x 3
  # convolutions at 4 x 4, 8 channels, 2 frames; then 3 classes.
  taps = 2 * (49 * 3 * 8 * 64 + 2 * 9 * 8 * 8 * 16)
  assert taps <= got.multiply_adds <= taps + 2 * 8 * 3
  # Two operations each, except for taps that lie outside the frames.
  assert 1.5 * got.multiply_adds < got.flops < 2.5 * got.multiply_adds
  held = 4 * count.parameters(saved.variables) + 2 * 2 * 16 * 16 * 3
  assert held < got.peak_bytes < 100 * held


def test_times_are_those_of_runs(monkeypatch):
  clock = iter([0.0, 1.0, 1.0, 3.0, 3.0, 6.0, 6.0, 7.0, 7.0, 8.0])
  monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
  calls = []
  times = timing._times(lambda: calls.append(1) or jnp.zeros(()), 0.5)
  assert times == [1, 2, 3, 1, 1]
  assert len(calls) == 7


@pytest.mark.parametrize(("size", "seconds"), [(0, 1.0), (1, 0.0)])
def test_wrong_numbers_are_refused(saved, size, seconds):
  with pytest.raises(ValueError, match=f"got {size} and {seconds}"):
    inference.time_network(saved, size, seconds=seconds)
