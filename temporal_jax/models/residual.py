"""The residual blocks of ResNet, applied frame by frame."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers import BatchNorm, Conv2D
from temporal_jax.models.temporal import Factory, apply_slot


class _ResidualBlock(nn.Module):
  """What both blocks have: their arguments and their shortcut.

  Attributes:
    features: Width of the 3 x 3 convolutions.
    stride: Spatial stride of the block.
    branch_input: Temporal module at the start of the residual branch.
    dtype: Dtype of the computation.
  """

  features: int
  stride: int = 1
  branch_input: Factory | None = None
  dtype: jax.typing.DTypeLike = jnp.float32

  def conv(self, features: int, size: int, stride: int, name: str) -> Conv2D:
    return Conv2D(features, size, stride, dtype=self.dtype, name=name)

  def norm(self, name: str, **kwargs) -> BatchNorm:
    return BatchNorm(dtype=self.dtype, name=name, **kwargs)

  def shortcut(
    self, x: jax.Array, shape: tuple[int, ...], train: bool
  ) -> jax.Array:
    """Brings the block's input to `shape`, by a 1 x 1 convolution if needed."""
    if x.shape == shape:
      return x
    x = self.conv(shape[-1], 1, self.stride, "shortcut_conv")(x)
    return self.norm("shortcut_norm")(x, train)


class BasicBlock(_ResidualBlock):
  """Two 3 x 3 convolutions; the block of ResNet-18 and -34."""

  @nn.compact
  def __call__(self, x: jax.Array, train: bool) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to (B, T, H / stride, W / stride, features)."""
    y, aux = apply_slot(self.branch_input, "branch_input", x, train)
    y = self.conv(self.features, 3, self.stride, "conv1")(y)
    y = nn.relu(self.norm("norm1")(y, train))
    y = self.conv(self.features, 3, 1, "conv2")(y)
    y = self.norm("norm2", scale_init=nn.initializers.zeros)(y, train)
    return nn.relu(y + self.shortcut(x, y.shape, train)), aux


class BottleneckBlock(_ResidualBlock):
  """1 x 1, 3 x 3, 1 x 1 convolutions; the block of ResNet-50 and deeper.

  The stride sits on the 3 x 3 convolution, as in torchvision.
  """

  @nn.compact
  def __call__(self, x: jax.Array, train: bool) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to (B, T, H / stride, W / stride, 4 features)."""
    y, aux = apply_slot(self.branch_input, "branch_input", x, train)
    y = self.conv(self.features, 1, 1, "conv1")(y)
    y = nn.relu(self.norm("norm1")(y, train))
    y = self.conv(self.features, 3, self.stride, "conv2")(y)
    y = nn.relu(self.norm("norm2")(y, train))
    y = self.conv(4 * self.features, 1, 1, "conv3")(y)
    y = self.norm("norm3", scale_init=nn.initializers.zeros)(y, train)
    return nn.relu(y + self.shortcut(x, y.shape, train)), aux
