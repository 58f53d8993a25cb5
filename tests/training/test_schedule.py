"""Every schedule against the loop of its own code, in NumPy and epochs."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.training.schedule import create_schedule


def _all_steps(name, num_steps, **kwargs):
  schedule = jax.jit(create_schedule(name, num_steps=num_steps, **kwargs))
  rates = schedule(jnp.arange(num_steps))
  assert rates.dtype == jnp.float32
  return rates


def _assert_same(got, want):
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6 * max(want))


def test_atm():
  epochs, steps_per_epoch, warmup_epochs = 20, 7, 5
  peak, end, start = 7e-4, 1e-6, 1e-5
  warmup = np.linspace(start, peak, warmup_epochs * steps_per_epoch)
  rest = epochs * steps_per_epoch - len(warmup)
  want = list(warmup) + [
    end + (peak - end) / 2 * (1 + math.cos(math.pi * i / rest)) for i in range(rest)
  ]
  got = _all_steps(
    "cosine_inclusive",
    num_steps=140,
    peak=peak,
    end=end,
    start=start,
    warmup_steps=35,
  )
  _assert_same(got, want)
  np.testing.assert_allclose(
    np.asarray(got)[[0, 34, 35]], [start, peak, peak], rtol=1e-6
  )


def test_atm_of_one_warmup_step():
  """NumPy's linspace(start, peak, 1) has the start."""
  got = _all_steps(
    "cosine_inclusive", num_steps=3, peak=1.0, start=0.25, warmup_steps=1
  )
  _assert_same(got, [0.25, 1.0, 0.5])


def _in_epochs(policy, epochs, steps_per_epoch, warmup_epochs, start):
  """X-ViT's and TAda's loop: the epoch is a fraction, so is the warm-up."""
  rates = []
  for i in range(epochs * steps_per_epoch):
    epoch = i / steps_per_epoch
    rate = policy(epoch)
    if epoch < warmup_epochs:
      slope = (policy(warmup_epochs) - start) / warmup_epochs
      rate = epoch * slope + start
    rates.append(rate)
  return rates


@pytest.mark.parametrize("warmup", [0, 2.5])
@pytest.mark.parametrize("end", [0, 1e-4])
def test_xvit_and_tada2d(warmup, end):
  peak, epochs = 0.03, 12
  start = 0.003 if warmup else 0

  def policy(epoch):
    return end + (peak - end) * (math.cos(math.pi * epoch / epochs) + 1) / 2

  got = _all_steps(
    "cosine_whole_run",
    num_steps=epochs * 5,
    peak=peak,
    end=end,
    start=start,
    warmup_steps=warmup * 5,
  )
  _assert_same(got, _in_epochs(policy, epochs, 5, warmup, start))


def test_tadaformer():
  peak, end, start, epochs, warmup = 5e-4, 1e-6, 1e-8, 24, 2.5

  def policy(epoch):
    passed = (epoch - warmup) / (epochs - warmup)
    return end + (peak - end) * (math.cos(math.pi * passed) + 1) / 2

  got = _all_steps(
    "cosine",
    num_steps=epochs * 3,
    peak=peak,
    end=end,
    start=start,
    warmup_steps=warmup * 3,
  )
  _assert_same(got, _in_epochs(policy, epochs, 3, warmup, start))


def test_ila():
  """The cosine began at step 0, so that there is a drop after the warm-up."""
  total, warmup, peak, end = 50, 5, 8e-5, 8e-8
  want = [
    peak * t / warmup
    if t < warmup
    else end + 0.5 * (peak - end) * (1 + math.cos(math.pi * t / total))
    for t in range(total)
  ]
  got = _all_steps(
    "cosine_drop", num_steps=total, peak=peak, end=end, warmup_steps=warmup
  )
  _assert_same(got, want)
  assert got[5] < 0.98 * peak
  schedule = create_schedule(
    "cosine_drop", num_steps=total, peak=peak, warmup_steps=4.5
  )
  np.testing.assert_allclose(schedule(4), peak * 4 / 4.5, rtol=1e-6)


def test_blvnet():
  epochs, steps_per_epoch, peak = 50, 3, 0.01
  want = [
    peak / 2 * (1 + math.cos(math.pi * epoch / epochs))
    for epoch in range(epochs)
    for _ in range(steps_per_epoch)
  ]
  got = _all_steps(
    "cosine_by_epoch",
    num_steps=epochs * steps_per_epoch,
    peak=peak,
    steps_per_epoch=steps_per_epoch,
  )
  _assert_same(got, want)


def test_resnets_of_atm():
  want = [0.01] * 60 + [0.001] * 30 + [1e-4] * 20 + [1e-5] * 10
  got = _all_steps("multistep", num_steps=120, peak=0.01, milestones=(60, 90, 110))
  _assert_same(got, want)
  warm = _all_steps("multistep", num_steps=8, peak=1.0, milestones=(6,), warmup_steps=4)
  _assert_same(warm, [0, 0.25, 0.5, 0.75, 1, 1, 0.1, 0.1])


def test_constant():
  got = _all_steps("constant", num_steps=5, peak=2.0, warmup_steps=2, start=1.0)
  _assert_same(got, [1, 1.5, 2, 2, 2])


def test_the_step_after_the_run_has_the_end():
  for name in ("cosine", "cosine_inclusive", "cosine_whole_run", "cosine_drop"):
    schedule = create_schedule(name, num_steps=10, peak=1.0, end=0.25, warmup_steps=2)
    assert schedule(10) == schedule(12) == 0.25


@pytest.mark.parametrize(
  ("change", "message"),
  [
    ({"name": "cosin"}, r"unknown schedule 'cosin'; did you mean 'cosine'"),
    ({"warmup_steps": 10}, r"warmup_steps must be in \[0, num_steps\), got 10"),
    ({"warmup_steps": -1}, r"warmup_steps must be in \[0, num_steps\), got -1"),
    ({"num_steps": 0}, r"warmup_steps must be in \[0, num_steps\), got 0 of 0"),
    ({"peak": -1.0}, "peak must be 0 or above, got -1.0"),
    ({"end": float("nan")}, "end must be 0 or above, got nan"),
    ({"start": 0.1}, "start 0.1 is of a warm-up, but warmup_steps is 0"),
    (
      {"name": "cosine_inclusive", "warmup_steps": 2.5},
      "needs whole warmup_steps, got 2.5",
    ),
    ({"name": "constant", "end": 0.1}, "constant has no end, got 0.1"),
    ({"name": "cosine_by_epoch"}, "needs steps_per_epoch, got 0"),
    ({"milestones": (3,)}, r"milestones are for multistep.* got cosine"),
    ({"name": "multistep"}, r"which needs them; got multistep and \(\)"),
    ({"name": "multistep", "milestones": (6, 3)}, r"must rise .* got \(6, 3\)"),
    ({"name": "multistep", "milestones": (3, 3)}, r"must rise .* got \(3, 3\)"),
    ({"name": "multistep", "milestones": (10,)}, r"must rise .* num_steps 10"),
    (
      {"name": "multistep", "milestones": (2,), "warmup_steps": 2},
      "must rise between the warm-up's end 2",
    ),
  ],
)
def test_what_makes_no_sense_is_refused(change, message):
  with pytest.raises(ValueError, match=message):
    create_schedule(**{"name": "cosine", "peak": 1.0, "num_steps": 10} | change)
