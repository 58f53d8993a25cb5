"""Random parts of films, and what of their segments stays."""

import numpy as np
import pytest

from temporal_jax.localization.training.random_crop import random_crop

_NONE = np.zeros((0, 2))


def _crop(length, segments=_NONE, seed=0, **changes):
  settings = {"most": 50, "sizes": (0.9, 1.0), "share": 0.5, "margin": 1.0}
  rng = np.random.default_rng(seed)
  return random_crop(rng, length, np.asarray(segments, float), **settings | changes)


def test_a_long_film_gives_as_many_positions_as_a_sequence_has():
  starts = set()
  for seed in range(200):
    crop = _crop(60, seed=seed)
    assert crop.stop - crop.start == 50
    assert crop.start >= 0
    assert crop.stop <= 60
    starts.add(crop.start)
  assert starts == set(range(11))


def test_a_short_film_gives_nine_tenths_to_all_of_it():
  sizes = {crop.stop - crop.start for crop in (_crop(40, seed=s) for s in range(200))}
  assert sizes == {36, 37, 38, 39, 40}
  whole = _crop(40, [[3, 9]], sizes=None)
  assert (whole.start, whole.stop) == (0, 40)
  np.testing.assert_array_equal(whole.segments, [[3, 9]])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_a_segment_stays_by_its_share_in_the_part(share):
  """Compared with the definition, segment by segment."""
  rng = np.random.default_rng(1)
  for seed in range(100):
    start = rng.uniform(0, 80, 12)
    segments = np.stack([start, start + rng.uniform(0.5, 20, 12)], axis=1)
    crop = _crop(100, segments, seed=seed, share=share)
    low, high = crop.start - 1.0, crop.stop + 1.0
    wanted = []
    for one, (begin, end) in enumerate(segments):
      inside = min(end, high) - max(begin, low)
      kept = inside > 0 and inside >= share * (end - begin)
      assert crop.kept[one] == kept
      if kept:
        wanted.append((max(begin, low) - crop.start, min(end, high) - crop.start))
    np.testing.assert_allclose(crop.segments, np.reshape(wanted, (-1, 2)))


def test_a_part_with_a_segment_is_drawn_where_there_is_one():
  for seed in range(50):
    assert _crop(500, [[20, 25]], seed=seed).kept.all()


def test_a_film_of_one_position_stays():
  crop = _crop(1)
  assert (crop.start, crop.stop) == (0, 1)
