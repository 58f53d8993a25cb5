import json

import numpy as np
import pytest

from temporal_jax.cli import main
from temporal_jax.data import VideoReader
from tests.support.tiny_predictor import NAMES, save_tiny, write_noise


@pytest.fixture(scope="module")
def model(tmp_path_factory):
  return str(save_tiny(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
  root = tmp_path_factory.mktemp("videos")
  (root / "deep").mkdir()
  write_noise(root / "b.mp4", 5, (32, 40))
  write_noise(root / "deep" / "a.mp4", 9, (16, 24))
  return root


def test_a_folder_with_a_bad_file(model, videos, tmp_path, capsys):
  bad, out = tmp_path / "bad.mp4", tmp_path / "out.json"
  bad.touch()
  words = [str(bad), str(videos), str(videos / "b.mp4"), "--model", model]
  words += ["--json", str(out), "--topk", "3", "--batch-size", "5"]
  assert main(["predict", *words]) == 1
  shown = capsys.readouterr()
  assert shown.err == f"bad: {bad}: the file is empty\n"
  records = json.loads(out.read_text())
  files = [str(videos / name) for name in ("b.mp4", "deep/a.mp4")]
  assert [record["file"] for record in records] == [str(bad), *files]
  assert records[0] == {
    "file": str(bad),
    "predictions": [],
    "error": "the file is empty",
  }
  lines = shown.out.splitlines()
  assert lines[::4] == files
  for number, record in enumerate(records[1:]):
    assert record["error"] is None
    found = record["predictions"]
    assert {one["label"] for one in found} == set(NAMES)
    values = [one["probability"] for one in found]
    assert values == sorted(values, reverse=True)
    assert sum(values) == pytest.approx(1, abs=1e-5)
    assert lines[4 * number + 1] == (f"  {100 * values[0]:5.1f}%  {found[0]['label']}")
  assert {path.name for path in tmp_path.iterdir()} == {"bad.mp4", "out.json"}


def test_one_video_with_other_views_is_annotated(model, videos, tmp_path, capsys):
  out = tmp_path / "out.mp4"
  words = [str(videos / "*.mp4"), "--model", model, "--annotate", str(out)]
  words += ["--topk", "2", "--views", "1x3", "--batch-size", "5"]
  assert main(["predict", *words]) == 0
  shown = capsys.readouterr()
  assert "1 x 3 views (clips x crops)" in shown.err
  assert len(shown.out.splitlines()) == 3
  with VideoReader(videos / "b.mp4") as old, VideoReader(out) as new:
    assert (new.num_frames, new.fps) == (old.num_frames, old.fps)
    before, after = old.read([2]), new.read([2])
  assert after.shape == before.shape
  assert np.abs(before[:, 20:].astype(int) - after[:, 20:]).mean() > 20


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["VIDEOS", "--topk", "0"], "--topk must be at least 1, got 0"),
    (["VIDEOS", "--views", "4by3"], "clips x crops as 4x3, got '4by3'"),
    (["VIDEOS", "--threads", "0"], "num_threads must be at least 1, got 0"),
    (["VIDEOS", "--batch-size", "0"], "batch_size must be at least 1, got 0"),
    (["VIDEOS", "--model", "/nowhere"], "there is no file or folder /nowhere"),
    (["VIDEOS/*.avi"], "no video matches"),
    (["VIDEOS/../empty"], "holds no video; files must end in"),
    (["VIDEOS", "--json", "/nowhere/out.json"], "/nowhere is no folder"),
    (["VIDEOS", "--json", "VIDEOS"], "is a folder, and no file"),
    (["VIDEOS", "--json", "VIDEOS/b.mp4"], "both a file that is read and --json"),
    (["VIDEOS/b.mp4", "--annotate", "VIDEOS/b.mp4"], "is read and --annotate"),
    (["VIDEOS", "--json", "a", "--annotate", "a"], "both --json and --annotate"),
    (["VIDEOS", "--annotate", "out.mp4"], "writes one video, got 2"),
    (["VIDEOS/b.mp4", "--annotate", "out.avi"], "must end in .mp4"),
  ],
)
def test_what_cannot_be_run_ends_with_2(model, videos, capsys, words, message):
  (videos.parent / "empty").mkdir(exist_ok=True)
  words = [word.replace("VIDEOS", str(videos)) for word in words]
  if "--model" not in words:
    words += ["--model", model]
  assert main(["predict", *words]) == 2
  shown = capsys.readouterr()
  assert shown.err.startswith("temporal-jax predict: ") or "--views" in words
  assert message in shown.err
  assert not shown.out
