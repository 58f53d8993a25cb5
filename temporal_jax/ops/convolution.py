"""Two-dimensional convolution of frames, lowered the way that is fastest."""

import functools

import jax

from temporal_jax.ops import shape_checks
from temporal_jax.ops.depthwise_convolution import depthwise_convolution_2d
from temporal_jax.ops.lowering import (
  dense_convolution,
  im2col_convolution,
  toeplitz_convolution,
)
from temporal_jax.ops.lowering.device_variance import vary_together
from temporal_jax.ops.lowering.join_axes import join_axes
from temporal_jax.ops.lowering.trace_once import trace_once


@trace_once("stride", "padding", "dilation", "groups")
def convolution_2d(
  x: jax.Array,
  kernel: jax.Array,
  *,
  stride: int = 1,
  padding: int = 0,
  dilation: int = 1,
  groups: int = 1,
) -> jax.Array:
  """Convolves every frame over H and W.

  1 x 1 kernels are a matrix product. So are kernels as large as the padded map,
  and maps smaller than the kernel, over their patches: XLA takes such a map for
  the kernel, which on CPU is ten times slower. Tiny maps of few channels are
  multiplied with the matrix the kernel is to them, on CPU row by row, on TPU as
  a whole. On CPU groups are a product over patches as well, since the gradients
  of XLA's grouped convolution take seconds there; one group per channel is
  `depthwise_convolution_2d`. All else is `dense_convolution.convolve`.

  Args:
    x: Features (..., H, W, C), floating point.
    kernel: Weights (KH, KW, C / groups, C').
    stride: Step over rows and columns, in pixels.
    padding: Zeros on every side of H and W, in pixels.
    dilation: Distance of the taps, in pixels.
    groups: Equal parts of C and C' that do not see one another.

  Returns:
    Features (..., H', W', C') in the dtype of `x`, with
    H' = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1 and W' likewise.

  Raises:
    ValueError: If `x` is not floating point or has fewer than four axes,
      `kernel` is not (KH, KW, C of `x` / groups, C'), `groups` does not divide
      C', the padded map is smaller than the dilated kernel, a step, the
      dilation or the groups are not integers of at least 1, or the padding is
      not one of at least 0.

  Source: class `Conv2d` of torch.nn; for the lowerings see their modules.
  """
  shape_checks.whole(1, stride=stride, dilation=dilation, groups=groups)
  shape_checks.whole(0, padding=padding)
  if x.ndim < 4 or kernel.ndim != 4 or kernel.shape[2] * groups != x.shape[-1]:
    raise ValueError(
      f"x must be (..., H, W, C) and kernel (KH, KW, C / groups, C'), got "
      f"shapes {x.shape} and {kernel.shape} and {groups} groups."
    )
  shape_checks.floating(x)
  if kernel.shape[3] % groups:
    raise ValueError(f"{groups} groups do not divide kernel {kernel.shape}.")
  height, width = x.shape[-3:-1]
  rows, columns = (dilation * (size - 1) + 1 for size in kernel.shape[:2])
  if height + 2 * padding < rows or width + 2 * padding < columns:
    raise ValueError(
      f"a {rows} x {columns} kernel does not fit a {height} x {width} map "
      f"padded by {padding}."
    )
  settings = {"stride": stride, "padding": padding, "dilation": dilation}
  if groups > 1 and groups == x.shape[-1] == kernel.shape[3]:
    return depthwise_convolution_2d(x, kernel[:, :, 0], **settings)
  frames, kernel = vary_together(join_axes(x, 0, -3), kernel.astype(x.dtype))
  product = functools.partial(im2col_convolution.convolve, groups=groups, **settings)
  smaller = height < rows and width < columns
  one_place = (height + 2 * padding, width + 2 * padding) == (rows, columns)
  if (rows, columns) == (1, 1) or smaller or one_place:
    out = product(frames, kernel)
  elif groups > 1:
    native = functools.partial(
      dense_convolution.xla_convolve, groups=groups, **settings
    )
    out = jax.lax.platform_dependent(frames, kernel, cpu=product, default=native)
  elif toeplitz_convolution.suit(frames, kernel, **settings):
    out = jax.lax.platform_dependent(
      frames,
      kernel,
      cpu=functools.partial(toeplitz_convolution.convolve_rows, **settings),
      tpu=functools.partial(toeplitz_convolution.convolve_maps, **settings),
      default=functools.partial(dense_convolution.convolve, **settings),
    )
  else:
    out = dense_convolution.convolve(frames, kernel, **settings)
  return out.reshape(*x.shape[:-3], *out.shape[1:])  # (..., H', W', C')
