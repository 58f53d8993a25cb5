import pytest

from temporal_jax import training


def test_minus_one_takes_all_devices():
  assert dict(training.create_mesh({"data": -1}).shape) == {"data": 8}
  assert dict(training.create_mesh({"data": 8}).shape) == {"data": 8}


@pytest.mark.parametrize(
  ("axes", "message"),
  [
    ({"data": 3}, "does not fit 8 devices"),
    ({"data": 0}, "does not fit 8 devices"),
    ({"model": 8}, "mesh axes must be in"),
  ],
)
def test_impossible_meshes_are_refused(axes, message):
  with pytest.raises(ValueError, match=message):
    training.create_mesh(axes)


@pytest.mark.parametrize("batch_size", [0, 4, 12])
def test_batches_that_do_not_divide_are_refused(batch_size):
  mesh = training.create_mesh({"data": -1})
  with pytest.raises(ValueError, match="multiple of the 8 devices"):
    training.check_batch_size(batch_size, mesh)
