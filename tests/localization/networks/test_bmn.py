"""BMN beyond the golden cases."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.localization import BMN

TINY = functools.partial(
  BMN, width=8, proposal_width=8, map_width=8, groups=2, bins=4, samples_per_bin=2
)


def test_maps_have_as_many_durations_as_positions_by_default():
  network = TINY({"verb": 3}, regression=True)
  features = np.zeros((2, 6, 4), np.float32)
  out, variables = jax.eval_shape(network.init_with_output, jax.random.key(0), features)
  assert out["confidence"].shape == out["regression"].shape == (2, 6, 6, 2)
  assert out["classes"]["verb"].shape == (2, 6, 6, 3)
  assert variables["params"]["base1"]["kernel"].shape == (3, 2, 8)


def test_computes_in_its_dtype():
  network = TINY({"verb": 3}, dtype=jnp.bfloat16)
  features = np.zeros((1, 4, 4), np.float32)
  out, variables = jax.eval_shape(network.init_with_output, jax.random.key(0), features)
  for tree in (out, variables):
    assert {x.dtype for x in jax.tree.leaves(tree)} == {jnp.dtype("float32")}


@pytest.mark.parametrize("shape", [(6, 4), (1, 2, 6, 4)])
def test_features_are_checked(shape):
  with pytest.raises(ValueError, match=r"features must be floating point \(B, T, C\)"):
    jax.eval_shape(TINY().init, jax.random.key(0), np.zeros(shape, np.float32))


@pytest.mark.slow
def test_no_dense_mask_is_in_memory():
  """The samples of all proposals would take 4 (256 x 32) D T bytes."""
  network = BMN()
  features = jax.ShapeDtypeStruct((1, 200, 2304), jnp.float32)
  variables = jax.eval_shape(network.init, jax.random.key(0), features)
  compiled = jax.jit(network.apply).lower(variables, features).compile()
  memory = compiled.memory_analysis()
  assert memory.temp_size_in_bytes < 0.5 * 4 * 256 * 32 * 200**2
