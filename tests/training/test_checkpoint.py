import json
import os
import subprocess
import sys

import grain
import jax
import numpy as np
import pytest

from temporal_jax import training
from temporal_jax.training.checkpoint import load_variables
from tests.training.helpers import make_batch, make_mesh, make_state, make_step


def _data():
  return iter(grain.MapDataset.range(100).to_iter_dataset())


def _trained(mesh):
  state = make_state(mesh)
  return make_step(mesh)(state, training.place_batch(make_batch(), mesh))


def _sums(tree):
  return [float(np.abs(leaf).sum()) for leaf in jax.tree.leaves(tree)]


@pytest.fixture
def saved(tmp_path):
  """A run of one step on 8 devices, and its state."""
  state, data = _trained(make_mesh(8)), _data()
  for _ in range(7):
    next(data)
  checkpoints = training.Checkpoints(tmp_path / "checkpoints")
  checkpoints.save(state, data)
  checkpoints.close()
  return tmp_path, state


@pytest.mark.parametrize("devices", [1, 4, 8])
def test_restores_on_other_meshes_bit_for_bit(saved, devices):
  workdir, state = saved
  mesh, data = make_mesh(devices), _data()
  checkpoints = training.Checkpoints(workdir / "checkpoints")
  got = checkpoints.restore(checkpoints.latest(), make_state(mesh), data)
  jax.tree.map(np.testing.assert_array_equal, got, state)
  assert next(data) == 7
  assert all(leaf.sharding.mesh == mesh for leaf in jax.tree.leaves(got))
  batch = training.place_batch(make_batch(1), mesh)
  assert int(make_step(mesh)(got, batch).step) == 2


_RESTORE = """
import sys, json, jax
from temporal_jax import training
from tests.training.test_checkpoint import _data, _sums
from tests.training.helpers import make_mesh, make_state
count = len(jax.devices())
checkpoints = training.Checkpoints(sys.argv[1] + "/checkpoints")
state = checkpoints.restore(1, make_state(make_mesh(count)), _data())
loaded = training.load_variables(sys.argv[1])
print(json.dumps([count, _sums(state), _sums(loaded)]))
"""


@pytest.mark.parametrize("devices", [1, 4])
def test_restores_on_a_machine_with_fewer_devices(saved, devices):
  workdir, state = saved
  flag = f"--xla_force_host_platform_device_count={devices}"
  done = subprocess.run(
    [sys.executable, "-c", _RESTORE, str(workdir)],
    env={**os.environ, "XLA_FLAGS": flag, "PYTHONPATH": "."},
    capture_output=True,
    text=True,
    check=True,
  )
  count, sums, loaded = json.loads(done.stdout.splitlines()[-1])
  assert count == devices
  assert sums == _sums(jax.device_get(state))
  assert loaded == _sums(jax.device_get(state.ema))


def test_keeps_the_newest(tmp_path):
  mesh, data = make_mesh(1), _data()
  state, step = make_state(mesh), make_step(mesh)
  checkpoints = training.Checkpoints(tmp_path, keep=2)
  assert checkpoints.latest() is None
  for i in range(4):
    state = step(state, training.place_batch(make_batch(i), mesh))
    checkpoints.save(state, data)
    checkpoints.save(state, data)  # Once more changes nothing.
  checkpoints.close()
  assert sorted(p.name for p in tmp_path.iterdir()) == ["3", "4"]


def test_loads_averages_or_else_parameters(tmp_path):
  mesh = make_mesh(1)
  for ema in (True, False):
    state = make_state(mesh, ema=ema)
    directory = tmp_path / str(ema)
    checkpoints = training.Checkpoints(directory)
    checkpoints.save(state, _data())
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
