import numpy as np
import pytest

from temporal_jax import evaluation


def _softmax(logits):
  odds = np.exp(logits)
  return odds / odds.sum(axis=-1, keepdims=True)


@pytest.fixture
def logits():
  return np.random.default_rng(0).normal(size=(6, 4, 5)) * 3


@pytest.mark.parametrize("weights", [None, (1, 2, 3, 4)])
@pytest.mark.parametrize("fusion", evaluation.FUSIONS)
def test_views_are_averaged_as_said(logits, fusion, weights):
  got = evaluation.average_views(_softmax(logits), fusion=fusion, weights=weights)
  share = [1, 1, 1, 1] if weights is None else weights
  for row in range(6):
    if fusion == "softmax":
      parts = [s * _softmax(logits[row, v]) for v, s in enumerate(share)]
      want = sum(parts) / sum(share)
    else:
      parts = [s * logits[row, v] for v, s in enumerate(share)]
      want = _softmax(sum(parts) / sum(share))
    np.testing.assert_allclose(got[row], want, rtol=1e-6)


def test_the_two_averages_differ_where_a_view_is_sure():
  views = np.array([[[0.99, 0.01], [0.05, 0.95]]])
  softmax, logits = (
    evaluation.average_views(views, fusion=name) for name in evaluation.FUSIONS
  )
  np.testing.assert_allclose(softmax, [[0.52, 0.48]])
  odds = np.sqrt(0.99 / 0.01 * 0.05 / 0.95)
  np.testing.assert_allclose(logits[0, 0], odds / (1 + odds), rtol=1e-6)


def test_a_probability_rounded_to_zero_stays_finite():
  views = np.array([[[1, 0], [0.5, 0.5]]], np.float32)
  got = evaluation.average_views(views, fusion="logits")
  assert np.all(np.isfinite(got))
  assert got.dtype == np.float32


@pytest.mark.parametrize(
  ("views", "options", "message"),
  [
    (np.ones((2, 3)), {}, r"must be \(N, V, L\), got \(2, 3\)"),
    (np.ones((2, 0, 3)), {}, r"got \(2, 0, 3\)"),
    (np.ones((2, 3, 4)), {"fusion": "max"}, r"one of \['softmax', 'logits'\]"),
    (np.ones((2, 3, 4)), {"weights": (1, 2)}, "3 numbers above 0"),
    (np.ones((2, 3, 4)), {"weights": (1, 0, 2)}, "3 numbers above 0"),
    (np.ones((2, 3, 4)), {"fusion": "logits"}, "got a sum of 4"),
  ],
)
def test_wrong_views_are_refused(views, options, message):
  with pytest.raises(ValueError, match=message):
    evaluation.average_views(views, **options)


def test_accuracy_by_clips_uses_clips_of_the_whole_video():
  # Only the views of clip 2 know the class, out of 4 clips x 2 crops.
  views = np.full((1, 8, 2), [0.6, 0.4])
  views[:, 4:6] = [0.0, 1.0]
  labels = np.array([1])
  got = evaluation.accuracy_by_clips(views, labels, num_crops=2)
  # 1 clip: the third; 2: the second and fourth; 3: 1st, 3rd, 4th.
  assert got == {1: 1.0, 2: 0.0, 3: 1.0, 4: 1.0}
  with pytest.raises(ValueError, match="8 views are no multiple of 3 crops"):
    evaluation.accuracy_by_clips(views, labels, num_crops=3)


def test_rows_of_one_name_become_views():
  scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])
  rows = evaluation.Predictions(("a", "b", "a", "b"), np.array([0, 1, 0, 1]), scores)
  got = evaluation.group_views(rows)
  assert got.ids == ("a", "b")
  np.testing.assert_array_equal(got.labels, [0, 1])
  np.testing.assert_array_equal(got.views[0], scores[[0, 2]])
  np.testing.assert_allclose(got.scores, [[0.6, 0.4], [0.4, 0.6]])


@pytest.mark.parametrize(
  ("ids", "labels", "message"),
  [
    ("aab", [0, 0, 1], "1 to 2 views, b has 1"),
    ("aabb", [0, 1, 1, 1], "different labels"),
  ],
)
def test_views_that_do_not_belong_together_are_refused(ids, labels, message):
  rows = evaluation.Predictions(
    tuple(ids), np.array(labels), np.full((len(ids), 2), 0.5)
  )
  with pytest.raises(ValueError, match=message):
    evaluation.group_views(rows)


def test_tasks_are_averaged_each():
  rng = np.random.default_rng(1)
  views = {"verb": rng.random((3, 2, 4)), "noun": rng.random((3, 2, 5))}
  got = evaluation.from_views("abc", np.zeros((3, 2), int), views)
  for task, values in views.items():
    np.testing.assert_allclose(got.scores[task], values.mean(axis=1))
    assert got.views[task] is values
