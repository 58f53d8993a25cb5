"""Operators whose way depends on the size of a batch, where it is open."""

import jax
import jax.export
import jax.numpy as jnp
import numpy as np

from temporal_jax import ops


def _export(function, *shape):
  batch = jax.export.symbolic_shape("b")
  clip = jax.ShapeDtypeStruct((*batch, *shape), jnp.float32)
  return jax.export.export(jax.jit(function))(clip)


def test_convolves_batches_of_any_size():
  rng = np.random.default_rng(0)
  kernel = rng.standard_normal((3, 3, 64, 64), np.float32)
  for side in (4, 20):  # Few places a clip, and enough for Winograd.
    exported = _export(
      lambda x: ops.convolution_2d(x, kernel, padding=1), 3, side, side, 64
    )
    for batch in (1, 3):
      x = rng.standard_normal((batch, 3, side, side, 64), np.float32)
      padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)))
      want = sum(
        padded[:, :, i : i + side, j : j + side] @ kernel[i, j]
        for i in range(3)
        for j in range(3)
      )
      np.testing.assert_allclose(exported.call(x), want, atol=1e-3)
