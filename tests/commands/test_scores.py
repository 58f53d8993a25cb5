import numpy as np
import pytest

from temporal_jax import evaluation
from temporal_jax.cli import main

NAMES = ("left", "right")


def _save(directory, scores, ids="abcd"):
  directory.mkdir()
  predictions = evaluation.from_views(
    ids, np.array([0, 0, 1, 1]), np.asarray(scores)
  )
  file = directory / "scores.npz"
  evaluation.save_scores(file, predictions, NAMES, protocol={"views": 1})
  return str(file)


@pytest.fixture
def runs(tmp_path):
  one = _save(tmp_path / "one", [[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [1, 0]])
  two = _save(tmp_path / "two", [[0.8, 0.2], [0.7, 0.3], [0.6, 0.4], [1, 0]])
  return one, two


def test_runs_are_combined(runs, tmp_path, capsys):
  out = tmp_path / "both.npz"
  assert main(["scores", "combine", str(out), *runs]) == 0
  shown = capsys.readouterr().out
  assert f"{runs[0]}: top1 50.0%" in shown
  assert "together: top1 75.0%" in shown
  got = evaluation.load_scores(out).predictions.scores
  np.testing.assert_allclose(got[1], [0.55, 0.45])
  words = ["combine", str(out), *runs, "--weights", "9", "1"]
  assert main(["scores", *words]) == 0
  assert "together: top1 50.0%" in capsys.readouterr().out


def test_runs_are_compared(runs, tmp_path, capsys):
  out = tmp_path / "gains.png"
  assert main(["scores", "compare", *runs, str(out)]) == 0
  assert "two/scores.npz: top1 50.0%" in capsys.readouterr().out
  assert out.stat().st_size > 10_000


def test_accuracy_by_views_is_shown(tmp_path, capsys):
  views = np.full((4, 4, 2), [0.6, 0.4])
  views[2:, 2:] = [0.1, 0.9]  # The second clip, of two crops, knows.
  run, out = _save(tmp_path / "run", views), tmp_path / "views.png"
  assert main(["scores", "views", str(out), run, "--crops", "2"]) == 0
  assert "1: 100.0%, 2: 100.0%" in capsys.readouterr().out
  assert out.stat().st_size > 5_000


def test_what_cannot_be_run_ends_with_2(runs, tmp_path, capsys):
  other = _save(tmp_path / "other", np.full((4, 2), 0.5), ids="abce")
  out = str(tmp_path / "out")
  for words, message in (
    (["combine", out, runs[0], other], "ids differ"),
    (["combine", out, str(tmp_path / "none.npz")], "none.npz"),
    (["views", out, runs[0]], "holds no views"),
  ):
    assert main(["scores", *words]) == 2
    assert message in capsys.readouterr().err
