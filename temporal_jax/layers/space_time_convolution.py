"""Convolution over time and space."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.ops import shape_checks


class Conv3D(nn.Module):
  """Convolution over T, H and W, without bias.

  Its kernel has no axes that it does not need: (size, size, C, features) for
  one frame, (taps, C, features) for one pixel. Its name and shape are as in
  `AdaptiveConv`.

  Attributes:
    features: Output channels.
    size: Side of the kernel, odd; H and W are padded by size // 2.
    stride: Step over rows and columns.
    taps: Frames the kernel spans, odd.
    time_stride: Step over time.
    kernel_init: Initialiser of the kernel.
    dtype: Dtype of the computation; the kernel stays float32.
  """

  features: int
  size: int = 3
  stride: int = 1
  taps: int = 1
  time_stride: int = 1
  kernel_init: nn.initializers.Initializer = nn.initializers.variance_scaling(
    2.0, "fan_out", "normal"
  )
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (B, T, H, W, C) to (B, T', H / stride, W / stride, features).

    T' is T / time_stride.

    Raises:
      ValueError: If `size` or `taps` is even, or as `ops.convolution_3d`.
    """
    shape_checks.odd("size", self.size)
    shape_checks.odd("taps", self.taps)
    shape_checks.whole(1, stride=self.stride)
    along_time = self.size == 1 and self.taps > 1
    shape = (x.shape[-1], self.features)
    if not along_time:
      shape = (self.size, self.size, *shape)
    if self.taps > 1:
      shape = (self.taps, *shape)
    kernel = self.param("kernel", self.kernel_init, shape, jnp.float32)
    x = x.astype(self.dtype)
    if along_time:
      x = x[:, :, :: self.stride, :: self.stride]
      return ops.temporal_convolution(x, kernel, stride=self.time_stride)
    return ops.convolution_3d(
      x,
      kernel if self.taps > 1 else kernel[None],
      stride=self.stride,
      time_stride=self.time_stride,
      padding=self.size // 2,
    )
