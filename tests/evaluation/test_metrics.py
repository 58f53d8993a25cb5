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
  np.testing.assert_array_equal(metrics.top_k_hits(scores, labels, k), hits)


def test_confusion_counts_rows_true_columns_predicted():
  got = metrics.confusion_matrix(np.array([1, 1, 0, 2]), np.array([0, 0, 0, 2]), 3)
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


@pytest.mark.parametrize("views", [None, 3])
@pytest.mark.parametrize("k", [1, 5])
def test_pairs_match_a_loop_over_all_of_them(views, k, monkeypatch):
  monkeypatch.setattr(metrics, "_PAIRS_AT_ONCE", 50)  # In parts of 2 clips.
  rng = np.random.default_rng(k)
  middle = () if views is None else (views,)
  verbs = rng.random((9, *middle, 4))
  nouns = rng.random((9, *middle, 6))
  labels = np.stack([rng.integers(0, 4, 9), rng.integers(0, 6, 9)], axis=1)
  hits = []
  for n in range(9):
    score = {}
    for i in range(4):
      for j in range(6):
        if views is None:
          score[i, j] = verbs[n, i] * nouns[n, j]
        else:
          score[i, j] = sum(verbs[n, v, i] * nouns[n, v, j] for v in range(3))
    best = sorted(score, key=score.get, reverse=True)[:k]
    hits.append(tuple(labels[n]) in best)
  assert 0 < sum(hits) < 9 or k == 1
  got = metrics.pair_top_k_hits(verbs, nouns, labels, k)
  np.testing.assert_array_equal(got, hits)


def test_views_of_a_pair_are_averaged_after_the_product():
  verbs = np.array([[[0.9, 0.1], [0.1, 0.9]]])
  nouns = np.array([[[0.9, 0.1], [0.1, 0.9]]])
  # Averaged before, all four pairs would score 0.25.
  assert metrics.pair_top_k_hits(verbs, nouns, np.array([[1, 1]]), 2)[0]
  assert not metrics.pair_top_k_hits(verbs, nouns, np.array([[0, 1]]), 2)[0]


def test_equal_pairs_do_not_all_count():
  flat = np.full((1, 3), 1 / 3)
  assert metrics.pair_top_k_hits(flat, flat, np.array([[0, 2]]), 3)[0]
  assert not metrics.pair_top_k_hits(flat, flat, np.array([[1, 0]]), 3)[0]


def test_pairs_of_other_clips_are_refused():
  with pytest.raises(ValueError, match=r"\(2, 3\), \(3, 4\)"):
    metrics.pair_top_k_hits(np.ones((2, 3)), np.ones((3, 4)), np.ones((2, 2)), 1)


def test_accuracy_of_each_class():
  got = metrics.class_accuracies(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 3]), 4)
  np.testing.assert_array_equal(got, [0.5, 1.0, np.nan, 0.0])


def test_average_precision_takes_one_class_a_clip():
  rng = np.random.default_rng(0)
  scores, labels = rng.random((20, 3)), rng.integers(0, 3, 20)
  got = metrics.average_precisions(scores, labels)
  for i in range(3):
    want = _naive_average_precision(scores[:, i], (labels == i).astype(int))
    np.testing.assert_allclose(got[i], want, rtol=1e-6)


def _official_charades(scores, labels):
  """Minus infinity for clips without a class, then ranks one by one."""
  values = []
  for number in range(scores.shape[1]):
    ranked = sorted(
      (
        (score if any(clip) else -np.inf, clip[number])
        for score, clip in zip(scores[:, number], labels, strict=True)
      ),
      reverse=True,
    )
    hits, precisions = 0, []
    for rank, (_, true) in enumerate(ranked, start=1):
      if true:
        hits += 1
        precisions.append(hits / rank)
    values.append(np.mean(precisions) if precisions else np.nan)
  return values


def test_charades_ranks_clips_without_a_class_last():
  rng = np.random.default_rng(5)
  scores = rng.random((40, 4))  # No two are equal.
  labels = (rng.random((40, 4)) < 0.25).astype(np.float32)
  labels[:, 2] = 0
  without = ~labels.any(axis=1)
  assert 5 < without.sum() < 35
  got = metrics.charades_precisions(scores, labels)
  np.testing.assert_allclose(got, _official_charades(scores, labels))
  plain = metrics.average_precisions(scores, labels)
  assert np.all(got[[0, 1, 3]] > plain[[0, 1, 3]])
  np.testing.assert_array_equal(
    metrics.charades_precisions(scores[~without], labels[~without]), got
  )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_refused(bad):
  rng = np.random.default_rng(0)
  scores, labels = rng.random((9, 3)), rng.integers(0, 3, 9)
  several = np.eye(3)[labels]
  several[2] = 0
  pairs = np.stack([labels, labels], axis=1)
  scores[[2, 7], 1] = bad
  message = "scores of 2 of 9 clips are NaN or infinite: row 2, row 7"
  for call in (
    lambda: metrics.top_k_hits(scores, labels, 1),
    lambda: metrics.pair_top_k_hits(scores, np.ones((9, 3)), pairs, 1),
    lambda: metrics.pair_top_k_hits(np.ones((9, 3)), scores, pairs, 1),
    lambda: metrics.average_precisions(scores, labels),
    lambda: metrics.charades_precisions(scores, several),
  ):
    with pytest.raises(ValueError, match=message):
      call()
