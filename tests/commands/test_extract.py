import shutil

import numpy as np
import pytest

from temporal_jax.cli import main
from tests.support import saved_models


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
  return saved_models.save_resnet(tmp_path_factory.mktemp("models") / "tiny")


def test_a_folder_is_extracted_and_kept(directory, video_folder, tmp_path, capsys):
  root = shutil.copytree(video_folder, tmp_path / "videos")
  (root / "rise" / "3.mp4").write_bytes(b"")
  out = tmp_path / "out"
  words = ["extract", str(root), str(out), "--model", directory]
  words += ["--window", "4", "--stride", "2"]
  assert main(words) == 1
  shown = capsys.readouterr().out
  assert f"bad: {root / 'rise' / '3.mp4'}: the file is empty" in shown
  assert f"11 files written to {out}, 0 were there; 1 bad." in shown
  with np.load(out / "fall" / "0.npz") as file:
    assert file["features"].shape == (4, 8)
    assert (file["fps"], file["window"], file["stride"]) == (10, 4, 2)
  (root / "rise" / "3.mp4").unlink()
  assert main(words) == 0
  assert "0 files written" in capsys.readouterr().out
  assert main([*words, "--features", "tokens"]) == 1
  assert "has feature pooled instead of tokens" in capsys.readouterr().out


def test_names_are_listed(directory, capsys):
  assert main(["extract", "--model", directory, "--list-names"]) == 0
  lines = capsys.readouterr().out.splitlines()
  assert lines[0] == "pooled  (8)"
  assert "stage1_block1  (2, 4, 4, 8)" in lines


def test_what_cannot_be_run_ends_with_2(directory, tmp_path, capsys):
  video = tmp_path / "v.mp4"
  video.touch()
  for words, message in (
    ([str(video)], "give videos and, last, the folder to write"),
    ([str(video), str(video)], "the last path, is no folder to write"),
    ([str(tmp_path), "out", "--features", "bloc"], "unknown feature 'bloc'"),
    ([str(tmp_path / "*.avi"), "out"], "no video matches"),
    ([str(video), "out", "--window", "1"], "is too short"),
  ):
    assert main(["extract", *words, "--model", directory]) == 2
    assert message in capsys.readouterr().err
  assert main(["extract", "a", "b", "--model", str(tmp_path)]) == 2
  assert "there is no model.json" in capsys.readouterr().err
