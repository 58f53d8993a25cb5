import math
import time

import numpy as np
import pytest

from temporal_jax.localization import nms, soft_nms, vote
from tests.support.naive_scores import overlap


def _sequential(segments, scores, labels, weight, min_score, most):
  """Suppression one candidate after the other, from its definition."""
  kept = []
  for label in sorted(set(labels)):
    left = {i: scores[i] for i in range(len(scores)) if labels[i] == label}
    while left:
      best = max(left, key=lambda i: (left[i], -i))
      if left[best] < min_score:
        break
      kept.append((best, left.pop(best)))
      for i in list(left):
        factor = weight(overlap(segments[i], segments[best]), segments[best])
        if factor is None:
          del left[i]
        else:
          left[i] *= factor
  kept.sort(key=lambda one: (-one[1], one[0]))
  return kept[:most]


def _draw(rng):
  count = int(rng.integers(0, 25))
  if rng.random() < 0.5:  # Times and scores that are often equal.
    starts = rng.integers(0, 10, count) / 2
    ends = starts + rng.integers(0, 8, count) / 2
    scores = rng.integers(0, 9, count) / 8
  else:
    starts = rng.uniform(0, 20, count)
    ends = starts + rng.uniform(0, 8, count)
    scores = rng.random(count)
  return np.stack([starts, ends], axis=1), scores, rng.integers(0, 3, count)


def _agrees_with_loops(seed):
  rng = np.random.default_rng(seed)
  segments, scores, labels = _draw(rng)
  by_class = rng.random() < 0.5
  sigma, min_score = rng.uniform(0.2, 1), float(rng.choice([0.0, 0.001, 0.3]))
  low, high = np.sort(rng.choice([0.0, 0.25, 0.5, 0.9], 2)).tolist()
  overlap_from = (0.4, 0.0, 1.0)[seed % 3]
  most = int(rng.integers(1, 30)) if rng.random() < 0.5 else None
  options = {"min_score": min_score, "max_segments": most}

  def limit(chosen):
    return low + (high - low) * (chosen[1] - chosen[0]) / 10

  def gaussian(iou, chosen):
    return math.exp(-(iou**2) / sigma) if iou > limit(chosen) else 1.0

  def linear(iou, chosen):
    return 1.0 - iou if iou >= limit(chosen) else 1.0

  def hard(iou, chosen):
    return None if iou >= overlap_from and iou > 0 else 1.0

  soft = {"sigma": sigma, "threshold": (low, high), "duration": 10.0, **options}
  given = (segments, scores, labels if by_class else None)
  wanted_labels = (labels if by_class else np.zeros_like(labels)).tolist()
  for got, weight in (
    (soft_nms(*given, **soft), gaussian),
    (soft_nms(*given, method="linear", **soft), linear),
    (nms(*given, threshold=overlap_from, **options), hard),
  ):
    plain = (segments.tolist(), scores.tolist(), wanted_labels)
    want = _sequential(*plain, weight, min_score, most)
    assert got.indices.tolist() == [index for index, _ in want]
    np.testing.assert_allclose(
      got.scores, [score for _, score in want], rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("seed", range(40))
def test_equals_the_sequential_definition(seed):
  _agrees_with_loops(seed)


@pytest.mark.slow
def test_equals_the_sequential_definition_on_1000_sets():
  for seed in range(1000):
    _agrees_with_loops(seed)


def test_many_candidates_equal_the_sequential_definition():
  """Suppressed ones are cleared away on the way."""
  rng = np.random.default_rng(0)
  starts = rng.uniform(0, 60, 300)
  segments = np.stack([starts, starts + rng.uniform(0, 9, 300)], axis=1)
  scores = rng.random(300)
  got = soft_nms(segments, scores, sigma=0.4, min_score=0.01)
  want = _sequential(
    segments.tolist(),
    scores.tolist(),
    [0] * 300,
    lambda iou, _: math.exp(-(iou**2) / 0.4),
    0.01,
    None,
  )
  assert 100 < len(want) < 300
  assert got.indices.tolist() == [index for index, _ in want]


@pytest.mark.slow
@pytest.mark.parametrize("film", [20, 200, 100_000])
@pytest.mark.parametrize("min_score", [0.0, 0.001])
def test_ten_thousand_candidates_take_less_than_a_second(film, min_score):
  rng = np.random.default_rng(0)
  starts = rng.uniform(0, film, 10_000)
  segments = np.stack([starts, starts + rng.uniform(1, 20, 10_000)], axis=1)
  scores = rng.random(10_000)
  began = time.process_time()
  soft_nms(segments, scores, min_score=min_score)
  assert time.process_time() - began < 1


def test_voting_is_a_mean_with_weights():
  candidates = np.array([[0.0, 10.0], [0.0, 9.0], [5.0, 10.0], [20.0, 30.0]])
  scores = np.array([0.5, 0.4, 1.0, 0.0])
  got = vote(candidates[[0, 3]], candidates, scores, threshold=0.9)
  weights = np.array([0.5, 0.4 * 0.9])
  want = weights @ candidates[:2] / weights.sum()
  # Segments without weight stay.
  np.testing.assert_allclose(got, [want, candidates[3]], rtol=0, atol=1e-12)
  assert vote(candidates[:0], candidates, scores, threshold=0.9).shape == (0, 2)
  with pytest.raises(ValueError, match=r"threshold must be a number in"):
    vote(candidates, candidates, scores, threshold=0.0)


def test_nothing_stays_nothing():
  got = soft_nms(np.zeros((0, 2)), np.zeros(0), np.zeros(0, int))
  assert got.indices.dtype == np.int64
  assert not len(got.indices)
  assert not len(got.scores)


@pytest.mark.parametrize(
  ("change", "message"),
  [
    ({"segments": [[1, 0]]}, "1 of 1 segments end before they start"),
    ({"segments": [[0, np.nan]]}, "not finite"),
    ({"scores": [np.nan]}, "not finite"),
    ({"scores": [-1]}, "negative"),
    ({"segments": [0, 1]}, r"\(N, 2\) and \(N,\), got \(2,\) and \(1,\)"),
    ({"labels": [1, 2]}, r"labels must be \(1,\), got \(2,\)"),
    ({"method": "cosine"}, "method must be one of"),
    ({"sigma": 0}, "sigma must be a number"),
    ({"threshold": (0.5, 2)}, "threshold must be a number in"),
    ({"threshold": (0.5,)}, r"number or \(low, high\)"),
    ({"duration": 0}, "duration must be"),
    ({"max_segments": 0}, "max_segments must be an integer of at least 1"),
    ({"min_score": -1}, "min_score must be"),
  ],
)
def test_wrong_candidates_are_refused(change, message):
  good = {"segments": [[0.0, 1.0]], "scores": [0.5]}
  with pytest.raises(ValueError, match=message):
    soft_nms(**{**good, **change})
