"""Convolution over time and space, as one over space."""

import functools
from collections.abc import Sequence

import einops
import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.convolution import convolution_2d
from temporal_jax.ops.lowering.join_axes import join_axes
from temporal_jax.ops.temporal_convolution import neighbours, sum_of_taps

# Features of all taps, up to which a CPU convolves frames one by one: a product
# over patches takes as long for 8 features as for 64. The stem of SlowFast's
# fast pathway (5 x 7 x 7, 3 to 8 channels) takes half as long with gradients.
_FEW_FEATURES = 64


def convolution_3d(
  x: jax.Array,
  kernel: jax.Array,
  *,
  stride: int = 1,
  time_stride: int = 1,
  padding: int = 0,
) -> jax.Array:
  """Convolves a clip over T, H and W.

  The frames that a kernel sees become channels of one map, so that it is a
  `convolution_2d` with all that makes that fast; on CPU, where it makes few
  channels, the taps become features. Frames outside the clip count as zero;
  those that a step in time skips are never computed.

  Args:
    x: Features (B, T, H, W, C), floating point.
    kernel: Weights (KT, KH, KW, C, C'); KT is odd.
    stride: Step over rows and columns, in pixels.
    time_stride: Step over time, in frames; the first is that around frame 0.
    padding: Zeros on every side of H and W, in pixels.

  Returns:
    Features (B, ceil(T / time_stride), H', W', C') in the dtype of `x`; H' and
    W' are as in `convolution_2d`.

  Raises:
    ValueError: If `x` is not floating point, a shape is none of the above, a
      step is not an integer of at least 1, or the padding not one of at least
      0.

  Source: Tran et al. 2015, https://arxiv.org/abs/1412.0767, section 3.1; class
    `Conv3d` of torch.nn.
  """
  shape_checks.video(x)
  if kernel.ndim != 5 or kernel.shape[0] % 2 == 0:
    raise ValueError(
      f"kernel must be (odd KT, KH, KW, C, C'), got shape {kernel.shape}."
    )
  shape_checks.same_channels(x, kernel, axis=3)
  shape_checks.whole(1, time_stride=time_stride)

  taps, features = kernel.shape[0], kernel.shape[-1]
  convolve = functools.partial(convolution_2d, stride=stride, padding=padding)

  def join(x: jax.Array, kernel: jax.Array) -> jax.Array:
    frames = neighbours(x, taps, stride=time_stride)
    return convolve(*join_taps(frames, kernel))

  def spread(x: jax.Array, kernel: jax.Array) -> jax.Array:
    products = convolve(x, einops.rearrange(kernel, "k h w c f -> h w c (k f)"))
    return sum_of_taps(products, taps)

  # Narrow dtypes are joined: they must not be rounded before they are summed.
  is_wide = x.dtype.itemsize >= 4
  if is_wide and taps > 1 and time_stride == 1 and taps * features <= _FEW_FEATURES:
    return jax.lax.platform_dependent(x, kernel, cpu=spread, default=join)
  return join(x, kernel)


def join_taps(
  frames: Sequence[jax.Array], kernel: jax.Array, groups: int = 1
) -> tuple[jax.Array, jax.Array]:
  """Makes one convolution over space of the taps over time.

  The frames a kernel (KT, KH, KW, C / groups, C') sees become channels of one
  map, group by group. They are joined along the channels: stacked frames would
  be transposed, which on TPU takes longer than the convolution.
  """
  parts = [
    einops.rearrange(x, "b t h w (g c) -> b t h w g c", g=groups) for x in frames
  ]
  x = join_axes(jnp.concatenate(parts, axis=-1), -2)  # (B, T, H, W, G KT C / G)
  return x, einops.rearrange(kernel, "k h w c f -> h w (k c) f")
