import matplotlib.image
import numpy as np
import pytest
from matplotlib import colormaps

from temporal_jax.evaluation import save_run_curves


def _rows(low):
  rows = [{"step": s, "loss": 2 - s / 50, "accuracy": low + s / 100} for s in range(50)]
  rows[25]["test/top1"] = low
  return [*rows, {"step": 49, "final/top1": low + 0.1}]


def _has(file, color):
  picture = matplotlib.image.imread(file)[..., :3]
  return np.any(np.all(np.abs(picture - color[:3]) < 0.02, axis=-1))


@pytest.mark.parametrize("count", [1, 3, 14])
def test_every_run_has_its_colour(tmp_path, count):
  file = tmp_path / "runs.png"
  runs = {f"run {n}": _rows(n / 30) for n in range(count)} | {"empty": []}
  save_run_curves(runs, file, measures=dict.fromkeys(runs, "top1"))
  few = count <= 10
  palette = colormaps["tab10" if few else "turbo"]
  for number in range(count):
    assert _has(file, palette(number if few else number / (count - 1)))
  if few:
    assert not _has(file, palette(count))


def test_a_run_without_steps_is_drawn_at_its_final_test(tmp_path):
  runs, tab10 = {"probe": [], "tuned": _rows(0.5)}, colormaps["tab10"]
  file = tmp_path / "runs.png"
  measures = dict.fromkeys(runs, "top1")
  save_run_curves(runs, file, measures=measures, finals={"probe": 0.7, "tuned": 0.8})
  assert _has(file, tab10(0))
  assert _has(file, tab10(1))
  assert not _has(file, tab10(2))


def test_runs_without_values_are_refused(tmp_path):
  with pytest.raises(ValueError, match="no run has a value to draw"):
    save_run_curves({"a": []}, tmp_path / "x.png", measures={})
  save_run_curves({"a": [{"step": 1, "loss": 2}]}, tmp_path / "x.png", measures={})
