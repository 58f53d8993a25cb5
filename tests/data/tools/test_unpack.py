import os

import pytest

from temporal_jax.cli import main
from temporal_jax.data import DatasetSource
from temporal_jax.data.datasets import camera_motion, photograph_clips
from temporal_jax.data.listing.find_videos import file_sources
from temporal_jax.data.tools.unpack import unpack


@pytest.fixture(autouse=True)
def _small(monkeypatch):
  clips = {"train": 18, "test": 6}
  monkeypatch.setattr(camera_motion.CameraMotion, "NUM_CLIPS", clips)


def test_files_are_those_of_the_data_set(tmp_path, capsys):
  out, data = tmp_path / "clips", tmp_path / "data"
  words = ["compound_motion", str(out), "--per-class", "2", "--skip", "1"]
  assert main(["data", "unpack", *words, "--data-dir", str(data)]) == 0
  assert "12 training videos and 6 test videos of 6 classes" in capsys.readouterr().out
  known = {}
  for split in ("train", "test"):
    source = DatasetSource("compound_motion", split, data)
    known |= {source[i]["id"]: source[i]["video"] for i in range(len(source))}
  sources = file_sources(out, 0.0)
  assert {name: len(source) for name, source in sources.items()} == {
    "train": 12,
    "test": 6,
  }
  for source in sources.values():
    for number in range(len(source)):
      path = source[number]["video"]
      name = os.path.basename(path).removesuffix(".mp4")
      motion = source.class_names[source[number]["label"]]
      assert name.endswith(motion)
      with open(path, "rb") as file:
        assert file.read() == known[name]
  listed = file_sources(out / "clips.csv", 0.0)
  for split, source in listed.items():
    photographs = {source[i]["group"] for i in range(len(source))}
    assert photographs <= {*photograph_clips.PHOTOGRAPHS[split]}
  assert len(listed["train"]) == 12
  rest = unpack("compound_motion", tmp_path / "first", data, per_class=1)
  assert rest.videos["train"] == 6
  taken, others = (
    {file.name for file in (tmp_path / name / "train").rglob("*.mp4")}
    for name in ("clips", "first")
  )
  assert not taken & others


def test_a_refused_command_leaves_nothing(tmp_path):
  (tmp_path / "there").mkdir()
  for out, options, words in (
    ("there", {}, "exists already"),
    ("out", {"per_class": 9}, "2 training videos of a class"),
    ("out", {"per_class": -1}, "per_class"),
    ("out", {"skip": -1}, "skip"),
  ):
    with pytest.raises((ValueError, FileExistsError), match=words):
      unpack("camera_motion", tmp_path / out, tmp_path / "data", **options)
  with pytest.raises(ValueError, match="did you mean"):
    unpack("camera_moton", tmp_path / "out", tmp_path / "data")
  assert not (tmp_path / "out").exists()
