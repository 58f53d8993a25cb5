import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from temporal_jax import training
from temporal_jax.training import int8_weights


def _variables():
  kernel = np.random.default_rng(0).standard_normal((4, 8, 64), np.float32)
  kernel[..., 3] = 0
  return {"params": {"a": {"kernel": kernel, "bias": np.ones(64, np.float32)}}}


def test_kernels_are_int8_with_a_scale_for_each_channel():
  variables = _variables()
  packed = int8_weights.pack(variables)
  kernel = variables["params"]["a"]["kernel"]
  np.testing.assert_allclose(
    packed["params/a/kernel.scale"],
    [np.abs(kernel[..., c]).max() / 127 if c != 3 else 1.0 for c in range(64)],
    rtol=1e-6,
  )
  assert packed["params/a/kernel"].dtype == np.int8
  assert np.abs(packed["params/a/kernel"][..., 0]).max() == 127
  assert packed["params/a/bias"] is variables["params"]["a"]["bias"]
  found = int8_weights.rounded(variables)["params"]["a"]["kernel"]
  assert np.abs(found - kernel).max() <= 0.501 * packed["params/a/kernel.scale"].max()
  np.testing.assert_array_equal(found[..., 3], 0)
  # What is rounded is rounded to the same once more.
  again = int8_weights.pack({"params": {"a": {"kernel": found}}})
  np.testing.assert_array_equal(again["params/a/kernel"], packed["params/a/kernel"])


def test_unpacks_while_it_is_traced():
  packed = jax.tree.map(jnp.asarray, int8_weights.pack(_variables()))
  found = jax.jit(lambda: int8_weights.unpack(packed))()
  jax.tree.map(np.testing.assert_array_equal, found, int8_weights.rounded(_variables()))


def test_a_file_is_read_as_float32(tmp_path):
  safetensors.numpy.save_file(
    int8_weights.pack(_variables()), tmp_path / "model.safetensors"
  )
  shapes = []
  found = training.load_variables(tmp_path, shapes.append)
  jax.tree.map(
    np.testing.assert_array_equal,
    found["params"],
    int8_weights.rounded(_variables())["params"],
  )
  kernel = shapes[0]["params"]["a"]["kernel"]
  assert (kernel.shape, kernel.dtype) == ((4, 8, 64), np.float32)


_KERNEL = np.ones((2, 3), np.int8)


@pytest.mark.parametrize(
  ("arrays", "words"),
  [
    ({"params/kernel": _KERNEL}, r"needs \(3,\) scales in float32"),
    (
      {"params/kernel": _KERNEL, "params/kernel.scale": np.ones(2, np.float32)},
      r"needs \(3,\) scales in float32",
    ),
    (
      {"params/kernel": _KERNEL, "params/kernel.scale": np.ones(3, np.float64)},
      r"needs \(3,\) scales in float32",
    ),
    (
      {"params/kernel.scale": np.ones(3, np.float32)},
      r"kernel\.scale must be the scales of an int8 kernel",
    ),
    (
      {"params/a": np.ones(3, np.float32), "params/a.scale": np.ones(3, np.float32)},
      r"a\.scale must be the scales of an int8 kernel",
    ),
  ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, arrays, words):
  safetensors.numpy.save_file(arrays, tmp_path / "model.safetensors")
  with pytest.raises(ValueError, match=words):
    training.load_variables(tmp_path)
