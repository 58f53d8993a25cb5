"""The file of a network's variables: named arrays, good and hostile."""

import os

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from temporal_jax import training
from temporal_jax.storage import write_digests

_NAMES = {"params/a/kernel": (2, 3), "params/b": (3,), "batch_stats/a/mean": ()}


def _save(folder, leaves, **settings):
  safetensors.numpy.save_file(leaves, folder / "model.safetensors", **settings)


def _arrays(dtype=np.float32):
  rng = np.random.default_rng(0)
  return {
    name: rng.standard_normal(shape).astype(dtype) for name, shape in _NAMES.items()
  }


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_names_are_the_paths_of_leaves(tmp_path, dtype):
  leaves = {name: np.asarray(x, dtype) for name, x in _arrays().items()}
  _save(tmp_path, leaves, metadata={"format": "flax"})
  found = training.load_variables(tmp_path)
  assert found.keys() == {"params", "batch_stats"}
  kernel = found["params"]["a"]["kernel"]
  assert isinstance(kernel, jax.Array)
  assert kernel.dtype == dtype
  np.testing.assert_array_equal(kernel, leaves["params/a/kernel"])
  assert found["batch_stats"]["a"]["mean"].shape == ()


def test_arrays_do_not_change_with_the_file(tmp_path):
  _save(tmp_path, _arrays())
  found = training.load_variables(tmp_path)["params"]["b"]
  before = np.array(found)
  path = tmp_path / "model.safetensors"
  with path.open("r+b") as file:
    file.seek(-64, os.SEEK_END)
    file.write(b"\1" * 64)
  np.testing.assert_array_equal(found, before)


def test_without_statistics_there_are_none(tmp_path):
  _save(tmp_path, {"params/a": np.ones(2, np.float32)})
  assert training.load_variables(tmp_path)["batch_stats"] == {}


def test_weights_of_another_program_are_named(tmp_path):
  _save(tmp_path, {"params/a": np.ones(2), "vit.embeddings": np.ones(2)})
  with pytest.raises(ValueError, match=r"'vit\.embeddings' among them: .*convert"):
    training.load_variables(tmp_path)


@pytest.mark.parametrize(
  ("names", "words"),
  [
    (["params/a", "params/a/b"], "params/a/b is within another array"),
    (["params" + "/a" * 40], "has more than 32 parts"),
  ],
)
def test_names_that_make_no_tree(tmp_path, names, words):
  _save(tmp_path, {name: np.ones(2) for name in names})
  with pytest.raises(ValueError, match=words):
    training.load_variables(tmp_path)


def test_a_lost_file_is_missed(tmp_path):
  _save(tmp_path, _arrays())
  write_digests(tmp_path, ["model.safetensors"])
  assert (tmp_path / "sha256sums.txt").read_text().count("\n") == 1
  (tmp_path / "model.safetensors").unlink()
  with pytest.raises(ValueError, match=r"model\.safetensors is not there"):
    training.load_variables(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path):
  os.mkfifo(tmp_path / "model.safetensors")
  with pytest.raises(ValueError, match="must be a file"):
    training.load_variables(tmp_path)


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_file_that_is_cut_off(tmp_path, length):
  _save(tmp_path, _arrays())
  path = tmp_path / "model.safetensors"
  path.write_bytes(path.read_bytes()[:length])
  with pytest.raises(ValueError, match="cut off or damaged") as caught:
    training.load_variables(tmp_path)
  assert str(path) in str(caught.value)


def test_shapes_are_checked_before_values_are_read(tmp_path):
  _save(tmp_path, _arrays())

  def refuse(shapes):
    assert shapes["params"]["b"].shape == (3,)
    assert shapes["params"]["b"].dtype == jnp.float32
    raise ValueError("not these")

  with pytest.raises(ValueError, match="not these"):
    training.load_variables(tmp_path, refuse)
