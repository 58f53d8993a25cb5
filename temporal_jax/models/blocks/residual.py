"""The residual blocks of ResNet, applied frame by frame or over time too."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers import BatchNorm, Conv3D, FactorisedConv
from temporal_jax.layers.factorised_convolution import inner_width
from temporal_jax.layers.tada.temporal_pooling import normalised
from temporal_jax.models.slots import Temporal, apply_slot


class _ResidualBlock(nn.Module):
  """Arguments, slots and shortcut of both residual blocks.

  Attributes:
    features: Width of the 3 x 3 convolutions.
    stride: Spatial stride of the block.
    taps: Frames that its 3 x 3 convolutions span.
    time_stride: Temporal stride of the block.
    factorised: Whether those convolutions are ones over space, norm, ReLU and
      ones along time (R(2+1)D).
    time_first: Whether the ones along time are the first then.
    factorised_shortcut: Whether the 1 x 1 convolution of the shortcut is
      factorised as well (mmaction2).
    temporal: Layers in its temporal slots.
    pooled_shortcut: Whether a shortcut that changes its shape is big-little
      net's: it starts after the module of `branch_input`, and average pooling
      strides it. Otherwise it starts at the block's input and a strided 1 x 1
      convolution changes it, as in torchvision.
    final_relu: Whether a ReLU follows the sum.
    dtype: Dtype of the computation.
  """

  features: int
  stride: int = 1
  taps: int = 1
  time_stride: int = 1
  factorised: bool = False
  time_first: bool = False
  factorised_shortcut: bool = False
  temporal: Temporal = Temporal()
  pooled_shortcut: bool = False
  final_relu: bool = True
  dtype: jax.typing.DTypeLike = jnp.float32

  def pointwise(self, features: int, name: str, **kwargs: int) -> Conv3D:
    return Conv3D(features, 1, dtype=self.dtype, name=name, **kwargs)

  def norm(self, name: str, **kwargs) -> BatchNorm:
    return BatchNorm(dtype=self.dtype, name=name, **kwargs)

  def convolve(
    self,
    x: jax.Array,
    train: bool,
    name: str,
    *,
    temporal: Temporal,
    stride: int = 1,
    time_stride: int = 1,
    width: int | None = None,
  ) -> tuple[jax.Array, dict]:
    """Applies a 3 x 3 convolution; `width` is that between its two parts."""
    settings = {"features": self.features, "size": 3, "stride": stride}
    over_time = {"taps": self.taps, "time_stride": time_stride}
    if self.factorised:
      conv = FactorisedConv(
        **settings,
        **over_time,
        width=width,
        time_first=self.time_first,
        space=temporal.convolution,
        time=temporal.temporal_convolution,
        dtype=self.dtype,
        name=name,
      )
      return conv(x, train)
    if temporal.convolution is None:
      conv = Conv3D(**settings, **over_time, dtype=self.dtype, name=name)
      return conv(x), {}
    if self.taps > 1 or time_stride > 1:
      settings |= over_time
    return temporal.convolution(**settings, name=name)(x, train=train)

  def spatial(
    self,
    x: jax.Array,
    train: bool,
    conv: str,
    norm: str,
    width: int | None = None,
  ) -> tuple[jax.Array, dict]:
    """Applies the 3 x 3 convolution that strides, its norm and its slots."""
    x, aux = self.convolve(
      x,
      train,
      conv,
      stride=self.stride,
      time_stride=self.time_stride,
      temporal=self.temporal,
      width=width,
    )
    y, more = normalised(
      x,
      train,
      norm=functools.partial(self.norm(norm), train=train),
      after=self.temporal.after_convolution,
    )
    return nn.relu(y), aux | more

  def merge(
    self,
    branch: jax.Array,
    x: jax.Array,
    branch_input: jax.Array,
    train: bool,
  ) -> jax.Array:
    """Adds the branch to the shortcut of `x`, the block's input."""
    strided = self.stride > 1 or self.time_stride > 1
    if strided or x.shape != branch.shape:
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
    strides = {"stride": stride, "time_stride": self.time_stride}
    if self.factorised_shortcut:
      x = self._factorised_shortcut(x, features, train, **strides)
    else:
      x = self.pointwise(features, "shortcut_conv", **strides)(x)
    return self.norm("shortcut_norm")(x, train)

  def _factorised_shortcut(
    self, x: jax.Array, features: int, train: bool, **strides: int
  ) -> jax.Array:
    """Applies two 1 x 1 convolutions, with a norm and ReLU in between.

    mmaction2 counts the channels between them as for `taps` frames.
    """
    width = inner_width(x.shape[-1], features, first=1, second=self.taps)
    conv = FactorisedConv(
      features,
      size=1,
      taps=1,
      width=width,
      dtype=self.dtype,
      name="shortcut_conv",
      **strides,
    )
    return conv(x, train)[0]


class BasicBlock(_ResidualBlock):
  """Two 3 x 3 convolutions; the block of ResNet-18 and -34.

  Attributes:
    shared_width: Whether the second convolution, if factorised, has as many
      channels between its parts as the first (torchvision); by default each has
      its own number, see `FactorisedConv`.
  """

  shared_width: bool = False

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to (B, T', H / stride, W / stride, features).

    T' is T / time_stride.
    """
    slot = self.temporal.branch_input
    start, aux = apply_slot(slot, "branch_input", x, train)
    width = None
    if self.shared_width:
      first, second = (self.taps, 9) if self.time_first else (9, self.taps)
      width = inner_width(x.shape[-1], self.features, first=first, second=second)
    y, conv_aux = self.spatial(start, train, "conv1", "norm1", width)
    y, _ = self.convolve(y, train, "conv2", temporal=Temporal(), width=width)
    y = self.norm("norm2", scale_init=nn.initializers.zeros)(y, train)
    return self.merge(y, x, start, train), {**aux, **conv_aux}


class BottleneckBlock(_ResidualBlock):
  """1 x 1, 3 x 3, 1 x 1 convolutions; the block of ResNet-50 and deeper.

  The stride sits on the 3 x 3 convolution, as in torchvision.

  Attributes:
    first_taps: Frames that the first 1 x 1 convolution spans (SlowFast).
  """

  first_taps: int = 1

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to (B, T', H / stride, W / stride, 4 features).

    T' is T / time_stride.
    """
    slot = self.temporal.branch_input
    start, aux = apply_slot(slot, "branch_input", x, train)
    y = self.pointwise(self.features, "conv1", taps=self.first_taps)(start)
    y = nn.relu(self.norm("norm1")(y, train))
    y, conv_aux = self.spatial(y, train, "conv2", "norm2", self.features)
    y = self.pointwise(4 * self.features, "conv3")(y)
    y = self.norm("norm3", scale_init=nn.initializers.zeros)(y, train)
    return self.merge(y, x, start, train), {**aux, **conv_aux}
