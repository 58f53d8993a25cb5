"""Tests of films: their classes, and processes that share them."""

import jax
import numpy as np
import pytest

from temporal_jax import data, evaluation
from temporal_jax.experiment.film_run.scoring import FilmScoring
from temporal_jax.experiment.film_run.settings import FilmSettings
from temporal_jax.localization import Detector, ProposalDecoding, SequenceFormat
from temporal_jax.localization.detector.class_scores import open_class_scores
from temporal_jax.localization.features import FeatureStore
from temporal_jax.localization.training.film_data import open_film_data
from tests.support import tiny_localization
from tests.support.simulated_processes import SimulatedProcesses
from tests.support.tiny_detectors import tiny_detector
from tests.support.tiny_films import CLASSES, write_films

_ROWS = [{"step": 1, "loss": 1.0}, {"step": 2, "test/AUC": 0.5}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  folder = tmp_path_factory.mktemp("scoring") / "films"
  write_films(folder, count=20)  # Five of them test.
  return folder


def _films(folder):
  store = FeatureStore(folder / "features")
  return open_film_data(str(folder / "segments.csv"), "", store, class_agnostic=True)


def _save_scores(folder, films, file, sure=1.0):
  """Writes class scores of the test films: that of their first segment."""
  labels = [film.labels[0] for film in films.labelled_test]
  scores = np.full((len(labels), 2), 1 - sure)
  scores[np.arange(len(labels)), labels] = sure
  predictions = evaluation.Predictions(
    tuple(film.id for film in films.test), None, scores
  )
  evaluation.save_scores(file, predictions, CLASSES, protocol={})
  return str(file)


def _scoring(films, class_scores="", **processes):
  config = tiny_localization.get_config("bmn")
  config.eval.class_scores = class_scores
  config.eval.batch_size = 2
  settings = FilmSettings.from_config(config, jax.devices()[:1])
  tiny, _ = tiny_detector("proposals", kind=films.kind)
  detector = Detector(
    tiny.network,
    tiny.variables,
    SequenceFormat("resample", 12),
    ProposalDecoding(threshold=0.0),
  )
  scores = open_class_scores(class_scores, CLASSES) if class_scores else None
  bad = data.BadVideos("skip")
  scoring = FilmScoring(settings, films, detector, bad, scores, **processes)
  return scoring, tiny.variables


def test_without_class_scores_the_report_is_of_no_class(folder, tmp_path):
  films = _films(folder)
  scoring, variables = _scoring(films)
  test = scoring.final(variables)
  assert "(without classes)" in test.headline
  test.write(tmp_path, _ROWS)
  report = (tmp_path / "report.json").read_text()
  assert "mAP is class-agnostic, as config.eval.class_scores is empty" in report
  assert '"label": "segment"' in (tmp_path / "detections.json").read_text()
  # The truth has its classes nevertheless.
  assert '"label": "jump"' in (tmp_path / "truth.json").read_text()


def test_class_scores_label_segments_and_leave_recall_as_it_is(folder, tmp_path):
  films = _films(folder)
  plain, variables = _scoring(films)
  place = _save_scores(folder, films, tmp_path / "scores.npz")
  scoring, _ = _scoring(films, place)
  before, after = (one.quick(variables, print) for one in (plain, scoring))
  assert list(before) == list(after)
  for name in ("AUC", "AR@1", "AR@100"):
    assert before[name] == after[name]
  assert before["AUC"] > 0
  assert before["mAP"] != after["mAP"]
  # By hand: segments of the films of a class, by their own scores.
  found = scoring._detect(variables)
  truth = {film.id: film for film in films.labelled_test}
  for film, one in found.labelled.items():
    assert set(one.labels.tolist()) == {truth[film].labels[0]}
    np.testing.assert_array_equal(one.segments, found.plain[film].segments)
    np.testing.assert_allclose(one.scores, found.plain[film].scores)
  test = scoring.final(variables)
  assert "without classes" not in test.headline
  test.write(tmp_path, _ROWS)
  report = (tmp_path / "report.json").read_text()
  assert f"by the class scores {place}" in report


@pytest.mark.parametrize("scores", [False, True])
def test_processes_share_the_films_and_all_know_all(folder, tmp_path, scores):
  films = _films(folder)
  place = _save_scores(folder, films, tmp_path / "x.npz", 0.75) if scores else ""
  one, variables = _scoring(films, place)
  want = one.final(variables)
  read = []

  class Store:
    def read(self, film):
      read.append(film.id)
      if film.id == "film_7":
        raise ValueError("damaged")
      return films.store.read(film)

  shared = films._replace(store=Store())

  def of_process(index, stack):
    scoring, _ = _scoring(shared, place, index=index, count=2, stack=stack)
    return scoring._detect(variables), scoring._bad_films()

  (first, bad), (second, also_bad) = SimulatedProcesses(2).run(of_process)
  assert bad == also_bad == {"film_7": "damaged"}
  assert sorted(read) == sorted(film.id for film in films.test)
  whole = one._detect(variables)
  assert list(first.labelled) == [film.id for film in films.test if film.id != "film_7"]
  for kind in ("plain", "labelled"):
    for film, found in getattr(first, kind).items():
      for got, other, wanted in zip(
        found,
        getattr(second, kind)[film],
        getattr(whole, kind)[film],
        strict=True,
      ):
        np.testing.assert_array_equal(got, other)
        np.testing.assert_allclose(got, wanted, rtol=1e-5)
  assert want.values["AUC"] > 0
