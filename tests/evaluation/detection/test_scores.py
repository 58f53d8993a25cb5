import time

import numpy as np
import pytest

from temporal_jax.evaluation import detection
from temporal_jax.evaluation.detection import FilmDetections, FilmTruth
from tests.support import naive_scores as naive

SOME = (0.1, 0.25, 0.5, 0.75, 1.0)


def _arrays(truth, detections):
  """Returns the arguments of the scorers."""
  return (
    {
      film: FilmTruth([s for s, _ in of], np.array([label for _, label in of], int))
      for film, of in truth.items()
    },
    {
      film: FilmDetections(
        [s for s, _, _ in of],
        np.array([label for _, label, _ in of], int),
        [score for _, _, score in of],
      )
      for film, of in detections.items()
    },
  )


def _with_label(films, pick):
  return {
    film: [(one[0], pick(one[1]), *one[2:]) for one in of] for film, of in films.items()
  }


def _agree_with_loops(seed):
  rng = np.random.default_rng(seed)
  truth, detections = naive.draw(rng)
  got = detection.average_precision(*_arrays(truth, detections), SOME)
  want = [naive.mean_average_precision(truth, detections, t) for t in SOME]
  np.testing.assert_allclose(got.by_threshold, want, rtol=0, atol=1e-9)
  for number, label in enumerate(got.classes):
    alone = naive.average_precision(truth, detections, label, 0.5)
    assert got.values[2, number] == pytest.approx(alone, abs=1e-9)
  assert got.num_ignored == sum(
    one[1] not in got.classes for of in detections.values() for one in of
  )

  most = int(rng.integers(1, 15))
  recall = detection.proposal_recall(
    *_arrays(truth, detections), max_proposals=most, thresholds=SOME[2:]
  )
  want = [naive.recall(truth, detections, t, most) for t in SOME[2:]]
  np.testing.assert_allclose(recall.recall, want, rtol=0, atol=1e-9)

  truth, detections = naive.draw(rng, tasks=2, classes=3)
  got = detection.epic_average_precision(*_arrays(truth, detections), SOME)
  for task, pick in {
    "verb": lambda pair: pair[0],
    "noun": lambda pair: pair[1],
    "action": lambda pair: pair,
  }.items():
    true, found = (_with_label(films, pick) for films in (truth, detections))
    want = [naive.mean_average_precision(true, found, t) for t in SOME]
    np.testing.assert_allclose(got[task].by_threshold, want, rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", range(25))
def test_scores_agree_with_loops(seed):
  _agree_with_loops(seed)


@pytest.mark.slow
def test_scores_agree_with_loops_on_300_sets():
  for seed in range(300):
    _agree_with_loops(seed)


def test_many_detections_of_a_film_agree_with_loops():
  """Chunks and rounds are more than one."""
  rng = np.random.default_rng(0)
  truth, detections = naive.draw(rng, films=1, truths=60, found=150, classes=3)
  got = detection.average_precision(*_arrays(truth, detections), (0.3, 0.6))
  want = [naive.mean_average_precision(truth, detections, t) for t in (0.3, 0.6)]
  np.testing.assert_allclose(got.by_threshold, want, rtol=0, atol=1e-9)


def test_pairs_in_chunks_are_the_same(monkeypatch):
  arrays = _arrays(*naive.draw(np.random.default_rng(1), truths=20, found=40))
  want = detection.average_precision(*arrays)
  monkeypatch.setattr("temporal_jax.evaluation.detection.matching._PAIRS_AT_ONCE", 7)
  np.testing.assert_array_equal(
    detection.average_precision(*arrays).values, want.values
  )


def test_average_precision_by_hand():
  """The first and the third detection find one of three true segments each."""
  truth = {"a": FilmTruth([[0, 10], [20, 30], [40, 50]], [7, 7, 7])}
  found = {"a": FilmDetections([[0, 9], [0, 10], [21, 30]], [7] * 3, [0.9, 0.8, 0.7])}
  got = detection.average_precision(truth, found, [0.5, 0.95])
  assert got.classes.tolist() == [7]
  # At 0.95 only the second one is right.
  np.testing.assert_allclose(got.values[:, 0], [(1 + 2 / 3) / 3, (1 / 2) / 3])
  assert got.mean == pytest.approx(((1 + 2 / 3) / 3 + 1 / 6) / 2)


def test_recall_and_its_area_by_hand():
  truth = {"a": FilmTruth([[0, 10], [20, 30]], [0, 0]), "b": FilmTruth([], [])}
  found = {
    "a": FilmDetections([[20, 30], [0, 5], [0, 10]], [0] * 3, [0.9, 0.5, 0.1]),
    "b": FilmDetections([[0, 1]], [0], [1.0]),  # Film b has no true segment.
  }
  got = detection.proposal_recall(truth, found, max_proposals=3)
  # With two proposals, the second is good at 0.5 only.
  np.testing.assert_allclose(got.average_recall, [0.5, 0.55, 1.0])
  assert got.at(2) == pytest.approx(0.55)
  assert got.auc == pytest.approx(100 * (0.525 + 0.775) / 3)
  with pytest.raises(ValueError, match=r"in \[1, 3\], got 4"):
    got.at(4)


def test_nothing_to_score_is_no_number():
  nothing = {"a": FilmTruth([], [])}
  some = {"a": FilmDetections([[0, 1]], [3], [0.5])}
  got = detection.average_precision(nothing, some)
  assert np.isnan(got.mean)
  assert got.num_ignored == 1
  assert np.isnan(detection.proposal_recall(nothing, some).auc)
  truth = {"a": FilmTruth([[0, 1]], [3])}
  assert detection.average_precision(truth, {}).mean == 0
  assert detection.proposal_recall(truth, {}).auc == 0


@pytest.mark.parametrize(
  ("film", "message"),
  [
    (FilmDetections([[2, 1]], [0], [1]), r"'?a'?: 1 of 1 end before they start"),
    (FilmDetections([[0, np.nan]], [0], [1]), "not finite"),
    (FilmDetections([[0, 1]], [0], [np.inf]), "not finite"),
    (FilmDetections([[0, 1]], [0.5], [1]), "labels must be integers, got float"),
    (FilmDetections([[0, 1]], [0, 1], [1]), r"shapes \(N, 2\), \(N\) and"),
    (FilmDetections([0, 1], [0, 1], [1, 1]), r"shapes \(N, 2\)"),
    (FilmDetections([[0, 1]], [[0, 1]], [1]), r"shapes \(N, 2\)"),
  ],
)
def test_wrong_detections_are_refused(film, message):
  truth = {"a": FilmTruth([[0, 1]], [0])}
  with pytest.raises(ValueError, match=message):
    detection.average_precision(truth, {"a": film})
  with pytest.raises(ValueError, match=r"1 of 1 films .* \['b'\]"):
    detection.average_precision(truth, {"b": film})
  good = {"a": FilmDetections([[0, 1]], [0], [1])}
  with pytest.raises(ValueError, match=r"\(N, 2\) and"):
    detection.epic_average_precision(truth, good)
  for thresholds in ([], [0.0], [1.1], [np.nan], 0.5):
    with pytest.raises(ValueError, match="thresholds must be"):
      detection.average_precision(truth, good, thresholds)


def test_repeated_segments_are_marked():
  segments = np.array([[0, 1], [0, 1.0005], [0, 1], [0, 2], [0, 1]])
  labels = np.array([1, 1, 2, 1, 1])
  kept = detection.distinct_segments(segments, labels)
  assert kept.tolist() == [True, False, True, True, False]
  pairs = np.stack([labels, [0, 0, 0, 0, 5]], axis=1)
  kept = detection.distinct_segments(segments, pairs)
  assert kept.tolist() == [True, False, True, True, True]


@pytest.mark.slow
def test_ten_thousand_films_are_scored_within_a_minute():
  rng = np.random.default_rng(0)
  truth, found = {}, {}
  for number in range(10_000):
    start = np.sort(rng.uniform(0, 200, 5))
    true = np.stack([start, start + rng.uniform(2, 30, 5)], axis=1)
    label = np.full(5, rng.integers(200))
    near = true[rng.integers(5, size=200)] + rng.normal(0, 3, (200, 2))
    near = np.sort(near, axis=1)
    labels = np.where(rng.random(200) < 0.7, label[0], rng.integers(200, size=200))
    truth[f"{number}"] = FilmTruth(true, label)
    found[f"{number}"] = FilmDetections(near, labels, rng.random(200))
  began = time.perf_counter()
  got = detection.average_precision(truth, found)
  took = time.perf_counter() - began
  assert got.values.shape == (10, 200)
  assert took < 60
