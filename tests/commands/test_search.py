import json
import shutil

import pytest

from temporal_jax import inference
from temporal_jax.cli import main
from tests.support import saved_video_text as small


@pytest.fixture(scope="module")
def model(tmp_path_factory):
  directory = tmp_path_factory.mktemp("models") / "xclip"
  saved = small.make_saved()
  inference.save_model(directory, saved.variables, saved.description)
  return str(directory)


def test_videos_are_found(model, video_folder, tmp_path, capsys):
  root = shutil.copytree(video_folder, tmp_path / "videos")
  report = tmp_path / "found.json"
  words = ["search", str(root), "a dog runs", "--model", model, "--topk", "2"]
  words += ["--index", str(tmp_path / "index.npz"), "--json", str(report)]
  assert main(words) == 0
  shown = capsys.readouterr()
  assert "12 videos computed, 0 known from before, 0 gone" in shown.err
  found = json.loads(report.read_text())
  assert [one["file"][: len(str(root))] for one in found] == 2 * [str(root)]
  assert found[0]["similarity"] > found[1]["similarity"]
  assert shown.out == "".join(
    f"{one['similarity']:7.4f}  {one['file']}\n" for one in found
  )
  (root / "rise" / "0.mp4").write_bytes(b"")
  (root / "fall" / "0.mp4").unlink()
  assert main(words) == 1
  shown = capsys.readouterr().err
  assert "gone: fall/0.mp4\n" in shown
  assert "bad: rise/0.mp4: the file is empty" in shown
  assert "0 videos computed, 10 known from before, 1 gone, 1 bad" in shown


def test_what_cannot_be_run_ends_with_2(model, video_folder, tmp_path, capsys):
  index = tmp_path / "index.npz"
  for words, message in (
    (["a dog", "--topk", "0"], "--topk must be at least 1, got 0"),
    (["a dog", "--json", "/nowhere/out.json"], "/nowhere is no folder"),
    (["a dog", "--json", str(index)], "both --index and --json"),
    (["a dog", "--json", str(video_folder / "rise/0.mp4")], "is read and --json"),
    ([""], "1 to 18 tokens, '' has 0"),
  ):
    start = ["search", str(video_folder), "--model", model]
    assert main([*start, "--index", str(index), *words]) == 2
    assert message in capsys.readouterr().err
  assert not index.exists()
