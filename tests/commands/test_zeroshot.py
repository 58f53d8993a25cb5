import json
import pathlib

import jax
import pytest

from temporal_jax import inference
from temporal_jax.cli import main
from temporal_jax.inference.text_search import zero_shot
from temporal_jax.inference.text_search.zero_shot_splits import SplitScores
from tests.support import saved_video_text as small


@pytest.fixture(scope="module")
def model(tmp_path_factory):
  directory = tmp_path_factory.mktemp("models") / "xclip"
  saved = small.make_saved()
  inference.save_model(directory, saved.variables, saved.description)
  return str(directory)


def test_files_are_told_by_labels(model, video_folder, tmp_path, capsys, monkeypatch):
  taken = []

  def with_labels(saved, labels, *, templates):
    taken.append((labels, templates))
    return zero_shot.with_labels(saved, labels, templates=templates)

  monkeypatch.setattr(inference, "with_labels", with_labels)
  bad = tmp_path / "bad.mp4"
  bad.touch()
  files = [str(video_folder / "rise" / "0.mp4"), str(bad)]
  report, names = tmp_path / "out.json", tmp_path / "labels.txt"
  names.write_text("a dog runs\na cat, asleep\nfalling\n")
  words = ["zeroshot", *files, "--model", model, "--topk", "3"]
  words += ["--labels-file", str(names), "--json", str(report)]
  assert main([*words, "--template", "a video of {}."]) == 1
  labels = ("a dog runs", "a cat, asleep", "falling")
  assert taken == [(labels, ("a video of {}.",))]
  good, failed = json.loads(report.read_text())
  assert good["file"] == files[0]
  assert {one["label"] for one in good["predictions"]} == set(labels)
  values = [one["probability"] for one in good["predictions"]]
  assert sum(values) == pytest.approx(1)
  assert values == sorted(values, reverse=True)
  assert failed == {
    "file": files[1],
    "predictions": [],
    "error": "the file is empty",
  }
  shown = capsys.readouterr()
  first = good["predictions"][0]
  assert shown.out.startswith(f"{files[0]}\n  {values[0]:6.1%}  {first['label']}\n")
  assert f"bad: {bad}: the file is empty" in shown.err


def test_splits_are_scored(model, tmp_path, capsys, monkeypatch):
  asked = []

  def score_splits(saved, *words, templates, **_):
    asked.append((saved.name, *words, templates))
    bad = {"videos/a.avi": "the file is empty"}
    return SplitScores((0.5, 0.6, 0.7), (2, 5, 10), bad, ("go up", "go down"))

  monkeypatch.setattr(inference, "score_splits", score_splits)
  report = tmp_path / "out.json"
  words = ["zeroshot", "--annotations", "ucf101", "--root", "lists"]
  words += ["--videos", "videos", "--model", model, "--json", str(report)]
  assert main([*words, "--template", "{}", "--template", "a {}"]) == 1
  folders = (pathlib.Path("lists"), pathlib.Path("videos"))
  assert asked == [("xclip_b32", "ucf101", *folders, ("{}", "a {}"))]
  shown = capsys.readouterr()
  assert shown.out.splitlines() == [
    "split 1: top-1 50.0% of 2 videos",
    "split 2: top-1 60.0% of 5 videos",
    "split 3: top-1 70.0% of 10 videos",
    "mean 60.0%, deviation 8.2%",
  ]
  assert "bad: videos/a.avi: the file is empty" in shown.err
  saved = json.loads(report.read_text())
  assert saved["top1"] == [0.5, 0.6, 0.7]
  assert saved["mean"] == pytest.approx(0.6)
  assert saved["deviation"] == pytest.approx((0.02 / 3) ** 0.5)
  assert saved["templates"] == ["{}", "a {}"]
  assert saved["protocol"]["num_clips"] == 1


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["a.mp4"], "missing: --labels."),
    (["--labels", "a, b"], "missing: FILE|DIR|GLOB."),
    (["a.mp4", "--labels", "a, b", "--root", "x"], "too much: --root."),
    (["--annotations", "hmdb51", "--labels", "a, b"], "missing: --root, --vid"),
    (["a.mp4", "--labels", "a,,b"], "label 2 of 3 is empty"),
    (["a.mp4", "--labels", "a, b", "--template", "c"], "must hold {} once"),
    (["a.mp4", "--labels", "a, b", "--topk", "0"], "--topk must be at least"),
    (["/nowhere/*.mp4", "--labels", "a, b"], "no video matches"),
    (["a.mp4", "--labels", "a, b", "--json", "a.mp4"], "both a file that is read"),
    (["a.mp4", "--labels-file", "~/b", "--json", "~/b"], "is read and --json"),
  ],
)
def test_what_cannot_be_run_ends_with_2(model, capsys, words, message):
  assert main(["zeroshot", "--model", model, *words]) == 2
  assert message in capsys.readouterr().err


def test_leaves_that_were_never_trained_are_counted(video_folder, tmp_path, capsys):
  saved = small.make_saved()
  new = {f"params/visual/block1/leaf{i}": "no images have it" for i in range(3)}
  description = {**saved.description, "report": {"new": new}}
  directory = str(tmp_path / "new")
  inference.save_model(directory, saved.variables, description)
  total = len(jax.tree.leaves(saved.variables))
  note = (
    f"note: 3 of {total} leaves of xclip_b32 are new and were never trained: "
    "its predictions may be chance.\n"
  )
  video = str(video_folder / "rise" / "0.mp4")
  zeroshot = ["zeroshot", video, "--labels", "rising, falling"]
  index = ["--index", str(tmp_path / "index.npz")]
  search = ["search", str(video_folder), "rising", *index]
  for words in (zeroshot, search, ["predict", video]):
    assert main([*words, "--model", directory]) == 0
    assert capsys.readouterr().err.startswith(note)
