import json

import numpy as np
import pytest

from temporal_jax import evaluation

NAMES = ("left", "right", "up")


def _run(ids="abcd", labels=(0, 1, 2, 0), seed=0, names=NAMES, **protocol):
  scores = np.random.default_rng(seed).random((len(ids), len(names)))
  scores /= scores.sum(axis=1, keepdims=True)
  predictions = evaluation.Predictions(tuple(ids), np.array(labels), scores)
  return evaluation.SavedScores(predictions, tuple(names), protocol)


def _round_trip(directory, run):
  file = directory / "scores.npz"
  evaluation.save_scores(file, run.predictions, run.class_names, protocol=run.protocol)
  assert [path.name for path in directory.iterdir()] == ["scores.npz"]
  return evaluation.load_scores(file)


def test_scores_come_back(tmp_path):
  run = _run(ids=("ä/1.mp4", "b", "c", "d"), views=[4, 3], fusion="logits")
  got = _round_trip(tmp_path, run)
  assert got.class_names == NAMES
  assert got.protocol == {"views": [4, 3], "fusion": "logits"}
  assert got.predictions.ids == run.predictions.ids
  assert got.predictions.views is None
  np.testing.assert_array_equal(got.predictions.labels, [0, 1, 2, 0])
  np.testing.assert_array_equal(got.predictions.scores, run.predictions.scores)


def test_the_file_can_be_read_by_numpy_alone(tmp_path):
  _round_trip(tmp_path, _run(fusion="logits"))
  with np.load(tmp_path / "scores.npz") as arrays:
    assert arrays["ids"].tolist() == ["a", "b", "c", "d"]
    assert arrays["class_names"].tolist() == list(NAMES)
    assert arrays["scores"].shape == (4, 3)
    assert json.loads(str(arrays["protocol"])) == {"fusion": "logits"}


def test_scores_of_tasks_and_views_come_back(tmp_path):
  rng = np.random.default_rng(0)
  views = {"verb": rng.random((2, 3, 2)), "noun": rng.random((2, 3, 4))}
  predictions = evaluation.from_views("ab", np.array([[0, 3], [1, 2]]), views)
  names = {"verb": ("cut", "mix"), "noun": ("a", "b", "c", "d")}
  got = _round_trip(tmp_path, evaluation.SavedScores(predictions, names, {}))
  assert got.class_names == names
  assert list(got.predictions.scores) == ["verb", "noun"]
  for task, values in views.items():
    np.testing.assert_array_equal(got.predictions.views[task], values)
    np.testing.assert_array_equal(
      got.predictions.scores[task], predictions.scores[task]
    )


def test_what_does_not_fit_is_not_written(tmp_path):
  predictions = _run().predictions
  file = tmp_path / "scores.npz"
  for names, message in (
    (("left", "right"), "of 3 classes, the names of 2"),
    ({"verb": NAMES}, "of the same tasks"),
  ):
    with pytest.raises(ValueError, match=message):
      evaluation.save_scores(file, predictions, names, protocol={})
  assert not list(tmp_path.iterdir())


def test_other_files_are_refused(tmp_path):
  for name, content in (("text", b"hello"), ("zip", b"PK\3\4" + 40 * b"x")):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="holds no saved scores"):
      evaluation.load_scores(tmp_path / name)
  np.savez(tmp_path / "other.npz", ids=np.array(["a"]))
  with pytest.raises(ValueError, match="holds no saved scores"):
    evaluation.load_scores(tmp_path / "other.npz")
  with pytest.raises(FileNotFoundError):
    evaluation.load_scores(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("fusion", evaluation.FUSIONS)
def test_an_ensemble_follows_ids_not_rows(fusion):
  one, two = _run(frames=8), _run("dcba", (0, 2, 1, 0), seed=1, frames=16)
  got = evaluation.ensemble([one, two], (1, 3), fusion=fusion)
  assert got.predictions.ids == tuple("abcd")
  assert got.class_names == NAMES
  assert [run["weight"] for run in got.protocol["runs"]] == [1, 3]
  assert [run["protocol"]["frames"] for run in got.protocol["runs"]] == [8, 16]
  for row, name in enumerate("abcd"):
    p = one.predictions.scores[row]
    q = two.predictions.scores[two.predictions.ids.index(name)]
    if fusion == "softmax":
      want = 0.25 * p + 0.75 * q
    else:
      want = p**0.25 * q**0.75
      want /= want.sum()
    np.testing.assert_allclose(got.predictions.scores[row], want, rtol=1e-6)


def test_an_ensemble_averages_each_task():
  runs = []
  for seed in (0, 1):
    rng = np.random.default_rng(seed)
    scores = {"verb": rng.random((2, 2)), "noun": rng.random((2, 3))}
    predictions = evaluation.Predictions(("a", "b"), np.array([[0, 2], [1, 1]]), scores)
    names = {"verb": ("cut", "mix"), "noun": NAMES}
    runs.append(evaluation.SavedScores(predictions, names, {}))
  got = evaluation.ensemble(runs).predictions.scores
  for task in ("verb", "noun"):
    pair = [run.predictions.scores[task] for run in runs]
    np.testing.assert_allclose(got[task], (pair[0] + pair[1]) / 2)


@pytest.mark.parametrize(
  ("other", "message"),
  [
    (_run("abce"), r"only in run 1 are 1 \(d\), only in run 2 1 \(e\)"),
    (_run("abc", (0, 1, 2)), r"only in run 1 are 1 \(d\), only in run 2 none"),
    (_run("abca"), "run 2 has the id 'a' twice"),
    (_run(labels=(0, 1, 2, 1)), "labels of run 1 and run 2 differ"),
    (
      _run(names=("left", "right", "down")),
      r"differ: 3 and 3; in run 1 only are 1 \(up\), in run 2 only 1 \(down\)",
    ),
    (_run(names=("left", "right")), "differ: 3 and 2"),
    (_run(names=("right", "left", "left")), "differ: 3 and 3"),
  ],
)
def test_runs_that_do_not_belong_together_are_refused(other, message):
  for combine in (evaluation.ensemble, evaluation.align):
    with pytest.raises(ValueError, match=message):
      combine([_run(), other])
  with pytest.raises(ValueError, match=message):
    evaluation.class_gains(_run(), other)


@pytest.mark.parametrize("several", [False, True])
def test_classes_in_another_order_are_found_by_name(several):
  order = [2, 0, 1]  # Class 0 here is class 2 of the first run.
  one = _run(seed=0)
  mine = one.predictions
  labels = np.eye(3)[mine.labels] if several else mine.labels
  mine = evaluation.Predictions(mine.ids, labels, mine.scores)
  theirs = evaluation.Predictions(
    mine.ids,
    labels[:, order] if several else np.array([1, 2, 0])[labels],
    mine.scores[:, order],
    mine.scores[:, None, order],
  )
  first = evaluation.SavedScores(mine, NAMES, {})
  other = evaluation.SavedScores(theirs, tuple(NAMES[i] for i in order), {})
  got = evaluation.align([first, other])[1]
  np.testing.assert_array_equal(got.labels, labels)
  np.testing.assert_array_equal(got.scores, mine.scores)
  np.testing.assert_array_equal(got.views[:, 0], mine.scores)
  together = evaluation.ensemble([first, other])
  assert together.class_names == NAMES
  np.testing.assert_allclose(together.predictions.scores, mine.scores)


def test_tasks_in_another_order_of_classes_are_found_by_name():
  rng = np.random.default_rng(0)
  scores = {"verb": rng.random((4, 2)), "noun": rng.random((4, 3))}
  labels = np.array([[0, 0], [1, 1], [0, 2], [1, 0]])
  first = evaluation.SavedScores(
    evaluation.Predictions(tuple("abcd"), labels, scores),
    {"verb": ("cut", "mix"), "noun": NAMES},
    {},
  )
  other = evaluation.SavedScores(
    evaluation.Predictions(
      tuple("abcd"),
      np.stack([1 - labels[:, 0], labels[:, 1]], axis=1),
      {"verb": scores["verb"][:, ::-1], "noun": scores["noun"]},
    ),
    {"verb": ("mix", "cut"), "noun": NAMES},
    {},
  )
  got = evaluation.align([first, other])[1]
  np.testing.assert_array_equal(got.labels, labels)
  for task, values in scores.items():
    np.testing.assert_array_equal(got.scores[task], values)


def test_no_run_and_wrong_weights_are_refused():
  with pytest.raises(ValueError, match="at least one run"):
    evaluation.ensemble([])
  with pytest.raises(ValueError, match="2 numbers above 0"):
    evaluation.ensemble([_run(), _run()], (1, -1))


def test_gains_are_of_each_class():
  labels = np.array([0, 0, 1, 1])

  def run(best, order):
    ids = tuple("abcd"[i] for i in order)
    scores = np.eye(3)[best][order]
    predictions = evaluation.Predictions(ids, labels[order], scores)
    return evaluation.SavedScores(predictions, NAMES, {})

  before = run([0, 1, 1, 1], [0, 1, 2, 3])
  after = run([0, 0, 1, 2], [3, 1, 0, 2])
  got = evaluation.class_gains(before, after)
  np.testing.assert_array_equal(got, [0.5, -0.5, np.nan])


@pytest.mark.parametrize(
  ("arrays", "message"),
  [
    (
      {"scores": np.array([0.5, 0.5])},
      r"scores must be float of shape \(2, 2\)",
    ),
    ({"scores": np.array([["a", "b"]] * 2)}, "scores must be float .* text"),
    ({"scores": np.ones((2, 2), complex)}, "scores: its dtype is complex128"),
    ({"views": np.ones((2, 2))}, r"views must be float of shape \(2, any, 2\)"),
    (
      {"views": np.ones((2, 3, 5))},
      r"views must be .*got float of \(2, 3, 5\)",
    ),
    ({"labels": np.array([0.0, 1.0])}, "shape .2,., whole, 0 to 1; got float"),
    ({"labels": np.array([0, 2])}, "labels of 1 of 2 .* b has 2; .*0 to 1"),
    ({"labels": np.array([-1, -1])}, "labels of 2 of 2 .* a has -1"),
    ({"labels": np.zeros((2, 3))}, r"labels must be .*got float of \(2, 3\)"),
    ({"labels": np.array([[0, 1], [0, np.nan]])}, "b has .*nan.*0 or 1"),
  ],
)
def test_a_file_made_by_hand_is_checked(tmp_path, arrays, message):
  whole = {
    "ids": np.array(["a", "b"]),
    "labels": np.array([0, 1]),
    "scores": np.array([[0.75, 0.25], [0.5, 0.5]]),
    "class_names": np.array(["x", "y"]),
    "protocol": np.array("{}"),
  }
  file = tmp_path / "scores.npz"
  np.savez(file, **whole)
  assert evaluation.load_scores(file).class_names == ("x", "y")
  np.savez(file, **whole | arrays)
  with pytest.raises(ValueError, match=f"scores.npz.*{message}"):
    evaluation.load_scores(file)


def test_labels_of_several_classes_are_taken_as_any_numbers(tmp_path):
  labels = np.array([[0, 1], [1, 1]])
  scores = np.array([[0.75, 0.25], [0.5, 0.5]])
  for kind in (bool, np.int64, np.float32):
    predictions = evaluation.Predictions(("a", "b"), labels.astype(kind), scores)
    got = _round_trip(tmp_path, evaluation.SavedScores(predictions, ("x", "y"), {}))
    np.testing.assert_array_equal(got.predictions.labels, labels)
