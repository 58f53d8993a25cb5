import json

import matplotlib.image
import numpy as np

from temporal_jax import evaluation

NAMES = ("left", "right", "never")
PREDICTIONS = evaluation.Predictions(
  ids=("a", "b", "c", "d"),
  labels=np.array([0, 0, 1, 1]),
  scores=np.array(
    [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.1, 0.6, 0.3]]
  ),
)


def _summary():
  return evaluation.summarize(
    PREDICTIONS,
    NAMES,
    listed=6,
    bad_videos={"x": "empty", "y": "cut off"},
    seconds=1.234,
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
  assert report["top5"] == 1.0
  assert report["clips_listed"] == 6
  assert report["clips_decoded"] == 4
  assert report["clips_scored"] == 4
  assert report["seconds"] == 1.23
  assert report["per_class"]["left"] == {"top1": 0.5, "clips": 2}
  assert report["per_class"]["never"] == {"top1": None, "clips": 0}
  assert report["confusion"] == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
  assert report["bad_videos"] == {"x": "empty", "y": "cut off"}


def test_pictures_are_drawn(tmp_path):
  _write(tmp_path)
  for name in ("curves", "confusion", "predictions"):
    picture = matplotlib.image.imread(tmp_path / f"{name}.png")
    assert min(picture.shape[:2]) > 100
    assert picture.std() > 0.02
