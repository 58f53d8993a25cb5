import dataclasses

import numpy as np
import pytest

from temporal_jax import training
from tests.support.sharded_step import make_mesh


def test_minus_one_takes_all_devices():
  sizes = {"data": 8, "fsdp": 1, "tensor": 1}
  assert dict(training.create_mesh({"data": -1}).shape) == sizes
  assert dict(training.create_mesh({"data": 8}).shape) == sizes
  mesh = training.create_mesh({"data": 2, "fsdp": -1, "tensor": 2})
  assert dict(mesh.shape) == {"data": 2, "fsdp": 2, "tensor": 2}


@pytest.mark.parametrize(
  ("axes", "message"),
  [
    ({"data": 3}, "does not fit 8 devices"),
    ({"data": 0}, "does not fit 8 devices"),
    ({"data": -1, "fsdp": 0}, "does not fit 8 devices"),
    ({"data": -1, "fsdp": -1}, "does not fit 8 devices"),
    ({"data": -2, "fsdp": -4}, "does not fit 8 devices"),
    ({"model": 8}, "mesh axes must be in"),
  ],
)
def test_impossible_meshes_are_refused(axes, message):
  with pytest.raises(ValueError, match=message):
    training.create_mesh(axes)


@dataclasses.dataclass(frozen=True)
class _Chip:
  """All that a mesh asks of a device."""

  id: int
  process_index: int
  platform: str = "cpu"
  device_kind: str = "cpu"


def test_processes_do_not_share_clips():
  # In pairs, as the chips of a row of hosts of 2 x 2 chips are numbered.
  chips = [_Chip(number, process_index=number // 2 % 2) for number in range(8)]
  mesh = training.create_mesh({"data": 2, "tensor": 4}, chips)
  assert [chip.id for chip in mesh.devices[1, 0]] == [2, 3, 6, 7]
  with pytest.raises(ValueError, match=r"tensor axis .* processes \[0, 1\]"):
    training.create_mesh({"tensor": 8}, chips)


@pytest.mark.parametrize("batch_size", [0, 4, 12])
def test_batches_that_do_not_divide_are_refused(batch_size):
  mesh = training.create_mesh({"data": 2, "fsdp": 4})
  with pytest.raises(ValueError, match="multiple of the 8 devices"):
    training.check_batch_size(batch_size, mesh)


def test_devices_on_the_tensor_axis_share_their_clips():
  mesh = make_mesh(data=2, fsdp=2, tensor=2)
  training.check_batch_size(4, mesh)
  values = np.arange(8)
  batch = {"clip": values, "name": np.array(["a"] * 8)}
  placed = training.place_batch(batch, mesh)
  assert set(placed) == {"clip"}
  held = {x.device: np.asarray(x.data) for x in placed["clip"].addressable_shards}
  for index, pair in enumerate(mesh.devices.reshape(4, 2)):
    for device in pair:
      np.testing.assert_array_equal(held[device], [2 * index, 2 * index + 1])
