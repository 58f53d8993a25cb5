"""Convolution over space and another along time, one after the other."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers.batch_norm import BatchNorm
from temporal_jax.layers.space_time_convolution import Conv3D
from temporal_jax.ops import shape_checks

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
    time_first: Whether the convolution along time is the first of the two
      (PyTorchVideo). The norm after it is then called "time_norm".
    space: Makes the convolution over space, (features, size, stride, name) ->
      module (x, train) -> (y, aux); a `Conv3D` by default.
    time: Makes the convolution along time, (features, size, stride, taps,
      time_stride, name) -> such a module; a `Conv3D` by default.
    dtype: Dtype of the computation.

  Source: Tran et al. 2018, https://arxiv.org/abs/1711.11248, section 3.5; class
    `R2Plus1DBranch` in module_zoo/branches/r2plus1d_branch.py of
    alibaba-mmai-research/TAdaConv. With the convolution along time first:
    `Conv2plus1d` of facebookresearch/pytorchvideo.
  """

  features: int
  size: int = 3
  stride: int = 1
  taps: int = 3
  time_stride: int = 1
  width: int | None = None
  time_first: bool = False
  space: Factory | None = None
  time: Factory | None = None
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to (B, T', H / stride, W / stride, features).

    T' is T / time_stride; aux has the further outputs of the two convolutions,
    if any, under "space" and "time".

    Raises:
      ValueError: If `size` or `taps` is even, `width` is below 1, or see
        `Conv3D`.
    """
    shape_checks.odd("size", self.size)
    shape_checks.odd("taps", self.taps)
    width = shape_checks.given_or(self._width(x.shape[-1]), width=self.width)
    in_space = {"size": self.size, "stride": self.stride}
    in_time = {
      "size": 1,
      "stride": 1,
      "taps": self.taps,
      "time_stride": self.time_stride,
    }
    parts = [("space", self.space, in_space), ("time", self.time, in_time)]
    first, second = parts[::-1] if self.time_first else parts
    x, first_aux = self._convolve(*first, width, x, train)
    norm = "time_norm" if self.time_first else "norm"
    x = nn.relu(BatchNorm(dtype=self.dtype, name=norm)(x, train))
    x, second_aux = self._convolve(*second, self.features, x, train)
    found = {first[0]: first_aux, second[0]: second_aux}
    return x, {name: aux for name, aux in found.items() if aux}

  def _width(self, channels: int) -> int:
    sizes = [self.size**2, self.taps]
    first, second = sizes[::-1] if self.time_first else sizes
    return inner_width(channels, self.features, first=first, second=second)

  def _convolve(
    self,
    name: str,
    factory: Factory | None,
    settings: dict,
    features: int,
    x: jax.Array,
    train: bool,
  ) -> tuple[jax.Array, dict]:
    settings = {"features": features, **settings, "name": name}
    if factory is None:
      return Conv3D(**settings, dtype=self.dtype)(x), {}
    return factory(**settings)(x, train=train)


def inner_width(channels: int, features: int, *, first: int, second: int) -> int:
  """Returns the channels between two convolutions that replace one.

  The two have at most the weights of the one, and nearly as many.

  Args:
    channels: Input channels, C.
    features: Output channels.
    first: Places that a kernel of the first convolution spans, e.g. 9.
    second: Places that one of the second spans, e.g. 3.
  """
  before, after = first * channels, second * features
  return before * after // (before + after)
