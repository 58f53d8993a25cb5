import json
import pathlib

import numpy as np
import pytest

from temporal_jax import evaluation
from temporal_jax.cli import main

NAMES = ("left", "right")


def _save(directory, scores, ids="abcd", **protocol):
  directory.mkdir()
  predictions = evaluation.from_views(ids, np.array([0, 0, 1, 1]), np.asarray(scores))
  file = directory / "scores.npz"
  evaluation.save_scores(file, predictions, NAMES, protocol=protocol)
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


@pytest.mark.parametrize(
  "words",
  [
    ["combine", "ONE", "TWO", "ONE"],
    ["compare", "TWO", "ONE", "ONE"],
    ["views", "ONE", "ONE"],
    ["frames", "ONE", "FOLDER"],
    ["upload", "ONE", "ONE", "--format", "ssv2"],
  ],
)
def test_scores_that_are_read_are_not_written_over(runs, words, capsys):
  one, two = map(pathlib.Path, runs)
  before = one.read_bytes()
  named = {"ONE": one, "TWO": two, "FOLDER": one.parent}
  words = [str(named.get(word, word)) for word in words]
  assert main(["scores", *words]) == 2
  assert f"{one} cannot be both a file that is read and OUT" in capsys.readouterr().err
  # The first of the runs is OUT where OUT is forgotten.
  (one.parent / "model.json").write_text("{}")
  words = [str(two) if word == str(one.parent) else word for word in words]
  if words[0] in ("combine", "views", "frames"):
    assert main(["scores", words[0], str(one), str(two)]) == 2
    assert f"{one} is a record of the run" in capsys.readouterr().err
  assert one.read_bytes() == before


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
  labels = np.eye(2)[[0, 0, 1, 1]]
  several = evaluation.Predictions(tuple("abcd"), labels, labels, None)
  tasks = evaluation.Predictions(
    tuple("abcd"), np.zeros((4, 1), int), {"verb": labels}, None
  )
  for name, found, names in (
    ("several", several, NAMES),
    ("tasks", tasks, {"verb": NAMES}),
  ):
    (tmp_path / name).mkdir()
    file = tmp_path / name / "scores.npz"
    evaluation.save_scores(file, found, names, protocol={})
  for words, message in (
    (["views", out, str(tmp_path / "several")], "several classes per video"),
    (["views", out, str(tmp_path / "tasks")], "has several tasks, verb"),
    (["combine", out, str(tmp_path)], f"{tmp_path}/scores.npz"),
    (["combine", out, runs[0], other], "ids differ"),
    (["combine", out, str(tmp_path / "none.npz")], "none.npz"),
    (["views", out, runs[0]], "holds no views"),
  ):
    assert main(["scores", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_run_is_its_folder_wherever_its_videos_were(tmp_path, capsys):
  """As if the videos had moved between the two runs."""
  tails = [f"{name}/{i}.mp4" for name in NAMES for i in range(2)]
  scores = [[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [1, 0]]
  before = _save(tmp_path / "a", scores, [f"/data/x/{t}" for t in tails])
  order = [3, 1, 0, 2]
  predictions = evaluation.Predictions(
    tuple(f"/mnt/{tails[i]}" for i in order),
    np.array([0, 0, 1, 1])[order],
    np.eye(2)[[0, 0, 1, 1]][order],
  )
  (tmp_path / "b").mkdir()
  file = tmp_path / "b" / "scores.npz"
  evaluation.save_scores(file, predictions, NAMES, protocol={})
  folders = [str(tmp_path / "a"), str(tmp_path / "b")]
  out = tmp_path / "gains.png"
  assert main(["scores", "compare", *folders, str(out)]) == 0
  shown = capsys.readouterr().out
  assert f"{folders[0]}: top1 50.0%" in shown
  assert f"{folders[1]}: top1 100.0%" in shown
  assert out.exists()
  both = tmp_path / "both.npz"
  assert main(["scores", "combine", str(both), *folders]) == 0
  combined = evaluation.load_scores(both).predictions
  assert combined.ids == evaluation.load_scores(before).predictions.ids
  np.testing.assert_allclose(combined.scores[3], [0.5, 0.5])


def test_runs_that_are_alike_are_not_drawn(runs, tmp_path, capsys):
  out = tmp_path / "gains.png"
  assert main(["scores", "compare", runs[0], runs[0], str(out)]) == 0
  assert "No class is recognized better or worse" in capsys.readouterr().out
  assert not out.exists()


def test_crops_and_fusion_are_those_of_the_run(tmp_path, capsys):
  views = np.full((4, 4, 2), [0.6, 0.4])
  views[2:, 2:] = [0.1, 0.9]
  protocol = {"num_crops": 2, "fusion": "logits"}
  run = _save(tmp_path / "run", views, **protocol)
  out = str(tmp_path / "views.png")
  assert main(["scores", "views", out, str(tmp_path / "run")]) == 0
  told = capsys.readouterr().out
  assert main(["scores", "views", out, run, "--crops", "2"]) == 0
  assert "by clips of 2 crops 1: 100.0%, 2: 100.0%" in told
  assert capsys.readouterr().out.split(": ", 1)[1] == told.split(": ", 1)[1]
  assert main(["scores", "views", out, run, "--crops", "3"]) == 2
  assert f"{run}: 4 views are no multiple of 3" in capsys.readouterr().err


def _run(workdir, scores, frames, **overrides):
  _save(workdir, scores, num_frames=frames)
  description = {
    "model": "resnet18",
    "overrides": overrides,
    "num_classes": 2,
    "clip_shape": [frames, 16, 16, 3],
    "class_names": NAMES,
    "pixels": {name: [0.5] * 3 for name in ("mean", "std")},
  }
  (workdir / "model.json").write_text(json.dumps(description))
  return str(workdir)


def test_accuracy_by_frames_is_drawn(tmp_path, capsys):
  right, half = np.eye(2)[[0, 0, 1, 1]], np.eye(2)[[0, 1, 0, 1]]
  out, staged = str(tmp_path / "frames.png"), tmp_path / "staged"
  staged.mkdir()
  for stage, (scores, frames) in enumerate(((half, 8), (right, 16)), start=1):
    _run(staged / f"stage_{stage}", scores, frames, temporal="aggregation")
  plain = _run(tmp_path / "plain", half, 8)
  assert main(["scores", "frames", out, str(staged), plain]) == 0
  shown = capsys.readouterr().out
  assert "stage_2: resnet18, aggregation, 16 frames: 100.0%" in shown
  assert "plain: resnet18, 8 frames: 50.0%" in shown
  assert pathlib.Path(out).stat().st_size > 5_000
  other = _run(tmp_path / "other", half, 8)
  (tmp_path / "bare").mkdir()
  for runs, message in (
    ([plain, other], "two runs are of resnet18 with 8 frames"),
    ([str(tmp_path / "bare")], "no model.json"),
  ):
    assert main(["scores", "frames", out, *runs]) == 2
    assert message in capsys.readouterr().err
