import json

import matplotlib.image
import numpy as np
import pytest

from temporal_jax.evaluation import detection_plots
from temporal_jax.evaluation.detection import FilmDetections, FilmTruth
from temporal_jax.evaluation.detection.report import (
  by_class,
  detection_values,
  write_detection_report,
)
from temporal_jax.evaluation.detection_plots import save_detections

BLUE, ORANGE = (np.array(c) / 255 for c in ((0x1F, 0x77, 0xB4), (0xFF, 0x7F, 0x0E)))


def _share_of(file, color):
  """Share of the pixels that have (nearly) this colour."""
  picture = matplotlib.image.imread(file)[..., :3]
  return np.mean(np.all(np.abs(picture - color) < 0.02, axis=-1))


def _found(segments, labels, scores):
  return FilmDetections(
    np.array(segments, float).reshape(-1, 2),
    np.array(labels, int),
    np.array(scores, float),
  )


def _true(segments, labels):
  return FilmTruth(np.array(segments, float).reshape(-1, 2), np.array(labels, int))


def test_truth_and_detections_have_the_colours_of_their_classes(tmp_path):
  file = tmp_path / "detections.png"
  truth = {"a": _true([(0, 50)], [0]), "none": _true([], [])}
  options = {"durations": {"a": 100.0, "none": 30.0}}
  save_detections(truth, {}, ("run", "jump"), file, **options)
  only_true = _share_of(file, BLUE)
  assert only_true > 0.02
  assert _share_of(file, ORANGE) == 0
  found = {"a": _found([(0, 50)], [0], [0.9]), "none": _found([(5, 25)], [1], [0.9])}
  save_detections(truth, found, ("run", "jump"), file, **options)
  # Classes have their colours in the order of their names: jump, run.
  assert _share_of(file, ORANGE) > 1.3 * only_true
  assert _share_of(file, BLUE) > 0.005


def test_two_detections_are_above_each_other_and_weak_ones_are_left_out():
  segments = [(0, 10), (1, 9), (2, 8), (10, 20), (30, 40)]
  found = _found(segments, [0, 1, 0, 1, 0], [0.5, 0.9, 0.4, 0.3, 0.05])
  first, second = detection_plots._drawn(found, least=0.1)
  assert first.segments.tolist() == [[1, 9], [10, 20]]
  assert first.scores.tolist() == [0.9, 0.3]
  assert first.labels.tolist() == [1, 1]
  assert second.segments.tolist() == [[0, 10]]


@pytest.mark.parametrize("count", [1, 9, 10, 18, 19, 40])
def test_each_frequent_class_has_its_own_colour(count):
  names = [f"class {i:02d}" for i in range(count) for _ in range(1 + (i > 0))]
  colors = detection_plots._colors(names)
  assert len(set(colors.values())) == len(colors) == min(count, 19)
  # The rarest one is among the others, which are grey.
  assert ("class 00" in colors) == (count < 19)
  assert (colors.get("others") == "#7f7f7f") == (count > 18)


def test_labels_of_several_tasks_and_many_classes_are_drawn(tmp_path):
  file = tmp_path / "detections.png"
  names = {"verb": [f"verb {i}" for i in range(30)], "noun": ["cup", "走 $x$"]}
  labels = np.stack([np.arange(30), np.arange(30) % 2], axis=1)
  starts = np.arange(30.0)
  truth = FilmTruth(np.stack([starts, starts + 1], axis=1), labels)
  found = FilmDetections(truth.segments, labels, np.linspace(0.1, 1, 30))
  save_detections({"a": truth}, {"a": found}, names, file, durations={"a": 30.0})
  assert matplotlib.image.imread(file).std() > 0.02
  assert detection_plots._names(labels[:2], names) == ["verb 0 cup", "verb 1 走 $x$"]


def test_the_report_has_the_picture(tmp_path):
  truth, found = {"a": _true([(0, 5)], [0])}, {"a": _found([(0, 5)], [0], [0.9])}
  values, precisions = detection_values(truth, found, (0.5,))
  names = ("jump", "run")
  write_detection_report(
    tmp_path,
    {**values, "per_class": by_class(precisions[""], names)},
    class_names=names,
    rows=[{"step": 1, "loss": 1.0}, {"step": 2, "test/mAP": 1.0}],
    truth=truth,
    detections=found,
    durations={"a": 10.0},
  )
  pictures = {file.name for file in tmp_path.glob("*.png")}
  assert pictures == {"curves.png", "average_precision.png", "detections.png"}
  assert _share_of(tmp_path / "detections.png", BLUE) > 0.02
  report = json.loads((tmp_path / "report.json").read_text())
  assert report["mAP@0.5"] == report["per_class"]["jump"]["ap"] == 1.0
  assert report["per_class"]["run"] == {"ap": None, "segments": 0}


def test_without_films_there_is_nothing_to_draw(tmp_path):
  with pytest.raises(ValueError, match="no film"):
    save_detections({}, {}, ("a",), tmp_path / "x.png", durations={})
  assert not list(tmp_path.iterdir())
