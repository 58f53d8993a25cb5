"""Actions of a verb's and a noun's detections, by loops and from files."""

import json

import numpy as np
import pytest

from temporal_jax.cli import main
from temporal_jax.evaluation import detection
from temporal_jax.evaluation.detection import FilmDetections, FilmTruth
from temporal_jax.evaluation.detection.detection_files import (
  read_detections,
  read_task_truth,
  write_detections,
  write_truth,
)

VERBS, NOUNS = ("take", "put", "open"), ("cup", "pan")
NAMES = {"verb": VERBS, "noun": NOUNS}


def _draw(rng, count, classes):
  start = rng.uniform(0, 20, count)
  segments = np.stack([start, start + rng.uniform(0.5, 9, count)], axis=1)
  return FilmDetections(segments, rng.integers(0, classes, count), rng.random(count))


def _joined(verbs, nouns, overlap, num_nouns, most):
  """The rule in loops."""
  found = []
  for segment, label, score in zip(*verbs, strict=True):
    own = []
    for other, noun, other_score in zip(*nouns, strict=True):
      inter = min(segment[1], other[1]) - max(segment[0], other[0])
      iou = inter / (max(segment[1], other[1]) - min(segment[0], other[0]))
      if inter > 0 and iou >= overlap:
        weights = np.array([score, other_score]) / (score + other_score)
        mean = weights @ np.stack([segment, other])
        own.append((iou * (score * other_score) ** 0.5, (label, noun), tuple(mean)))
    found += sorted(own, key=lambda one: -one[0])[:num_nouns]
  return sorted(found, key=lambda one: -one[0])[:most]


@pytest.mark.parametrize("seed", range(6))
def test_actions_are_those_of_loops(seed):
  rng = np.random.default_rng(seed)
  verbs, nouns = _draw(rng, 15, 3), _draw(rng, 12, 4)
  settings = {"overlap": 0.3, "num_nouns": 3, "max_segments": 20}
  got = detection.join_actions(verbs, nouns, **settings)
  want = _joined(verbs, nouns, *settings.values())
  assert len(want) > 5
  np.testing.assert_allclose(got.scores, [one[0] for one in want])
  np.testing.assert_array_equal(got.labels, [one[1] for one in want])
  np.testing.assert_allclose(got.segments, [one[2] for one in want])


def test_nothing_joins_nothing():
  rng = np.random.default_rng(0)
  verbs, none = _draw(rng, 5, 3), _draw(rng, 0, 3)
  for pair in ((verbs, none), (none, verbs), (none, none)):
    got = detection.join_actions(*pair)
    assert got.segments.shape == got.labels.shape == (0, 2)
    assert got.scores.shape == (0,)
  zero = verbs._replace(scores=np.zeros(5))
  assert not len(detection.join_actions(zero, zero).scores)


def test_wrong_settings_are_refused():
  one = _draw(np.random.default_rng(0), 3, 2)
  for name, value in {"overlap": 1.5, "num_nouns": 0, "max_segments": 0}.items():
    with pytest.raises(ValueError, match=name):
      detection.join_actions(one, one, **{name: value})
  with pytest.raises(ValueError, match="at least 0"):
    detection.join_actions(one, one._replace(scores=-one.scores))


@pytest.fixture
def truth():
  rng = np.random.default_rng(3)
  films = {name: _draw(rng, 4, 2) for name in "ab"}
  return {
    **{
      name: FilmTruth(one.segments, np.stack([one.labels, one.labels[::-1]], axis=1))
      for name, one in films.items()
    },
    "c": FilmTruth(np.zeros((0, 2)), np.zeros((0, 2), int)),
  }


def _write_runs(folder, truth):
  """Writes two runs that find all, with scores that fall."""
  for place, (task, names) in enumerate(NAMES.items()):
    run = folder / task
    run.mkdir()
    found = {
      film: FilmDetections(
        one.segments, one.labels[:, place], np.linspace(0.9, 0.5, len(one.labels))
      )
      for film, one in truth.items()
    }
    write_detections(run / "detections.json", found, names)
    write_truth(run / "truth.json", truth, NAMES)
  return str(folder / "verb"), str(folder / "noun")


def test_files_are_read_as_they_were_written(truth, tmp_path):
  _write_runs(tmp_path, truth)
  got, names = read_task_truth(tmp_path / "verb" / "truth.json", ("verb", "noun"))
  assert got.keys() == truth.keys()
  for film, one in truth.items():
    np.testing.assert_array_equal(got[film].segments, one.segments)
    for place, task in enumerate(NAMES):
      read = [names[task][label] for label in got[film].labels[:, place]]
      assert read == [NAMES[task][label] for label in one.labels[:, place]]
  # "open" is no class of the truth, and has a number after them.
  found = {"a": FilmDetections(np.array([[0, 1.0]] * 2), np.array([2, 0]), np.ones(2))}
  write_detections(tmp_path / "found.json", found, VERBS)
  labels = read_detections(tmp_path / "found.json", ("put", "take"))["a"].labels
  assert labels.tolist() == [2, 1]


def test_all_is_found_of_what_is_true(truth, tmp_path, capsys):
  runs = _write_runs(tmp_path, truth)
  out = tmp_path / "out.json"
  assert (
    main(["scores", "actions", *runs, "--overlap", "0.99", "--json", str(out)]) == 0
  )
  lines = capsys.readouterr().out.splitlines()
  assert lines[0].startswith("average mAP in 3 films")
  assert [line.split()[:2] for line in lines[1:]] == [
    [task, "100.00%"] for task in ("verb", "noun", "action")
  ]
  assert "(100.00% of the verb run's own segments)" in lines[1]
  assert json.loads(out.read_text())["joined"]["action"]["mAP@0.1"] == 1


def test_runs_that_do_not_fit_are_refused(truth, tmp_path, capsys):
  verb, noun = _write_runs(tmp_path, truth)

  def refused(*words):
    assert main(["scores", "actions", *words]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    return error

  assert "has no segment of ['cup', 'pan']" in refused(verb, verb)
  assert "overlap must be a number in [0, 1]" in refused(verb, noun, "--overlap", "2")
  (tmp_path / "empty").mkdir()
  assert "has no truth.json" in refused(str(tmp_path / "empty"), noun)
  file = tmp_path / "noun" / "truth.json"
  write_truth(file, {"a": truth["a"]}, NAMES)
  assert "8 segments in 3 films and 4 segments in 1 films" in refused(verb, noun)
  write_truth(file, {"a": FilmTruth([[0, 1]], np.array([0]))}, VERBS)
  assert "lacks ['verb', 'noun']" in refused(verb, noun)
  file.write_text("[]")
  assert "a JSON object of films" in refused(verb, noun)
