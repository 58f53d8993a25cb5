"""Files that would be lost, or cannot be written, are refused."""

import os

import pytest

from temporal_jax import storage


def test_new_and_old_files_may_be_written(tmp_path):
  (tmp_path / "old.json").touch()
  files = {"--json": tmp_path / "old.json", "--png": tmp_path / "new.png"}
  storage.check_outputs({**files, "--csv": None}, [tmp_path / "video.mp4"])
  storage.check_outputs({"--json": None}, [tmp_path / "video.mp4"])
  assert [file.name for file in tmp_path.iterdir()] == ["old.json"]


@pytest.mark.parametrize(
  ("file", "message"),
  [
    ("no/a.json", "no is no folder to write to"),
    ("folder", "folder is a folder, and no file to write"),
    ("gs://bucket/a.json", "--json gs://bucket/a.json must be on this machine"),
  ],
)
def test_a_place_that_takes_no_file(tmp_path, monkeypatch, file, message):
  (tmp_path / "folder").mkdir()
  monkeypatch.chdir(tmp_path)
  with pytest.raises((OSError, ValueError), match=message):
    storage.check_outputs({"--json": file})


def test_a_file_has_one_use(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  video = tmp_path / "video.mp4"
  video.write_text("a video")
  os.link(video, tmp_path / "hard")
  (tmp_path / "soft").symlink_to("video.mp4")
  for name in ("video.mp4", "./video.mp4", "hard", "soft", video):
    with pytest.raises(ValueError, match="both a file that is read and --png"):
      storage.check_outputs({"--png": name}, [video])
  for one, other in (("a", "./a"), (video, "soft")):
    with pytest.raises(ValueError, match="cannot be both --json and --csv"):
      storage.check_outputs({"--json": one, "--csv": other})
  with pytest.raises(ValueError, match="both a file that is read and --png"):
    storage.check_outputs({"--png": "gone.mp4"}, [tmp_path / "gone.mp4"])


def test_a_record_is_not_lost(tmp_path):
  for name in ("model.json", "config.json"):
    (tmp_path / name).write_text("{}")
  (tmp_path / "link.json").symlink_to("config.json")
  for name in ("config.json", "scores.npz", "link.json"):
    with pytest.raises(FileExistsError, match=rf"{name} is a record of the run"):
      storage.check_outputs({"--json": tmp_path / name})
  storage.check_outputs({"--json": tmp_path / "new.json"})


def test_a_record_of_a_test_is_not_lost(tmp_path):
  (tmp_path / "report.json").touch()
  storage.check_outputs({"--json": tmp_path / "report.json"})
  storage.check_outputs({"OUT.npz": tmp_path / "scores.npz"})
  (tmp_path / "scores.npz").touch()
  for name in ("report.json", "scores.npz"):
    with pytest.raises(FileExistsError, match=f"{name} is a record of"):
      storage.check_outputs({"OUT": tmp_path / name})
