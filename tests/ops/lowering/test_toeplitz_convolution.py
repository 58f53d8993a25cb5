import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from temporal_jax.ops.lowering import toeplitz_convolution

WAYS = (toeplitz_convolution.convolve_rows, toeplitz_convolution.convolve_maps)
# Rows, columns, channels, outputs, taps, stride, padding, dilation.
SIZES = [
  (9, 9, 1, 4, 3, 1, 1, 1),  # The convolutions of ATM's windows.
  (9, 9, 4, 3, 3, 2, 1, 1),
  (5, 5, 3, 2, 3, 2, 1, 1),
  (3, 3, 2, 5, 3, 1, 0, 1),
  (4, 7, 2, 3, 1, 3, 0, 1),
  (5, 4, 2, 3, 2, 1, 3, 1),  # Rows that see nothing but padding.
  (7, 8, 1, 2, 3, 2, 2, 2),
]


def _arrays(sizes):
  rows, columns, channels, features, taps, *_ = sizes
  rng = np.random.default_rng(0)
  x = rng.standard_normal((2, rows, columns, channels))
  kernel = rng.standard_normal((taps, taps, channels, features))
  return x.astype(np.float32), kernel.astype(np.float32)


def _settings(sizes):
  return dict(zip(("stride", "padding", "dilation"), sizes[-3:], strict=True))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sizes", SIZES)
def test_matches_torch_with_gradients(way, sizes):
  x, kernel = _arrays(sizes)
  leaves = [torch.tensor(array, requires_grad=True) for array in (x, kernel)]
  want = torch.nn.functional.conv2d(
    leaves[0].permute(0, 3, 1, 2), leaves[1].permute(3, 2, 0, 1), **_settings(sizes)
  ).permute(0, 2, 3, 1)
  weight = np.random.default_rng(1).standard_normal(want.shape, np.float32)
  (want * torch.tensor(weight)).sum().backward()

  @jax.jit
  def both(x, kernel):
    out, backward = jax.vjp(functools.partial(way, **_settings(sizes)), x, kernel)
    return out, backward(weight)

  got, gradients = both(x, kernel)
  np.testing.assert_allclose(got, want.detach(), rtol=1e-4, atol=1e-5)
  for found, leaf in zip(gradients, leaves, strict=True):
    np.testing.assert_allclose(found, leaf.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("way", WAYS)
def test_maps_and_keeps_the_dtype(way):
  x, kernel = (jnp.asarray(array, jnp.bfloat16) for array in _arrays(SIZES[1]))
  way = functools.partial(way, kernel=kernel, **_settings(SIZES[1]))
  got = jax.jit(jax.vmap(way))(x[:, None])
  assert got.dtype == jnp.bfloat16
  np.testing.assert_array_equal(got[:, 0], jax.jit(way)(x))
