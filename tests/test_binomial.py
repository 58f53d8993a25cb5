import math

import pytest

from temporal_jax.binomial import chance_of_at_most, wilson_interval


@pytest.mark.parametrize(("right", "total"), [(5, 10), (1, 2), (12, 12), (0, 2)])
def test_ends_are_as_far_as_chance_goes(right, total):
  share = right / total
  low, high = wilson_interval(share, total)
  assert 0 <= low <= share <= high <= 1
  for end in {low, high} - {0.0, 1.0}:
    chance = 1.959964 * math.sqrt(end * (1 - end) / total)
    assert abs(share - end) == pytest.approx(chance)


@pytest.mark.parametrize(("right", "total", "share"), [(0, 2, 0.9), (3, 6, 0.94)])
def test_chance_of_few_right_ones(right, total, share):
  want = sum(
    math.comb(total, k) * share**k * (1 - share) ** (total - k)
    for k in range(right + 1)
  )
  assert chance_of_at_most(right, total, share) == pytest.approx(want)
  assert chance_of_at_most(total, total, share) == pytest.approx(1)


def test_twelve_of_twelve():
  assert wilson_interval(1.0, 12) == (pytest.approx(0.7575, abs=1e-4), 1.0)
