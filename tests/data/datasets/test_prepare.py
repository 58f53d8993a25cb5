import threading
from concurrent import futures

import pytest

from temporal_jax.data.datasets import camera_motion, camera_motion_events, prepare


@pytest.fixture
def slow_films(monkeypatch):
  """Films that are written only after `release` is set."""
  release, written = threading.Event(), []

  def write(folder):
    assert release.wait(60)
    folder.mkdir()
    written.append(folder)

  monkeypatch.setattr(camera_motion_events, "write_films", write)
  return release, written


@pytest.fixture
def few_clips(monkeypatch):
  clips = {"train": 16, "test": 8}
  monkeypatch.setattr(camera_motion.CameraMotion, "NUM_CLIPS", clips)
  return clips


def test_of_two_processes_one_builds_and_the_other_waits(slow_films, tmp_path):
  release, written = slow_films
  said = []

  def say(sentence):
    said.append(sentence)
    if "waiting" in sentence:
      release.set()

  with futures.ThreadPoolExecutor(2) as pool:
    both = [
      pool.submit(prepare.prepare_films, "camera_motion_events", tmp_path, say)
      for _ in range(2)
    ]
    folders = {one.result(60) for one in both}
  (folder,) = folders
  assert len(written) == 1
  assert [file.name for file in tmp_path.rglob("*")] == [
    "camera_motion_events",
    folder.name,
  ]
  assert [sentence.split()[0] for sentence in said] == ["building", f"{folder.parent}"]


def _builder(folder):
  return camera_motion.CameraMotion(data_dir=str(folder), file_format="array_record")


def test_it_returns_whether_it_built(few_clips, tmp_path, capsys):
  said = []
  first = _builder(tmp_path)
  assert prepare.prepare(first, said.append)
  assert said == [f"building camera_motion in {first.data_dir}."]
  assert not prepare.prepare(_builder(tmp_path), said.append)
  assert len(said) == 1
  assert not capsys.readouterr().out


def test_a_builder_that_waited_has_the_splits_of_the_other(few_clips, tmp_path):
  both = [_builder(tmp_path) for _ in range(2)]
  assert [prepare.prepare(builder) for builder in both] == [True, False]
  for builder in both:
    assert len(builder.as_data_source("train[:50%]")) == few_clips["train"] // 2
