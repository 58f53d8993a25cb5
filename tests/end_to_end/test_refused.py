"""Starts that cannot be: one message, and nothing changes."""

import os
import pathlib
import subprocess
import sys

import pytest

from temporal_jax import experiment, storage, training


def test_a_second_start_is_refused(run, video_folder, tmp_path):
  with storage.FolderLock(tmp_path):
    before = sorted(tmp_path.iterdir())
    status, out, err = run(tmp_path, f"data.root={video_folder}")
    assert sorted(tmp_path.iterdir()) == before
  assert status == 1
  assert out == ""
  (words,) = err.strip().splitlines()
  assert words.startswith(
    f"train.py: {tmp_path} is in use by process {os.getpid()} on host"
  )


@pytest.mark.parametrize("more", [(), ("--verbosity=1",)])
def test_a_file_where_the_workdir_belongs(run, video_folder, tmp_path, more):
  (tmp_path / "file").touch()
  workdir = tmp_path / "file" / "run"
  status, _, err = run(workdir, f"data.root={video_folder}", more=more)
  assert status == 1
  assert f"train.py: {workdir}: Not a directory." in err.splitlines()
  assert ("Traceback" in err) == bool(more)


def test_a_refused_first_start_leaves_nothing(tmp_path):
  workdir = tmp_path / "runs" / "mine"
  with experiment.lock(workdir, wait=False, stop=training.StopRequest()):
    (workdir / "checkpoints").mkdir()
    (workdir / "stage_1" / "checkpoints").mkdir(parents=True)
  assert list(tmp_path.iterdir()) == []
  with experiment.lock(workdir, wait=False, stop=training.StopRequest()):
    (workdir / "checkpoints" / "1").mkdir(parents=True)
  assert (workdir / "checkpoints" / "1").is_dir()


def test_the_lock_is_released_and_waits_until_stopped(tmp_path):
  stop = training.StopRequest()
  with experiment.lock(tmp_path, wait=False, stop=stop):
    stop.signal = "SIGTERM"
    with (
      pytest.raises(storage.FolderInUseError),
      experiment.lock(tmp_path, wait=True, stop=stop),
    ):
      pass
  with experiment.lock(tmp_path, wait=False, stop=stop):
    pass
  assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_what_reads_a_checkpoint_ends_quietly_with_the_command(whole, video_folder):
  done = subprocess.run(
    [
      *(sys.executable, "-m", "temporal_jax", "predict"),
      *(video_folder / "rise" / "0.mp4", "--model", whole[0], "--views", "5x5"),
    ],
    capture_output=True,
    text=True,
    check=False,
  )
  assert done.returncode == 2
  assert done.stderr == (
    "temporal-jax predict: --views 5x5: the crops of a clip must be in (1, 3, 10).\n"
  )


@pytest.mark.parametrize(
  ("address", "message"),
  [
    ("hf://me/net", "push_to_hub uploads the run afterwards"),
    ("gs://me/net", "the workdir gs://me/net must be on this machine: mount the"),
  ],
)
def test_an_address_is_no_workdir(tmp_path, monkeypatch, address, message):
  monkeypatch.chdir(tmp_path)
  lock = experiment.lock(pathlib.Path(address), wait=False, stop=training.StopRequest())
  with pytest.raises(ValueError, match=message), lock:
    pass
  assert not [*tmp_path.iterdir()]
