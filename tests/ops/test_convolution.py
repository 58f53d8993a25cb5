import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from temporal_jax import ops
from tests.support.examples import FRAME_MAP, OperatorExample

OPERATOR_EXAMPLES = {
  "convolution_2d": OperatorExample(
    functools.partial(ops.convolution_2d, padding=1),
    clips=(FRAME_MAP,),
    shared=((3, 3, 6, 2),),
    reverse_only=True,
  ),
  "convolution_2d by Winograd": OperatorExample(
    functools.partial(ops.convolution_2d, padding=1),
    clips=((32, 32, 64),),
    shared=((3, 3, 64, 64),),
    lowering=True,
  ),
  "convolution_2d in groups": OperatorExample(
    functools.partial(ops.convolution_2d, groups=2, padding=1),
    clips=(FRAME_MAP,),
    shared=((3, 3, 3, 4),),
    lowering=True,
  ),
  "convolution_2d of one channel": OperatorExample(
    functools.partial(ops.convolution_2d, stride=2),
    clips=((8, 8, 1),),
    shared=((3, 3, 1, 2),),
    lowering=True,
  ),
  "convolution_2d of one pixel": OperatorExample(
    ops.convolution_2d, clips=(FRAME_MAP,), shared=((1, 1, 6, 2),), lowering=True
  ),
  "convolution_2d of the whole map": OperatorExample(
    ops.convolution_2d, clips=(FRAME_MAP,), shared=((5, 4, 6, 2),), lowering=True
  ),
}


def _torch_conv(x, kernel, stride, padding):
  return torch.nn.functional.conv2d(
    x.permute(0, 3, 1, 2),
    kernel.permute(3, 2, 0, 1),
    stride=stride,
    padding=padding,
  ).permute(0, 2, 3, 1)


# The first is a product, then come maps larger than the kernel, smaller ones,
# and such as give one place.
@pytest.mark.parametrize("channels", [1, 4])  # One, and tiny: by rows.
@pytest.mark.parametrize(
  ("side", "size", "stride", "padding"),
  [
    (7, 1, 2, 0),
    (8, 3, 1, 1),
    (9, 7, 2, 3),
    (2, 3, 1, 1),
    (5, 7, 2, 3),
    (3, 3, 1, 0),
    (3, 5, 2, 1),
  ],
)
def test_values_and_gradients_match_torch(side, size, stride, padding, channels):
  rng = np.random.default_rng(0)
  x = rng.standard_normal((2, 3, side, side, channels), np.float32)
  kernel = rng.standard_normal((size, size, channels, 5), np.float32)

  def conv(x, kernel):
    return ops.convolution_2d(x, kernel, stride=stride, padding=padding)

  got = jax.jit(conv)(x, kernel)
  grads = jax.grad(lambda x, k: jnp.sum(conv(x, k) ** 2), (0, 1))(x, kernel)

  x_t = torch.tensor(x.reshape(6, side, side, channels), requires_grad=True)
  k_t = torch.tensor(kernel, requires_grad=True)
  want = _torch_conv(x_t, k_t, stride, padding)
  (want**2).sum().backward()
  np.testing.assert_allclose(
    got.reshape(want.shape), want.detach(), rtol=1e-4, atol=1e-4
  )
  np.testing.assert_allclose(
    grads[0].reshape(x_t.shape), x_t.grad, rtol=1e-3, atol=1e-2
  )
  np.testing.assert_allclose(grads[1], k_t.grad, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize(("height", "width"), [(18, 19), (33, 8)])
def test_many_channels_match_torch(height, width, padding):
  """Maps and channels for which Winograd's transforms are taken."""
  rng = np.random.default_rng(0)
  x = rng.standard_normal((6, height, width, 64), np.float32)
  kernel = rng.standard_normal((3, 3, 64, 66), np.float32)

  def conv(x, kernel):
    return ops.convolution_2d(x, kernel, padding=padding)

  got, pull = jax.vjp(jax.jit(conv), x, kernel)
  assert "while" in jax.jit(conv).lower(x, kernel).as_text()
  x_t = torch.tensor(x, dtype=torch.float64, requires_grad=True)
  k_t = torch.tensor(kernel, dtype=torch.float64, requires_grad=True)
  want = _torch_conv(x_t, k_t, 1, padding)
  gradient = rng.standard_normal(got.shape, np.float32)
  want.backward(torch.tensor(gradient, dtype=torch.float64))
  for ours, theirs in zip(
    (got, *pull(gradient)), (want.detach(), x_t.grad, k_t.grad), strict=True
  ):
    error = np.linalg.norm(ours - theirs.numpy())
    assert error < 1e-6 * np.linalg.norm(theirs)


@pytest.mark.parametrize(
  ("size", "stride", "padding", "dilation"),
  [(3, 1, 1, 1), (3, 2, 1, 1), (3, 1, 0, 1), (3, 2, 2, 2), (3, 1, 4, 1)],
)
def test_many_tiny_maps_match_torch(size, stride, padding, dilation):
  """Maps for which products of rows are taken."""
  rng = np.random.default_rng(0)
  x = rng.standard_normal((2, 600, 5, 7, 3), np.float32)
  kernel = rng.standard_normal((size, size, 3, 4), np.float32)
  options = {"stride": stride, "padding": padding, "dilation": dilation}

  def conv(x, kernel):
    return ops.convolution_2d(x, kernel, **options)

  got, pull = jax.vjp(jax.jit(conv), x, kernel)
  if jax.default_backend() == "cpu":
    assert "convolution(" not in jax.jit(conv).lower(x, kernel).as_text()
  x_t, k_t = (
    torch.tensor(array, dtype=torch.float64, requires_grad=True)
    for array in (x.reshape(-1, 5, 7, 3), kernel)
  )
  want = torch.nn.functional.conv2d(
    x_t.permute(0, 3, 1, 2), k_t.permute(3, 2, 0, 1), **options
  ).permute(0, 2, 3, 1)
  gradient = rng.standard_normal(got.shape, np.float32)
  want.backward(torch.tensor(gradient.reshape(want.shape), dtype=torch.float64))
  of_x, of_kernel = pull(gradient)
  for ours, theirs in (
    (got, want.detach()),
    (of_x, x_t.grad),
    (of_kernel, k_t.grad),
  ):
    error = np.linalg.norm(ours.reshape(theirs.shape) - theirs.numpy())
    assert error < 1e-6 * np.linalg.norm(theirs)


@pytest.mark.parametrize("groups", [1, 2, 4, 12])
@pytest.mark.parametrize(
  ("size", "stride", "dilation"), [(3, 1, 1), (1, 2, 1), (3, 2, 2), (5, 1, 2)]
)
def test_groups_and_dilation_match_torch(groups, size, stride, dilation):
  rng = np.random.default_rng(1)
  x = rng.standard_normal((2, 8, 7, 12), np.float32)
  kernel = rng.standard_normal((size, size, 12 // groups, 24), np.float32)
  options = {
    "stride": stride,
    "padding": size // 2 * dilation,
    "dilation": dilation,
    "groups": groups,
  }

  def conv(x, kernel):
    return ops.convolution_2d(x, kernel, **options)

  got = jax.jit(conv)(x, kernel)
  grads = jax.grad(lambda x, k: jnp.sum(conv(x, k) ** 2), (0, 1))(x, kernel)

  x_t, k_t = (torch.tensor(array, requires_grad=True) for array in (x, kernel))
  want = torch.nn.functional.conv2d(
    x_t.permute(0, 3, 1, 2), k_t.permute(3, 2, 0, 1), **options
  ).permute(0, 2, 3, 1)
  (want**2).sum().backward()
  np.testing.assert_allclose(got, want.detach(), rtol=1e-4, atol=1e-4)
  np.testing.assert_allclose(grads[0], x_t.grad, rtol=1e-3, atol=1e-2)
  np.testing.assert_allclose(grads[1], k_t.grad, rtol=1e-3, atol=1e-2)


def test_a_group_a_channel_is_depthwise():
  rng = np.random.default_rng(2)
  x = rng.standard_normal((2, 5, 6, 4), np.float32)
  kernel = rng.standard_normal((3, 3, 1, 4), np.float32)
  got = ops.convolution_2d(x, kernel, padding=1, groups=4)
  want = ops.depthwise_convolution_2d(x, kernel[:, :, 0], padding=1)
  np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
  ("x", "kernel", "message"),
  [
    ((2, 8, 3), (3, 3, 3, 4), "x must be"),
    ((2, 8, 8, 3), (3, 3, 2, 4), "x must be"),
    ((2, 8, 8, 3), (3, 3, 3), "x must be"),
    ((2, 2, 8, 3), (3, 3, 3, 4), "does not fit"),
  ],
)
def test_rejects_wrong_shapes(x, kernel, message):
  with pytest.raises(ValueError, match=message):
    ops.convolution_2d(np.zeros(x, np.float32), np.zeros(kernel, np.float32))


def test_rejects_groups_that_do_not_divide():
  x, kernel = np.zeros((1, 3, 3, 4)), np.zeros((1, 1, 2, 3))
  with pytest.raises(ValueError, match="do not divide"):
    ops.convolution_2d(x, kernel, groups=2)
