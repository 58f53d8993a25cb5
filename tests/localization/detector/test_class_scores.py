"""Class scores of films and of windows: labels by formulas, and refusals."""

import numpy as np
import pytest

from temporal_jax import evaluation
from temporal_jax.data.annotations import Film
from temporal_jax.localization import PairLabels, PointDecoding, ProposalDecoding
from temporal_jax.localization.catalog import LOCALIZERS
from temporal_jax.localization.detector.class_scores import open_class_scores
from tests.support.tiny_detectors import film, tiny_detector

NAMES = ("jump", "run", "sit")
SCORES = np.array([[0.7, 0.2, 0.1], [0.25, 0.15, 0.6]])
TASKS = {"verb": ("take", "put"), "noun": ("cup", "pan", "lid")}


def _film(name):
  return Film(name, f"videos/{name}.mp4", "test", np.zeros((0, 2)), np.zeros(0, int))


FILMS = [_film("a"), _film("b")]


def _save(file, scores=SCORES, ids=("b", "a"), names=NAMES):
  predictions = evaluation.Predictions(tuple(ids), None, np.asarray(scores))
  evaluation.save_scores(file, predictions, names, protocol={})
  return file


def _save_windows(folder, tasks=TASKS, ids="ab", named=True):
  """Writes logits of windows every half second, and returns them by task."""
  rng = np.random.default_rng(0)
  made = {}
  for task, names in tasks.items():
    (folder / task).mkdir(parents=True)
    for one in ids:
      logits = rng.normal(size=(30, len(names))).astype(np.float32)
      more = {"class_names": np.array(names)} if named else {}
      np.savez(
        folder / task / f"{one}.npz", features=logits, stride=4, window=8, fps=8, **more
      )
      made[one, task] = logits
  return made


def _labelled(detector, scores, films=FILMS):
  scores.check(films)
  features = [film(40, number) for number in range(len(films))]
  plain = list(detector.find(features))
  labeller = scores.labeller(films, detector.decoding)
  return plain, [labeller(one) for one in plain]


def test_the_catalog_has_the_rules_of_the_papers():
  rules = {
    name: (LOCALIZERS[name].decoding.num_labels, LOCALIZERS[name].decoding.label_power)
    for name in ("bmn", "bmn_epic", "actionformer_activitynet")
  }
  assert rules == {
    "bmn": (1, 1.0),
    "bmn_epic": (5, 1.0),
    "actionformer_activitynet": (2, 0.5),
  }


def test_films_give_their_best_classes_to_their_segments(tmp_path):
  """As ActionFormer on ActivityNet: two classes, the root of the products."""
  decoding = ProposalDecoding(threshold=0.0, num_labels=2, label_power=0.5)
  detector, _ = tiny_detector("proposals", decoding=decoding)
  file = _save(tmp_path / "scores.npz")
  scores = open_class_scores(file, ("sit", "run", "jump"))  # In another order.
  plain, labelled = _labelled(detector, scores)
  for row, one, other in zip((1, 0), plain, labelled, strict=True):
    count = len(one.found.scores)
    best = np.argsort(-SCORES[row])[:2]
    wanted = [
      (tuple(segment), NAMES[label], np.sqrt(score * SCORES[row, label]))
      for label in best
      for segment, score in zip(one.found.segments, one.found.scores, strict=True)
    ]
    assert len(other.scores) == 2 * count > 0
    for place, (segment, name, score) in enumerate(wanted):
      assert tuple(other.segments[place]) == segment
      assert scores.class_names[other.labels[place]] == name
      assert other.scores[place] == pytest.approx(score)


def test_a_film_is_found_by_its_video_too(tmp_path):
  file = _save(tmp_path / "scores.npz", ids=("jump/v_a.mp4", "run/v_b.mp4"))
  scores = open_class_scores(file)
  films = [one._replace(path=f"class/v_{one.id}.mp4") for one in FILMS]
  scores.check(films)
  with pytest.raises(ValueError, match=r"2 of 2 films have no class scores in .*'a'"):
    scores.check(FILMS)
  films[1] = films[0]._replace(id="c")
  with pytest.raises(ValueError, match="'a' and 'c' would both have the same scores"):
    scores.check(films)


def test_windows_give_pairs_by_their_times(tmp_path):
  """Logits have half as many positions as features, at the same times."""
  logits = _save_windows(tmp_path)
  detector, _ = tiny_detector(
    "windows", decoding=ProposalDecoding(threshold=0.0, num_labels=3)
  )
  scores = open_class_scores(tmp_path, {task: TASKS[task] for task in TASKS})
  plain, labelled = _labelled(detector, scores)
  windows = (np.arange(30) * 4 + 4) / 8  # Their middles in seconds.
  for name, one, other in zip("ab", plain, labelled, strict=True):
    seconds = one.film.seconds(np.arange(len(one.film.values)))
    verbs, nouns = (
      [np.stack([np.interp(seconds, windows, x) for x in logits[name, task].T], 1)]
      for task in TASKS
    )
    wanted = PairLabels(verbs, nouns, num_pairs=3)(one._replace(number=0))
    assert other.labels.shape == (3 * len(one.found.scores), 2)
    np.testing.assert_array_equal(other.labels, wanted.labels)
    np.testing.assert_allclose(other.scores, wanted.scores, rtol=1e-5)


@pytest.mark.parametrize(
  ("names", "words"),
  [
    (("jump", "run"), r"3 classes, segments of 2: \[\] have no .*\['sit'\] are no"),
    (("jump", "run", "lie"), r"\['lie'\] have no scores and \['sit'\]"),
    (TASKS, "segments have verb and noun: a folder"),
  ],
)
def test_scores_of_other_classes_are_refused(tmp_path, names, words):
  file = _save(tmp_path / "scores.npz")
  with pytest.raises(ValueError, match=words):
    open_class_scores(file, names)


def test_wrong_scores_of_films_are_refused(tmp_path):
  with pytest.raises(FileNotFoundError):
    open_class_scores(tmp_path / "none.npz")
  logits = _save(tmp_path / "logits.npz", SCORES - 1)
  with pytest.raises(ValueError, match=r"must be probabilities, in \[0, 1\]"):
    open_class_scores(logits, NAMES)
  predictions = evaluation.Predictions(("a",), None, {"verb": SCORES[:1]})
  evaluation.save_scores(
    tmp_path / "tasks.npz", predictions, {"verb": NAMES}, protocol={}
  )
  with pytest.raises(ValueError, match=r"must be of one task, got \['verb'\]"):
    open_class_scores(tmp_path / "tasks.npz", NAMES)


def test_wrong_scores_of_windows_are_refused(tmp_path):
  with pytest.raises(FileNotFoundError, match="verb is not there"):
    open_class_scores(tmp_path, TASKS)
  _save_windows(tmp_path / "named")
  with pytest.raises(ValueError, match=r"segments have one label each: a file"):
    open_class_scores(tmp_path / "named", NAMES)
  swapped = {**TASKS, "verb": TASKS["verb"][::-1]}
  with pytest.raises(ValueError, match="classes in another order"):
    open_class_scores(tmp_path / "named", swapped)
  with pytest.raises(ValueError, match=r"\['hold'\] have no scores"):
    open_class_scores(tmp_path / "named", {**TASKS, "verb": ("take", "hold")})
  scores = open_class_scores(tmp_path / "named", TASKS)
  with pytest.raises(ValueError, match=r"1 of 3 films have no class scores .*'c'"):
    scores.check([*FILMS, _film("c")])
  _save_windows(tmp_path / "other", named=False)
  with pytest.raises(ValueError, match="do not name their classes"):
    open_class_scores(tmp_path / "other")
  scores = open_class_scores(tmp_path / "other", {**TASKS, "verb": ("take",)})
  with pytest.raises(ValueError, match="must have 1 columns, one for each verb, got 2"):
    scores.check(FILMS)


def test_settings_of_labels_are_checked():
  for kind in (PointDecoding, ProposalDecoding):
    with pytest.raises(ValueError, match="num_labels"):
      kind(num_labels=0)
    with pytest.raises(ValueError, match="label_power"):
      kind(label_power=-1.0)
