import numpy as np
import pytest

from temporal_jax.evaluation import metrics


@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_top_k_matches_counting(k):
  rng = np.random.default_rng(k)
  scores = rng.random((50, 5))
  labels = rng.integers(0, 5, 50)
  hits = [
    sum(score > row[label] for score in row) < k
    for row, label in zip(scores, labels, strict=True)
  ]
  assert metrics.top_k(scores, labels, k) == np.mean(hits)


def test_no_clips_no_score():
  assert metrics.top_k(np.zeros((0, 5)), np.zeros(0, int), 1) == 0.0


def test_confusion_counts_rows_true_columns_predicted():
  got = metrics.confusion_matrix(
    np.array([1, 1, 0, 2]), np.array([0, 0, 0, 2]), 3
  )
  np.testing.assert_array_equal(got, [[1, 2, 0], [0, 0, 0], [0, 0, 1]])


def _naive_average_precision(scores, true):
  """Steps of precision over recall, down through the distinct scores."""
  area, recall = 0.0, 0.0
  for threshold in sorted(set(scores), reverse=True):
    chosen = [t for s, t in zip(scores, true, strict=True) if s >= threshold]
    precision = sum(chosen) / len(chosen)
    area += (sum(chosen) / sum(true) - recall) * precision
    recall = sum(chosen) / sum(true)
  return area


@pytest.mark.parametrize("levels", [3, 1000])
def test_average_precisions_match_the_area_under_the_curve(levels):
  rng = np.random.default_rng(levels)
  scores = rng.integers(0, levels, (40, 4)) / levels  # With few levels, ties.
  labels = (rng.random((40, 4)) < 0.3).astype(np.float32)
  labels[:, 2] = 0
  got = metrics.average_precisions(scores, labels)
  assert np.isnan(got[2])
  for i in (0, 1, 3):
    want = _naive_average_precision(scores[:, i], labels[:, i])
    np.testing.assert_allclose(got[i], want, rtol=1e-6)
