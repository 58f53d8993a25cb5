import jax.numpy as jnp
import numpy as np

from temporal_jax import ops


def test_is_its_definition():
  x = np.linspace(-8, 8, 41)
  want = x / (1 + np.exp(-1.702 * x))
  got = ops.quick_gelu(jnp.asarray(x, jnp.float32))
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
  half = ops.quick_gelu(jnp.asarray(x, jnp.bfloat16))
  assert half.dtype == jnp.bfloat16
  np.testing.assert_allclose(
    half.astype(np.float32), want, rtol=3e-2, atol=1e-2
  )
