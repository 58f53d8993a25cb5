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
