"""The order of training videos is that of chance, and old runs keep theirs."""

import numpy as np
import pytest

from temporal_jax.data.pipeline import permutation, train_batches

_LAGS = 64
# Eleven videos of seed 3, over two epochs, as runs had it before.
OLD_ORDER = [
  *(4, 6, 9, 7, 5, 3, 1, 8, 10, 0, 2),
  *(8, 1, 3, 7, 9, 10, 5, 4, 2, 6, 0),
]
FIRST = [885, 256, 120, 446, 331]  # For 1000 videos, seed 3; never to change.
_PLACES = 100_000  # Noise of a correlation: 1 / sqrt(places), 0.003.


def _noise(numbers, count, batch=64):
  """Distance of an order from chance, in standard deviations.

  Returns:
    The largest correlation of a lag of 1 to 64, and what the means of batches
    spread too much or too little.
  """
  uniform = (np.asarray(numbers) + 0.5) / count - 0.5
  values = uniform * np.sqrt(12)  # Variance 1.
  lags = [
    np.sqrt(len(values) - lag) * np.mean(values[lag:] * values[:-lag])
    for lag in range(1, _LAGS + 1)
  ]
  means = values[: len(values) // batch * batch].reshape(-1, batch).mean(axis=1)
  spread = np.sqrt(batch) * np.std(means) - 1
  return np.abs(lags).max(), abs(spread) * np.sqrt(2 * len(means))


@pytest.mark.parametrize("seed", [0, 42])
@pytest.mark.parametrize("count", [10_000, 100_000, 240_000, 1_000_000])
def test_places_do_not_correlate(count, seed):
  start = 3 * count  # Another epoch than the first.
  numbers = [
    permutation.shuffled(start + place, count, seed)
    for place in range(min(count, _PLACES))
  ]
  # The largest of 64 lags exceeds 4.5 by chance once in 2000 orders.
  correlation, spread = _noise(numbers, count)
  assert correlation < 4.5
  assert spread < 4.5


@pytest.mark.parametrize("count", [100_000, 240_000, 1_000_000])
def test_the_order_of_grain_is_found_out(count):
  """So the thresholds are such that a bad order fails."""
  order = train_batches.endless_order(count, 0, train_batches.GRAIN)
  numbers = [order[place] for place in range(_PLACES)]
  assert _noise(numbers, count)[0] > 10


@pytest.mark.parametrize("count", [1, 2, 3, 11, 1000, 65_537])
def test_every_epoch_has_every_video_once(count):
  order = train_batches.endless_order(count, 7, train_batches.FEISTEL)
  for epoch in (0, 10_000):
    places = range(epoch * count, (epoch + 1) * count)
    assert sorted(order[place] for place in places) == list(range(count))


def test_epochs_and_seeds_are_independent():
  def epoch(seed, number, count=2000):
    places = range(number * count, (number + 1) * count)
    return [permutation.shuffled(place, count, seed) for place in places]

  orders = [epoch(0, 0), epoch(0, 1), epoch(1, 0), epoch(2**32 - 1, 5)]
  correlations = np.corrcoef(orders) - np.eye(4)
  assert np.abs(correlations).max() < 4.5 / np.sqrt(2000)
  # Nor is one the other, some places later.
  assert np.mean(np.array(orders[1]) == orders[2]) < 0.01


def test_old_runs_have_the_order_of_grain():
  old = train_batches.endless_order(11, 3, train_batches.GRAIN)
  got = [old[place] for place in range(22)]
  assert got == OLD_ORDER
  new = train_batches.endless_order(11, 3, train_batches.FEISTEL)
  assert [new[place] for place in range(22)] != got
  with pytest.raises(ValueError, match=r"must be in \(1, 2\), got 8"):
    train_batches.endless_order(11, 3, 8)


def test_short_lists_have_all_their_orders():
  """The 24 orders of four videos are about as frequent over 4800 epochs."""
  orders = [
    tuple(permutation.shuffled(4 * epoch + i, 4, 5) for i in range(4))
    for epoch in range(4800)
  ]
  counts = [orders.count(one) for one in set(orders)]
  assert len(counts) == 24
  # Chi-square of 23 degrees of freedom: above 60 once in 30,000 times.
  assert sum((count - 200) ** 2 / 200 for count in counts) < 60


def test_the_order_never_changes():
  """Runs go on where they were, also with a later version."""
  got = [permutation.shuffled(place, 1000, 3) for place in range(5)]
  assert got == FIRST
