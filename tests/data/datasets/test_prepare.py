import threading
from concurrent import futures

import pytest

from temporal_jax.data.datasets import camera_motion_events, prepare


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


class _Builder:
  """Stands for a TFDS builder, which refuses a folder that is there."""

  name = "moves"

  def __init__(self, folder):
    self.data_dir = str(folder)

  def download_and_prepare(self):
    print("two sentences of 110 characters")


def test_it_returns_whether_it_built(tmp_path, capsys):
  said = []
  folder = tmp_path / "moves" / "1.0.0"
  assert prepare.prepare(_Builder(folder), said.append)
  assert said == [f"building moves in {folder}."]
  folder.mkdir(parents=True)
  assert not prepare.prepare(_Builder(folder), said.append)
  assert len(said) == 1
  assert not capsys.readouterr().out
