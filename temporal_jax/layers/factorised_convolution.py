"""Convolution over space and then along time."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers.batch_norm import BatchNorm
from temporal_jax.layers.space_time_convolution import Conv3D

Factory = Callable[..., nn.Module]


class FactorisedConv(nn.Module):
  """Convolution over space, norm, ReLU, convolution along time (R(2+1)D).

  Attributes:
    features: Output channels.
    size: Side of the kernel over space, odd.
    stride: Step over rows and columns.
    taps: Frames the kernel along time spans, odd.
    time_stride: Step over time.
    width: Channels between the two; by default as many as give them together
      the weights of the kernel over time and space.
    space: Makes the convolution over space, (features, size, stride, name) ->
      module (x, train) -> (y, aux); a `Conv3D` by default.
    time: Makes the convolution along time, (features, size, stride, taps,
      time_stride, name) -> such a module; a `Conv3D` by default.
    dtype: Dtype of the computation.

  Source: Tran et al. 2018, https://arxiv.org/abs/1711.11248, section 3.5; class
    `R2Plus1DBranch` in module_zoo/branches/r2plus1d_branch.py of
    alibaba-mmai-research/TAdaConv.
  """

  features: int
  size: int = 3
  stride: int = 1
  taps: int = 3
  time_stride: int = 1
  width: int | None = None
  space: Factory | None = None
  time: Factory | None = None
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to (B, T', H / stride, W / stride, features).

    T' is T / time_stride; aux has the further outputs of the two convolutions,
    if any, under "space" and "time".
    """
    width = self.width or self._width(x.shape[-1])
    in_space = {"features": width, "size": self.size, "stride": self.stride}
    in_time = {
      "features": self.features,
      "size": 1,
      "stride": 1,
      "taps": self.taps,
      "time_stride": self.time_stride,
    }
    x, space_aux = self._convolve(self.space, in_space, "space", x, train)
    x = nn.relu(BatchNorm(dtype=self.dtype, name="norm")(x, train))
    x, time_aux = self._convolve(self.time, in_time, "time", x, train)
    parts = {"space": space_aux, "time": time_aux}
    return x, {name: aux for name, aux in parts.items() if aux}

  def _width(self, channels: int) -> int:
    in_space, in_time = self.size**2 * channels, self.taps * self.features
    return in_space * in_time // (in_space + in_time)

  def _convolve(
    self,
    factory: Factory | None,
    settings: dict,
    name: str,
    x: jax.Array,
    train: bool,
  ) -> tuple[jax.Array, dict]:
    if factory is None:
      return Conv3D(**settings, dtype=self.dtype, name=name)(x), {}
    return factory(**settings, name=name)(x, train=train)
