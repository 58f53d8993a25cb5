"""train.py stopped, killed and started again: nothing changes."""

import random
import shutil
import signal
import time

import jax
import numpy as np
import pytest

from temporal_jax import training
from tests.support.tar_shards import shard_folder


def _assert_same(workdir, whole):
  """Same values, same parameters, bit for bit."""
  for name in ("metrics.jsonl", "config.json"):
    assert (workdir / name).read_text() == (whole / name).read_text()
  jax.tree.map(
    np.testing.assert_array_equal,
    training.read_state(workdir),
    training.read_state(whole),
  )


def test_a_complete_run_says_so_and_evaluates_again(run, whole, video_folder, tmp_path):
  workdir = shutil.copytree(whole[0], tmp_path / "copy")
  (workdir / "report.json").unlink()
  status, out, err = run(workdir, f"data.root={video_folder}")
  assert status == 0, err
  assert "nothing is left to train" in out
  _assert_same(workdir, whole[0])
  assert (workdir / "report.json").exists()


def _wait_for_start(process):
  """Waits until a run prints its start."""
  for line in process.stdout:
    if line.startswith("start: "):
      return


@pytest.mark.slow
def test_sigterm_at_any_step_changes_nothing(start, run, whole, video_folder, tmp_path):
  """Stops three times, as soon as a step is done, or until the run is over."""
  stops = 0
  for longest in (0.5, 2.5, 2.5):  # Seconds; a whole run takes a few.
    process = start(tmp_path, f"data.root={video_folder}")
    _wait_for_start(process)
    time.sleep(random.uniform(0.0, longest))
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate()
    if "SIGTERM: stopped at step" not in out:  # It came after the last step,
      assert (tmp_path / "report.json").exists(), err  # or when all was done.
      break
    assert process.returncode == 0, err
    stops += 1
  status, _, err = run(tmp_path, f"data.root={video_folder}")
  assert status == 0, err
  assert stops > 0
  _assert_same(tmp_path, whole[0])


def _kill_until_done(start, run, workdir, flags, kills):
  """Kills a run at random moments, many of them while it saves."""
  for _ in range(kills):
    before = _complete(workdir)
    process = start(workdir, *flags, "save_every=1")
    _wait_for_start(process)
    while _complete(workdir) == before and process.poll() is None:
      time.sleep(0.01)
    time.sleep(random.uniform(0.0, 1.0))
    process.kill()
    process.communicate()
  status, out, err = run(workdir, *flags)
  assert status == 0, err
  return out


def _complete(workdir):
  """Returns the steps of a run's complete checkpoints."""
  folders = (workdir / "checkpoints").glob("*")
  return {path.name for path in folders if path.name.isdigit()}


def test_sigkill_restarts_from_the_last_complete_checkpoint(
  start, run, whole, video_folder, tmp_path
):
  flags = (f"data.root={video_folder}",)
  out = _kill_until_done(start, run, tmp_path, flags, kills=2)
  assert "resumed" in out
  _assert_same(tmp_path, whole[0])


@pytest.mark.slow
def test_a_run_of_tar_files_restarts_with_the_same_clips(
  start, run, video_folder, tmp_path
):
  flags = (f"data.root={shard_folder(video_folder, tmp_path / 'shards')}",)
  status, _, err = run(tmp_path / "whole", *flags)
  assert status == 0, err
  out = _kill_until_done(start, run, tmp_path / "killed", flags, kills=2)
  assert "resumed" in out
  _assert_same(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.slow
def test_twenty_sigkills(start, run, video_folder, tmp_path):
  flags = (f"data.root={video_folder}", "num_steps=300", "log_every=50")
  flags = (*flags, "eval_every=100")
  status, _, err = run(tmp_path / "whole", *flags)
  assert status == 0, err
  out = _kill_until_done(start, run, tmp_path / "killed", flags, kills=20)
  assert "resumed" in out
  _assert_same(tmp_path / "killed", tmp_path / "whole")
