import json
import os
import shutil
import subprocess
import sys

import jax
import numpy as np
import pytest
from absl import logging

from temporal_jax import training
from temporal_jax.training.load_variables import _without_warnings, load_variables
from tests.support.small_training import make_batch, make_mesh, make_state, make_step

_POSITION = {"start": 0, "read": [7], "batch_size": 1, "num_videos": 3}


def _trained(mesh):
  state = make_state(mesh)
  return make_step(mesh)(state, training.place_batch(make_batch(), mesh))


def _sums(tree):
  return [float(np.abs(leaf).sum()) for leaf in jax.tree.leaves(tree)]


@pytest.fixture
def saved(tmp_path):
  """A run of one step on 8 devices, and its state."""
  state = _trained(make_mesh(8))
  checkpoints = training.Checkpoints(tmp_path / "checkpoints")
  checkpoints.save(state, _POSITION)
  checkpoints.close()
  return tmp_path, state


def _save_steps(directory, count, **kwargs):
  """Saves steps 1 to `count`; step i scores i % 3."""
  mesh = make_mesh(1)
  state, step = make_state(mesh), make_step(mesh)
  checkpoints = training.Checkpoints(directory, **kwargs)
  assert checkpoints.latest() is None
  for i in range(1, count + 1):
    state = step(state, training.place_batch(make_batch(i), mesh))
    checkpoints.save(state, _POSITION, {"top1": i % 3, "top5": 1.0})
    checkpoints.save(state, _POSITION)  # Once more changes nothing.
  checkpoints.close()
  return state


def _steps(directory):
  return sorted(int(path.name) for path in directory.iterdir())


@pytest.mark.parametrize("devices", [1, 4, 8])
def test_restores_on_other_meshes_bit_for_bit(saved, devices):
  workdir, state = saved
  mesh = make_mesh(devices)
  checkpoints = training.Checkpoints(workdir / "checkpoints")
  got, position, unreadable, checked = checkpoints.restore(make_state(mesh))
  jax.tree.map(np.testing.assert_array_equal, got, state)
  assert position == _POSITION
  assert unreadable == ()
  assert checked
  assert all(leaf.sharding.mesh == mesh for leaf in jax.tree.leaves(got))
  batch = training.place_batch(make_batch(1), mesh)
  assert int(make_step(mesh)(got, batch).step) == 2


_RESTORE = """
import sys, json, jax
from temporal_jax import training
from tests.training.test_checkpoint import _sums
from tests.support.small_training import make_mesh, make_state
count = len(jax.devices())
checkpoints = training.Checkpoints(sys.argv[1] + "/checkpoints")
state = checkpoints.restore(make_state(make_mesh(count))).state
loaded = training.load_variables(sys.argv[1])
print(json.dumps([count, _sums(state), _sums(loaded)]))
"""


def test_restores_on_a_machine_with_fewer_devices(saved):
  workdir, state = saved
  flag = "--xla_force_host_platform_device_count=4"
  done = subprocess.run(
    [sys.executable, "-c", _RESTORE, str(workdir)],
    env={**os.environ, "XLA_FLAGS": flag, "PYTHONPATH": "."},
    capture_output=True,
    text=True,
    check=True,
  )
  count, sums, loaded = json.loads(done.stdout.splitlines()[-1])
  assert count == 4
  assert sums == _sums(jax.device_get(state))
  assert loaded == _sums(jax.device_get(state.ema))


def test_keeps_the_newest(tmp_path):
  _save_steps(tmp_path, 4, keep=2)
  assert _steps(tmp_path) == [3, 4]


def test_keeps_the_best_beside_the_newest(tmp_path):
  _save_steps(tmp_path, 5, keep=1, best="top1")
  assert _steps(tmp_path) == [5]  # It scores as well as step 2.
  shutil.rmtree(tmp_path)
  _save_steps(tmp_path, 4, keep=1, best="top1")
  assert _steps(tmp_path) == [2, 4]


def test_the_best_is_still_known_after_a_restart(tmp_path):
  state = _save_steps(tmp_path, 2, keep=1, best="top1")
  checkpoints = training.Checkpoints(tmp_path, keep=1, best="top1")
  for step in (3, 4):
    later = state.replace(step=state.step * 0 + step)
    checkpoints.save(later, _POSITION, {"top1": 1.0, "top5": 1.0})
  checkpoints.close()
  assert _steps(tmp_path) == [2, 4]  # Step 2 scored 2.0.


def test_an_unknown_score_cannot_be_the_best(tmp_path):
  with pytest.raises(ValueError, match=r"keep_best 'mAP'.*top1.*top5"):
    _save_steps(tmp_path, 1, best="mAP")


_FILL = """
import resource, sys
from temporal_jax import training
from tests.support.small_training import make_batch, make_mesh, make_state, make_step
from tests.training.test_checkpoint import _POSITION
mesh = make_mesh(1)
checkpoints = training.Checkpoints(sys.argv[1])
state = checkpoints.restore(make_state(mesh)).state
state = make_step(mesh)(state, training.place_batch(make_batch(1), mesh))
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
try:
  checkpoints.save(state, _POSITION)
  checkpoints.wait()
except training.CheckpointError as error:
  print(error)
"""


def test_a_full_disk_is_reported_and_the_last_checkpoint_stays(tmp_path):
  """No file of the second start can grow past a few bytes."""
  state = _save_steps(tmp_path, 1)
  done = subprocess.run(
    [sys.executable, "-c", _FILL, str(tmp_path)],
    env={**os.environ, "PYTHONPATH": "."},
    capture_output=True,
    text=True,
    check=False,
  )
  assert "could not be written" in done.stdout, done.stderr
  assert f"the last good checkpoint is {tmp_path / '1'}." in done.stdout
  got = training.Checkpoints(tmp_path).restore(make_state(make_mesh(1)))
  jax.tree.map(np.testing.assert_array_equal, got.state, state)


def test_a_directory_that_cannot_be_made(tmp_path):
  (tmp_path / "file").write_text("")
  with pytest.raises(
    training.CheckpointError, match=r"no checkpoints can be kept in .*file"
  ):
    training.Checkpoints(tmp_path / "file" / "checkpoints")


# Orbax leaves coroutines behind where a read failed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("lost", ["state/manifest.ocdbt", "state", "position"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_read(tmp_path, lost):
  _save_steps(tmp_path, 2)
  path = tmp_path / "2" / lost
  shutil.rmtree(path) if path.is_dir() else path.unlink()
  got = training.Checkpoints(tmp_path).restore(make_state(make_mesh(1)))
  assert int(got.state.step) == 1
  (note,) = got.unreadable
  assert str(tmp_path / "2") in note


def test_every_damaged_file_is_named_and_the_one_before_read(tmp_path):
  """A flipped bit of any file, of the list itself and of `position` too."""
  _save_steps(tmp_path, 2, best="top1")
  checkpoints = training.Checkpoints(tmp_path, best="top1")
  state = make_state(make_mesh(1))
  files = sorted(path for path in (tmp_path / "2").rglob("*") if path.is_file())
  assert {"sha256sums.txt", "metadata"} <= {path.name for path in files}
  for file in files:
    before = file.read_bytes()
    flipped = bytearray(before)
    flipped[len(before) // 2] ^= 4
    file.write_bytes(flipped)
    got = checkpoints.restore(state)
    assert int(got.state.step) == 1
    (note,) = got.unreadable
    assert note.startswith(str(tmp_path / "2"))
    assert file.name in note or "sha256sums.txt" in str(file)
    file.write_bytes(before)
  assert int(checkpoints.restore(state).state.step) == 2


@pytest.mark.parametrize("error", [Exception("bare"), AttributeError("x")])
def test_any_error_of_reading_leads_to_the_one_before(tmp_path, monkeypatch, error):
  _save_steps(tmp_path, 2)
  checkpoints = training.Checkpoints(tmp_path)
  read = checkpoints._read

  def fail(step, state):
    if step == 2:
      raise error
    return read(step, state)

  monkeypatch.setattr(checkpoints, "_read", fail)
  got = checkpoints.restore(make_state(make_mesh(1)))
  assert got.unreadable == (f"{tmp_path / '2'} ({error})",)


def test_an_interrupt_of_reading_stays_one(tmp_path, monkeypatch):
  def interrupt(step, state):
    raise KeyboardInterrupt

  _save_steps(tmp_path, 2)
  checkpoints = training.Checkpoints(tmp_path)
  monkeypatch.setattr(checkpoints, "_read", interrupt)
  with pytest.raises(KeyboardInterrupt):
    checkpoints.restore(make_state(make_mesh(1)))


@pytest.mark.parametrize("damage", [("{", ""), ("metrics", "metrigs")])
def test_damaged_metadata_do_not_hinder_a_start(tmp_path, damage):
  _save_steps(tmp_path, 2, best="top1")
  about = tmp_path / "2" / "_CHECKPOINT_METADATA"
  about.write_text(about.read_text().replace(*damage))
  got = training.Checkpoints(tmp_path, best="top1").restore(make_state(make_mesh(1)))
  assert int(got.state.step) == 1


def test_what_cannot_be_read_is_set_aside_when_its_step_is_saved(tmp_path):
  """It is neither lost nor taken for the checkpoint of the second try."""
  _save_steps(tmp_path, 2)
  (tmp_path / "2" / "state" / "manifest.ocdbt").write_bytes(b"")
  checkpoints = training.Checkpoints(tmp_path)
  mesh = make_mesh(1)
  state = checkpoints.restore(make_state(mesh)).state
  assert _names(tmp_path) == {"1", "2"}  # Reading changes nothing.
  assert checkpoints.last_good() == (f"the last good checkpoint is {tmp_path / '1'}")
  state = make_step(mesh)(state, training.place_batch(make_batch(2), mesh))
  checkpoints.save(state, _POSITION)
  checkpoints.close()
  assert _names(tmp_path) == {"1", "2", "2.unreadable"}
  got = training.Checkpoints(tmp_path).restore(make_state(mesh))
  jax.tree.map(np.testing.assert_array_equal, got.state, state)
  assert got.unreadable == ()


def _names(directory):
  return {path.name for path in directory.iterdir()}


def test_an_older_checkpoint_without_a_list_is_read(tmp_path):
  state = _save_steps(tmp_path, 1)
  (tmp_path / "1" / "sha256sums.txt").unlink()
  got = training.Checkpoints(tmp_path).restore(make_state(make_mesh(1)))
  jax.tree.map(np.testing.assert_array_equal, got.state, state)
  assert not got.checked
  assert got.unreadable == ()


def test_without_a_checkpoint_the_last_good_one_is_none(tmp_path):
  words = training.Checkpoints(tmp_path).last_good()
  assert words == "there is no checkpoint to resume from"


def test_a_damaged_newest_checkpoint_is_not_loaded(tmp_path):
  _save_steps(tmp_path, 2)
  one = jax.device_get(
    training.Checkpoints(tmp_path).restore(make_state(make_mesh(1))).state
  )
  file = max((tmp_path / "2").rglob("d/*"), key=lambda path: path.stat().st_size)
  content = file.read_bytes()
  file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
  loaded = training.read_state(tmp_path)
  assert int(loaded["step"]) == 1
  assert int(one.step) == 2
  shutil.rmtree(tmp_path / "1")
  with pytest.raises(ValueError, match=rf"no checkpoint can be .*{file.name}"):
    training.read_state(tmp_path)


def test_a_half_written_checkpoint_is_not_one(tmp_path):
  _save_steps(tmp_path, 1)
  shutil.copytree(tmp_path / "1", tmp_path / "2.orbax-checkpoint-tmp-0")
  got = training.Checkpoints(tmp_path).restore(make_state(make_mesh(1)))
  assert int(got.state.step) == 1
  assert got.unreadable == ()


def test_what_a_killed_start_left_is_not_in_the_way(tmp_path):
  state, mesh = _save_steps(tmp_path, 1), make_mesh(1)
  # Killed before its last rename.
  shutil.copytree(tmp_path / "1", tmp_path / "2.orbax-checkpoint-tmp.whole")
  state = make_step(mesh)(state, training.place_batch(make_batch(2), mesh))
  checkpoints = training.Checkpoints(tmp_path)
  checkpoints.save(state, _POSITION)
  checkpoints.close()
  assert _steps(tmp_path) == [1, 2]
  assert int(training.read_state(tmp_path)["step"]) == 2


def test_none_that_can_be_read(tmp_path):
  _save_steps(tmp_path, 1)
  shutil.rmtree(tmp_path / "1" / "state")
  with pytest.raises(ValueError, match=r"no checkpoint can be read.*/1"):
    training.Checkpoints(tmp_path).restore(make_state(make_mesh(1)))


def test_a_checkpoint_of_another_model(saved):
  workdir, _ = saved
  state = make_state(make_mesh(1))
  other = state.replace(
    params={
      **state.params,
      "head": {"kernel": state.params["head"]["kernel"].T},
    }
  )
  checkpoints = training.Checkpoints(workdir / "checkpoints")
  with pytest.raises(
    ValueError,
    match=r"(?s)not of this model.*\+ params/head/b.*! params/head/k",
  ):
    checkpoints.restore(other)


def test_loads_averages_or_else_parameters(tmp_path):
  mesh = make_mesh(1)
  for ema in (True, False):
    state = make_state(mesh, ema=ema)
    directory = tmp_path / str(ema)
    checkpoints = training.Checkpoints(directory)
    checkpoints.save(state, _POSITION)
    checkpoints.close()
    loaded = load_variables(directory)
    jax.tree.map(
      np.testing.assert_array_equal, loaded, jax.device_get(state.variables())
    )


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_no_checkpoint_says_so(tmp_path, name):
  (tmp_path / "empty").mkdir()
  with pytest.raises(FileNotFoundError, match="no checkpoint in"):
    load_variables(tmp_path / name)


def test_reading_leaves_the_log_of_others_as_it_is(caplog):
  first, second = (_without_warnings() for _ in range(2))
  first.__enter__()
  second.__enter__()
  logging.warning("while two threads read")
  first.__exit__(None, None, None)
  second.__exit__(None, None, None)
  logging.warning("afterwards")
  assert caplog.messages == ["while two threads read", "afterwards"]
