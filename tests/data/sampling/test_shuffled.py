import numpy as np
import pytest

from temporal_jax.data.sampling import Lengths, parse_sampling, sample_indices


def test_frames_are_those_of_the_rule_in_any_order():
  rule, rng = parse_sampling("shuffled('dense(2)')"), np.random.default_rng(0)
  orders = np.stack([rule.choose(Lengths(16, 8), rng=rng) for _ in range(2000)])
  starts = np.sort(orders, axis=1)
  assert {*starts[:, 0]} == {0, 1}
  assert (np.diff(starts, axis=1) == 2).all()
  # Every frame is at every place, each as often.
  for place in orders.T:
    share = np.bincount(place // 2, minlength=8) / len(orders)
    np.testing.assert_allclose(share, 1 / 8, atol=0.03)


def test_the_order_of_a_test_is_always_the_same():
  first, again = (
    [sample_indices(16, 8, sampling="shuffled('dense(2)')", clip=k, num_clips=3)]
    for k in (0, 0)
  )
  np.testing.assert_array_equal(first, again)
  clips = np.stack(
    [
      sample_indices(40, 8, sampling="shuffled('dense(2)')", clip=k, num_clips=3)
      for k in range(3)
    ]
  )
  known = np.stack(
    [sample_indices(40, 8, sampling="dense(2)", clip=k, num_clips=3) for k in range(3)]
  )
  np.testing.assert_array_equal(np.sort(clips, 1), known)
  places = {tuple(clip - clip.min()) for clip in clips}
  assert len(places) == 3  # Clips of a video have different orders.


@pytest.mark.parametrize(
  ("sampling", "message"),
  [
    ("shuffled", "rule"),
    ("shuffled('dnse')", "did you mean 'dense'"),
    ("shuffled(2)", "in quotes"),
    ("shuffled('shuffled(\"dense\")')", "not shuffled again"),
  ],
)
def test_refuses_what_is_no_rule(sampling, message):
  with pytest.raises(ValueError, match=message):
    parse_sampling(sampling)


def test_the_other_rule_is_checked():
  with pytest.raises(ValueError, match="clips"):
    sample_indices(
      40, 8, sampling="shuffled('rounded_segments(\"borders\")')", clip=3, num_clips=4
    )
