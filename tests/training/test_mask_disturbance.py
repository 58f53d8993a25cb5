import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.training.mask_disturbance import mask_disturbance


def test_halves_as_the_reference_loop_does():
  offset = 0.2
  for epoch in range(50):
    if epoch >= 30:
      offset *= 0.5
    np.testing.assert_allclose(mask_disturbance(epoch), offset, rtol=1e-6)


def test_arguments_and_tracing():
  offsets = jax.vmap(lambda epoch: mask_disturbance(epoch, initial=1.0, decay_start=2))(
    jnp.arange(5)
  )
  np.testing.assert_array_equal(offsets, [1, 1, 0.5, 0.25, 0.125])
  assert offsets.dtype == jnp.float32
