"""Convolution, batch normalisation, ReLU."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers.batch_norm import BatchNorm
from temporal_jax.layers.convolution import Conv2D
from temporal_jax.layers.initializers import torch_default
from temporal_jax.ops.lowering.join_axes import join_axes


class ConvNormRelu(nn.Module):
  """Square convolution over H and W, without bias, then BatchNorm and ReLU.

  Attributes:
    features: Output channels.
    size: Side of the kernel, odd.
    stride: Step over rows and columns.
    padding: Zeros on every side, in pixels; size // 2 by default.
    flat: Whether the norm sees a map as one axis. For tiny maps: where channels
      are an axis of their own, a TPU's memory pads them to 128.
    kernel_init: Initialiser of the kernel (size, size, C, features).
    dtype: Dtype of the computation.
  """

  features: int
  size: int = 3
  stride: int = 1
  padding: int | None = None
  flat: bool = False
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
    maps = conv(x)
    if not self.flat:
      return nn.relu(BatchNorm(dtype=self.dtype, name="norm")(maps, train))
    places = maps.shape[-3] * maps.shape[-2]
    norm = BatchNorm(places=places, dtype=self.dtype, name="norm")
    return nn.relu(norm(join_axes(maps, -3), train)).reshape(maps.shape)
