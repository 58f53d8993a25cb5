"""Convolution over the rows and columns of every frame."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.broadcast_channels import along_channels


class Conv2D(nn.Module):
  """Square convolution over H and W.

  Attributes:
    features: Output channels.
    size: Side of the kernel, odd.
    stride: Step over rows and columns.
    padding: Zeros on every side, in pixels; size // 2 by default.
    use_bias: Whether a bias is added.
    kernel_init: Initialiser of the kernel (size, size, C, features).
    dtype: Dtype of the computation; the kernel stays float32.
  """

  features: int
  size: int
  stride: int = 1
  padding: int | None = None
  use_bias: bool = False
  kernel_init: nn.initializers.Initializer = nn.initializers.variance_scaling(
    2.0, "fan_out", "normal"
  )
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (..., H, W, C) to (..., H / stride, W / stride, features).

    These are the output's sides with the default padding.

    Raises:
      ValueError: If `size` is even, or as `ops.convolution_2d`.
    """
    shape_checks.odd("size", self.size)
    shape = (self.size, self.size, x.shape[-1], self.features)
    kernel = self.param("kernel", self.kernel_init, shape, jnp.float32)
    padding = self.size // 2 if self.padding is None else self.padding
    out = ops.convolution_2d(
      x.astype(self.dtype), kernel, stride=self.stride, padding=padding
    )
    if not self.use_bias:
      return out
    bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
    return out + along_channels(bias, out)


class DepthwiseConv2D(nn.Module):
  """Square convolution over H and W, each channel by itself.

  Attributes:
    size: Side of the kernel, odd; padded by size // 2.
    use_bias: Whether a bias is added.
    kernel_init: Initialiser of the kernel (size, size, C).
    dtype: Dtype of the computation; the parameters stay float32.
  """

  size: int
  use_bias: bool = True
  kernel_init: nn.initializers.Initializer = nn.initializers.variance_scaling(
    2.0, "fan_out", "normal", in_axis=(), out_axis=(0, 1)
  )
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (..., H, W, C) to the same shape.

    Raises:
      ValueError: If `size` is even, or as `ops.depthwise_convolution_2d`.
    """
    shape_checks.odd("size", self.size)
    channels = x.shape[-1]
    shape = (self.size, self.size, channels)
    kernel = self.param("kernel", self.kernel_init, shape, jnp.float32)
    out = ops.depthwise_convolution_2d(
      x.astype(self.dtype), kernel, padding=self.size // 2
    )
    if not self.use_bias:
      return out
    bias = self.param("bias", nn.initializers.zeros, (channels,), jnp.float32)
    return out + along_channels(bias, out)
