"""Convolution, batch normalisation, ReLU."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers.batch_norm import BatchNorm
from temporal_jax.layers.convolution import Conv2D
from temporal_jax.layers.initializers import torch_default


class ConvNormRelu(nn.Module):
  """Square convolution over H and W, without bias, then BatchNorm and ReLU.

  Attributes:
    features: Output channels.
    size: Side of the kernel, odd.
    stride: Step over rows and columns.
    padding: Zeros on every side, in pixels; size // 2 by default.
    kernel_init: Initialiser of the kernel (size, size, C, features).
    dtype: Dtype of the computation.
  """

  features: int
  size: int = 3
  stride: int = 1
  padding: int | None = None
  kernel_init: nn.initializers.Initializer = torch_default()
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps (..., H, W, C) to (..., H / stride, W / stride, features)."""
    conv = Conv2D(
      self.features,
      self.size,
      self.stride,
      self.padding,
      kernel_init=self.kernel_init,
      dtype=self.dtype,
      name="conv",
    )
    return nn.relu(BatchNorm(dtype=self.dtype, name="norm")(conv(x), train))
