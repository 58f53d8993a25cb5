import math

import pytest

from temporal_jax.binomial import wilson_interval


@pytest.mark.parametrize(("right", "total"), [(5, 10), (1, 2), (12, 12), (0, 2)])
def test_ends_are_as_far_as_chance_goes(right, total):
  share = right / total
  low, high = wilson_interval(share, total)
  assert 0 <= low <= share <= high <= 1
  for end in {low, high} - {0.0, 1.0}:
    chance = 1.959964 * math.sqrt(end * (1 - end) / total)
    assert abs(share - end) == pytest.approx(chance)


def test_twelve_of_twelve():
  assert wilson_interval(1.0, 12) == (pytest.approx(0.7575, abs=1e-4), 1.0)
