"""Convolution over the rows and columns of every frame."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops


class Conv2D(nn.Module):
  """Square convolution over H and W, without bias.

  Attributes:
    features: Output channels.
    size: Side of the kernel, odd; padded by size // 2, as torch pads it.
    stride: Step over rows and columns.
    dtype: Dtype of the computation; the kernel stays float32.
  """

  features: int
  size: int
  stride: int = 1
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (..., H, W, C) to (..., H / stride, W / stride, features)."""
    kernel = self.param(
      "kernel",
      nn.initializers.variance_scaling(2.0, "fan_out", "normal"),
      (self.size, self.size, x.shape[-1], self.features),
    )
    return ops.convolution_2d(
      x.astype(self.dtype),
      kernel,
      stride=self.stride,
      padding=self.size // 2,
    )
