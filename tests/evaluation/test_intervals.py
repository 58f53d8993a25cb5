import numpy as np
import pytest

from temporal_jax import evaluation
from temporal_jax.binomial import wilson_interval
from temporal_jax.evaluation import intervals

NAMES = tuple(f"clip {i}" for i in range(40))


def _one_class(classes=3, seed=0):
  rng = np.random.default_rng(seed)
  # Few levels of scores: ties.
  scores = np.round(rng.dirichlet(np.ones(classes), len(NAMES)), 1)
  return evaluation.Predictions(NAMES, rng.integers(0, classes, len(NAMES)), scores)


def _several_classes(empty):
  rng = np.random.default_rng(1)
  labels = (rng.random((len(NAMES), 3)) < 0.4).astype(np.float32)
  labels[: len(NAMES) // 2, 0] = 1
  labels[-1] = 0 if empty else 1
  return evaluation.Predictions(NAMES, labels, rng.random((len(NAMES), 3)))


def _tasks():
  rng = np.random.default_rng(2)
  scores = {task: rng.dirichlet(np.ones(6), len(NAMES)) for task in ("verb", "noun")}
  return evaluation.Predictions(NAMES, rng.integers(0, 6, (len(NAMES), 2)), scores)


PREDICTIONS = {
  "three classes": _one_class(),
  "seven classes": _one_class(7),
  "several classes": _several_classes(False),
  "some without": _several_classes(True),
  "tasks": _tasks(),
}


@pytest.mark.parametrize("name", PREDICTIONS)
def test_weights_count_as_repeated_clips(name):
  predictions = PREDICTIONS[name]
  rows = np.random.default_rng(3).integers(0, len(NAMES), (4, len(NAMES)))
  rows[0] = np.arange(len(NAMES))
  weights = np.stack([np.bincount(row, minlength=len(NAMES)) for row in rows], axis=1)
  statistics = intervals._statistics(predictions)
  want = [evaluation.accuracies(predictions.take(row)) for row in rows]
  assert list(statistics) == list(want[0])
  for key, statistic in statistics.items():
    got = statistic(weights.astype(np.float32))
    np.testing.assert_allclose(got, [one[key] for one in want], rtol=1e-5)


def test_intervals_are_those_of_the_percentile_bootstrap(monkeypatch):
  predictions = _one_class()
  found = evaluation.accuracy_intervals(predictions)
  right = predictions.predicted == predictions.labels
  rng = np.random.default_rng(9)
  shares = [right[rng.integers(0, 40, 40)].mean() for _ in range(4000)]
  np.testing.assert_allclose(
    found["values"]["top1"], np.percentile(shares, (2.5, 97.5)), atol=0.026
  )
  assert found["unit"] == "clip"
  assert found["units"] == 40
  assert evaluation.accuracy_intervals(predictions) == found
  monkeypatch.setattr(intervals, "_AT_ONCE", 40 * 7)  # Resamples in parts.
  assert evaluation.accuracy_intervals(predictions) == found


def test_clips_of_a_group_are_drawn_together():
  # Four films of ten equal clips: as uncertain as four clips.
  right = np.repeat([1, 0, 1, 0], 10)
  scores = np.stack([right, 1 - right], axis=1).astype(np.float32)
  films = evaluation.Predictions(NAMES, np.zeros(40, int), scores)
  groups = {name: f"film {place // 10}" for place, name in enumerate(NAMES)}
  found = evaluation.accuracy_intervals(films, groups)
  assert (found["unit"], found["units"]) == ("group", 4)
  assert found["values"]["top1"] == [0.0, 1.0]
  low, high = evaluation.accuracy_intervals(films)["values"]["top1"]
  assert 0.3 < low < 0.5 < high < 0.7
  single = evaluation.accuracy_intervals(films, dict.fromkeys(NAMES, "film"))
  assert single["values"]["top1"] is None


def test_two_right_clips_of_two_prove_little():
  scores = np.array([[0.9, 0.1], [0.2, 0.8]])
  both = evaluation.Predictions(("a", "b"), np.array([0, 1]), scores)
  values = evaluation.accuracy_intervals(both)["values"]
  assert values["top1"] == list(wilson_interval(1.0, 2))


def test_groups_that_are_all_alike_prove_no_more_than_their_number():
  right = np.tile([1, 0, 0], 3)  # A third of each film.
  scores = np.stack([right, 1 - right], axis=1).astype(np.float32)
  films = evaluation.Predictions(NAMES[:9], np.zeros(9, int), scores)
  groups = {name: f"film {place // 3}" for place, name in enumerate(NAMES[:9])}
  found = evaluation.accuracy_intervals(films, groups)["values"]["top1"]
  np.testing.assert_allclose(found, wilson_interval(1 / 3, 3), atol=1e-6)
