"""The residual blocks of ResNet, applied frame by frame."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers import BatchNorm, Conv2D
from temporal_jax.models.temporal import Temporal, apply_slot


class _ResidualBlock(nn.Module):
  """What both blocks have: their arguments, their slots and their shortcut.

  Attributes:
    features: Width of the 3 x 3 convolutions.
    stride: Spatial stride of the block.
    temporal: What sits in its temporal slots.
    pooled_shortcut: Whether a shortcut that changes its shape is big-little
      net's: it starts behind the module of `branch_input`, and average pooling
      strides it. Otherwise it starts at the block's input and a strided 1 x 1
      convolution changes it, as in torchvision.
    final_relu: Whether a ReLU follows the sum.
    dtype: Dtype of the computation.
  """

  features: int
  stride: int = 1
  temporal: Temporal = Temporal()
  pooled_shortcut: bool = False
  final_relu: bool = True
  dtype: jax.typing.DTypeLike = jnp.float32

  def conv(self, features: int, size: int, stride: int, name: str) -> Conv2D:
    return Conv2D(features, size, stride, dtype=self.dtype, name=name)

  def norm(self, name: str, **kwargs) -> BatchNorm:
    return BatchNorm(dtype=self.dtype, name=name, **kwargs)

  def spatial(
    self, x: jax.Array, train: bool, conv: str, norm: str
  ) -> tuple[jax.Array, dict]:
    """Applies the 3 x 3 convolution that strides, its norm and its slots."""
    aux, after = {}, {}
    if self.temporal.convolution is None:
      x = self.conv(self.features, 3, self.stride, conv)(x)
    else:
      x, aux = self.temporal.convolution(
        features=self.features, size=3, stride=self.stride, name=conv
      )(x, train=train)
    y = self.norm(norm)(x, train)
    if self.temporal.after_convolution is not None:
      pooled, after = self.temporal.after_convolution(name="after_convolution")(
        x, train=train
      )
      y = y + pooled
    return nn.relu(y), {**aux, **after}

  def merge(
    self,
    branch: jax.Array,
    x: jax.Array,
    branch_input: jax.Array,
    train: bool,
  ) -> jax.Array:
    """Adds the branch to the shortcut of `x`, the block's input."""
    if x.shape != branch.shape:
      x = branch_input if self.pooled_shortcut else x
      x = self._change_shape(x, branch.shape[-1], train)
    out = branch + x
    return nn.relu(out) if self.final_relu else out

  def _change_shape(self, x: jax.Array, features: int, train: bool):
    stride = self.stride
    if self.pooled_shortcut and stride > 1:
      x = ops.average_pool_2d(x, size=3, stride=stride, padding=1)
      stride = 1
    if self.pooled_shortcut and x.shape[-1] == features:
      return x
    x = self.conv(features, 1, stride, "shortcut_conv")(x)
    return self.norm("shortcut_norm")(x, train)


class BasicBlock(_ResidualBlock):
  """Two 3 x 3 convolutions; the block of ResNet-18 and -34."""

  @nn.compact
  def __call__(
    self, x: jax.Array, train: bool = False
  ) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to (B, T, H / stride, W / stride, features)."""
    slot = self.temporal.branch_input
    start, aux = apply_slot(slot, "branch_input", x, train)
    y, conv_aux = self.spatial(start, train, "conv1", "norm1")
    y = self.conv(self.features, 3, 1, "conv2")(y)
    y = self.norm("norm2", scale_init=nn.initializers.zeros)(y, train)
    return self.merge(y, x, start, train), {**aux, **conv_aux}


class BottleneckBlock(_ResidualBlock):
  """1 x 1, 3 x 3, 1 x 1 convolutions; the block of ResNet-50 and deeper.

  The stride sits on the 3 x 3 convolution, as in torchvision.
  """

  @nn.compact
  def __call__(
    self, x: jax.Array, train: bool = False
  ) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to (B, T, H / stride, W / stride, 4 features)."""
    slot = self.temporal.branch_input
    start, aux = apply_slot(slot, "branch_input", x, train)
    y = self.conv(self.features, 1, 1, "conv1")(start)
    y = nn.relu(self.norm("norm1")(y, train))
    y, conv_aux = self.spatial(y, train, "conv2", "norm2")
    y = self.conv(4 * self.features, 1, 1, "conv3")(y)
    y = self.norm("norm3", scale_init=nn.initializers.zeros)(y, train)
    return self.merge(y, x, start, train), {**aux, **conv_aux}
