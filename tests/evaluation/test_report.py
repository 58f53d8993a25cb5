import json

import matplotlib.image
import numpy as np
import pytest

from temporal_jax import evaluation

NAMES = ("left", "right", "never")
PREDICTIONS = evaluation.Predictions(
  ids=("a", "b", "c", "d"),
  labels=np.array([0, 0, 1, 1]),
  scores=np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.1, 0.6, 0.3]]),
)


def _summary():
  return evaluation.summarize(
    PREDICTIONS,
    NAMES,
    listed=6,
    bad_videos={"x": "empty", "y": "cut off"},
    seconds=1.234,
    protocol={"num_clips": 1},
  )


def _write(directory):
  rng = np.random.default_rng(0)
  evaluation.write_report(
    directory,
    _summary(),
    rows=[
      {"step": 1, "loss": 2.0, "accuracy": 0.1},
      {"step": 2, "loss": 1.0, "accuracy": 0.5, "test/top1": 0.4},
    ],
    sample={
      "clip": rng.integers(0, 256, (5, 3, 8, 8, 3), np.uint8),
      "id": np.array(["a", "b", "bad", "c", "d"]),
    },
    predictions=PREDICTIONS,
  )


def test_summary_has_the_fixed_keys(tmp_path):
  _write(tmp_path)
  report = json.loads((tmp_path / "report.json").read_text())
  assert report["top1"] == 0.75
  assert "top5" not in report  # There are three classes only.
  assert report["class_mean"] == 0.75
  # "left" leads and comes last of 4; "right" is second and third.
  left, right = (1 / 1 + 2 / 4) / 2, (1 / 2 + 2 / 3) / 2
  np.testing.assert_allclose(report["mAP"], (left + right) / 2)
  assert report["clips_listed"] == 6
  assert report["clips_decoded"] == 4
  assert report["clips_scored"] == 4
  assert report["seconds"] == 1.23
  assert report["per_class"]["left"] == {"top1": 0.5, "clips": 2}
  assert report["per_class"]["never"] == {"top1": None, "clips": 0}
  assert report["confusion"] == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
  assert report["bad_videos"] == {"x": "empty", "y": "cut off"}
  assert report["intervals"]["values"].keys() == {"top1", "class_mean", "mAP"}
  assert report["calibration"] == evaluation.calibrations(PREDICTIONS)


def test_all_scores_are_kept(tmp_path):
  _write(tmp_path)
  saved = evaluation.load_scores(tmp_path / "scores.npz")
  assert saved.class_names == NAMES
  assert saved.protocol == {"num_clips": 1}
  assert saved.predictions.ids == PREDICTIONS.ids
  np.testing.assert_array_equal(saved.predictions.scores, PREDICTIONS.scores)


def test_pictures_are_drawn(tmp_path):
  _write(tmp_path)
  for name in ("calibration", "curves", "confusion", "predictions"):
    picture = matplotlib.image.imread(tmp_path / f"{name}.png")
    assert min(picture.shape[:2]) > 100
    assert picture.std() > 0.02


def test_groups_widen_the_intervals():
  films = dict.fromkeys(PREDICTIONS.ids, "film")
  summary = evaluation.summarize(
    PREDICTIONS, NAMES, listed=4, bad_videos={}, seconds=0.0, groups=films
  )
  assert summary["intervals"]["units"] == 1
  assert evaluation.headline(summary) == (
    "top-1 75.0% of 4 clips scored, 4 decoded, 4 listed."
  )


def test_the_headline_counts_groups():
  films = dict(zip(PREDICTIONS.ids, "abba", strict=True))
  summary = evaluation.summarize(
    PREDICTIONS, NAMES, listed=4, bad_videos={}, seconds=0.0, groups=films
  )
  assert evaluation.headline(summary).endswith(
    "; in brackets 95% confidence intervals of 2 groups."
  )


def test_headline_tells_the_measures():
  assert evaluation.headline(_summary()) == (
    "top-1 75.0% (25.0 to 100.0%) of 4 clips scored, 4 decoded, 6 listed; in "
    "brackets 95% confidence intervals."
  )


def _write_other(directory, predictions, class_names, row):
  rng = np.random.default_rng(0)
  summary = evaluation.summarize(
    predictions, class_names, listed=2, bad_videos={}, seconds=0.0
  )
  evaluation.write_report(
    directory,
    summary,
    rows=[{"step": 1, "loss": 2.0} | row],
    sample={
      "clip": rng.integers(0, 256, (2, 3, 8, 8, 3), np.uint8),
      "id": np.array(["a", "b"]),
    },
    predictions=predictions,
  )
  return json.loads((directory / "report.json").read_text())


def test_tasks_are_reported_each_and_together(tmp_path):
  predictions = evaluation.Predictions(
    ids=("a", "b"),
    labels=np.array([[1, 0], [0, 1]]),
    scores={
      "verb": np.array([[0.1, 0.9], [0.8, 0.2]]),
      "noun": np.array([[0.6, 0.4], [0.7, 0.3]]),
    },
  )
  names = {"verb": ("cut", "mix"), "noun": ("egg", "ham")}
  row = {"accuracy": 0.5, "test/top1": 0.5}
  report = _write_other(tmp_path, predictions, names, row)
  assert report["verb/top1"] == 1.0
  assert report["noun/top1"] == report["top1"] == 0.5
  assert not {"top5", "verb/top5", "noun/top5"} & report.keys()
  assert report["tasks"]["noun"]["confusion"] == [[1, 0], [1, 0]]
  assert report["tasks"]["noun"]["per_class"]["ham"] == {
    "top1": 0.0,
    "clips": 1,
  }
  assert evaluation.headline(report).startswith(
    "top-1 50.0% (0.0 to 100.0%), verb/top-1 100.0% (34.2 to 100.0%), noun/top-1 "
    "50.0% (0.0 to 100.0%) of 2 clips"
  )
  assert {path.name for path in tmp_path.glob("*.png")} == {
    "calibration_noun.png",
    "calibration_verb.png",
    "confusion_noun.png",
    "confusion_verb.png",
    "curves.png",
    "predictions.png",
  }


def test_several_classes_a_clip_are_reported_by_precision(tmp_path):
  predictions = evaluation.Predictions(
    ids=("a", "b"),
    labels=np.array([[1, 1, 0], [0, 1, 0]], np.float32),
    scores=np.array([[0.1, 0.9, 0.5], [0.8, 0.2, 0.1]]),
  )
  names = ("eat", "run", "sit")
  report = _write_other(tmp_path, predictions, names, {"test/mAP": 0.7})
  assert report["mAP"] == 0.75
  assert report["per_class"] == {
    "eat": {"ap": 0.5, "clips": 1},
    "run": {"ap": 1.0, "clips": 2},
    "sit": {"ap": None, "clips": 0},
  }
  assert evaluation.headline(report).startswith("mAP 75.0% (")
  assert {path.name for path in tmp_path.glob("*.png")} == {
    "calibration.png",
    "curves.png",
    "predictions.png",
  }


def test_clips_without_a_class_have_the_official_score_of_charades_too(
  tmp_path,
):
  predictions = evaluation.Predictions(
    ids=("a", "b", "c"),
    labels=np.array([[1, 1], [0, 1], [0, 0]], np.float32),
    scores=np.array([[0.3, 0.9], [0.2, 0.4], [0.8, 0.5]]),
  )
  values = evaluation.accuracies(predictions)
  # "c" is above "a" of the first class and above "b" of the second.
  assert values["mAP"] == pytest.approx((1 / 2 + (1 + 2 / 3) / 2) / 2)
  assert values["charades_mAP"] == 1.0
  all_labelled = predictions.take(np.array([0, 1]))
  assert evaluation.accuracies(all_labelled) == {"mAP": 1.0}
  summary = evaluation.summarize(
    predictions, ("eat", "run"), listed=3, bad_videos={}, seconds=0.0
  )
  assert evaluation.headline(summary).startswith(
    "mAP 66.7% (33.3 to 100.0%), charades_mAP 100.0% (43.9 to 100.0%) of 3 clips"
  )


def test_an_action_is_scored_by_the_views_of_both_tasks():
  views = {
    "verb": np.array([[[0.9, 0.1], [0.2, 0.8]]]),
    "noun": np.array([[[0.1, 0.9, 0], [0.8, 0.2, 0]]]),
  }
  # Means are (0.55, 0.45) and (0.45, 0.55); products (0.125, 0.425, 0.325,
  # 0.125), so that the second best pair is (1, 0), not (0, 0).
  for labels, top5 in (([0, 1], 1.0), ([1, 0], 1.0), ([1, 2], 0.0)):
    predictions = evaluation.from_views("a", np.array([labels]), views)
    got = evaluation.accuracies(predictions)
    assert got["top1"] == (labels == [0, 1])
    assert got["top5"] == top5


def test_three_tasks_count_where_all_are_right():
  scores = {name: np.array([[0.1, 0.9], [0.8, 0.2]]) for name in "abc"}
  predictions = evaluation.Predictions(
    ("x", "y"), np.array([[1, 1, 1], [0, 0, 1]]), scores
  )
  got = evaluation.accuracies(predictions)
  assert got["top1"] == 0.5
  assert got["c/top1"] == 0.5
  assert "top5" not in got


WILD = (
  *("pay $5", "a/b $x^2", "走路", "ходьба", "esc\x1b[31m", "new\nline", ""),
  *("l" * 300, "\udcff", "\u202ebidi", r"$\foo$", "_under"),
)


def _wild_predictions(count):
  scores = np.random.default_rng(0).dirichlet(np.ones(count), count)
  ids = tuple(f"/d/{name}/{i}\n.mp4" for i, name in enumerate(WILD))
  return ids, np.arange(count), scores


def test_classes_of_any_name_are_reported_and_drawn(tmp_path):
  ids, labels, scores = _wild_predictions(len(WILD))
  predictions = evaluation.Predictions(ids, labels, scores)
  summary = evaluation.summarize(
    predictions, WILD, listed=12, bad_videos={"\udcfe": "x"}, seconds=0.0
  )
  sample = {"clip": np.zeros((12, 2, 8, 8, 3), np.uint8), "id": np.array(ids)}
  rows = [{"step": 1, "loss": 2.0, "test/top1": 0.4}]
  evaluation.write_report(
    tmp_path, summary, rows=rows, sample=sample, predictions=predictions
  )
  report = json.loads((tmp_path / "report.json").read_text())
  assert tuple(report["per_class"]) == WILD
  assert report["bad_videos"] == {"\udcfe": "x"}
  saved = evaluation.load_scores(tmp_path / "scores.npz")
  assert (saved.class_names, saved.predictions.ids) == (WILD, ids)
  for name in ("confusion", "predictions"):
    picture = matplotlib.image.imread(tmp_path / f"{name}.png")
    assert max(picture.shape[:2]) < 2500  # No name takes all the room.
  gains = np.linspace(-0.5, 0.5, len(WILD))
  evaluation.save_gains(gains, WILD, tmp_path / "g.png", before="$a", after="_$b")
  runs = {name: {1: 0.5, 2: 0.6} for name in WILD}
  evaluation.save_views(runs, tmp_path / "v.png")


def test_tasks_of_any_name_have_files(tmp_path):
  tasks = ("a/b", "..", "c\nd", "t" * 300)
  scores = {task: np.array([[0.1, 0.9], [0.8, 0.2]]) for task in tasks}
  labels = np.zeros((2, len(tasks)), int)
  predictions = evaluation.Predictions(("a", "b"), labels, scores)
  names = dict.fromkeys(tasks, ("$x", "走"))
  row = {"accuracy": 0.5, "test/top1": 0.5}
  _write_other(tmp_path, predictions, names, row)
  assert len(list(tmp_path.glob("confusion_*.png"))) == len(tasks)
  assert (tmp_path / "confusion_a%2Fb.png").exists()
  saved = evaluation.load_scores(tmp_path / "scores.npz")
  assert tuple(saved.class_names) == tasks
