"""Depthwise convolution of frames, lowered the way that is fastest."""

import functools
from collections.abc import Callable

import jax

from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering import (
  banded_convolution,
  dense_convolution,
  shift_and_add,
)
from temporal_jax.ops.lowering.device_variance import vary_together
from temporal_jax.ops.lowering.join_axes import join_axes
from temporal_jax.ops.lowering.own_gradients import with_gradients
from temporal_jax.ops.lowering.trace_once import trace_once


@trace_once("stride", "padding", "dilation")
def depthwise_convolution_2d(
  x: jax.Array,
  kernel: jax.Array,
  *,
  stride: int = 1,
  padding: int = 0,
  dilation: int = 1,
) -> jax.Array:
  """Convolves every channel of every frame over H and W by itself.

  On CPU the result and its gradients are sums of shifted products, in float32
  at least. On TPU large kernels are products with banded matrices. All else are
  XLA's convolutions.

  Args:
    x: Features (..., H, W, C), floating point.
    kernel: Weights (KH, KW, C).
    stride: Step over rows and columns, in pixels.
    padding: Zeros on every side of H and W, in pixels.
    dilation: Distance of the taps, in pixels.

  Returns:
    Features (..., H', W', C) in the dtype of `x`, with
    H' = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1 and W' likewise.

  Raises:
    ValueError: If `x` is not floating point or has fewer than four axes,
      `kernel` is not (KH, KW, C of `x`), the padded map is smaller than the
      dilated kernel, `stride` or `dilation` is not an integer of at least 1, or
      `padding` not one of at least 0.

  Source: class `Conv2d` of torch.nn with one group per channel.
  """
  shape_checks.whole(1, stride=stride, dilation=dilation)
  shape_checks.whole(0, padding=padding)
  if x.ndim < 4 or kernel.ndim != 3 or kernel.shape[2] != x.shape[-1]:
    raise ValueError(
      f"x must be (..., H, W, C) and kernel (KH, KW, C), got shapes {x.shape} "
      f"and {kernel.shape}."
    )
  shape_checks.floating(x)
  height, width = x.shape[-3:-1]
  rows, columns = (dilation * (size - 1) + 1 for size in kernel.shape[:2])
  if height + 2 * padding < rows or width + 2 * padding < columns:
    raise ValueError(
      f"a {rows} x {columns} kernel does not fit a {height} x {width} map "
      f"padded by {padding}."
    )
  frames, kernel = vary_together(join_axes(x, 0, -3), kernel.astype(x.dtype))
  out = _convolve(frames, kernel, stride, padding, dilation)
  return out.reshape(*x.shape[:-3], *out.shape[1:])  # (..., H', W', C')


def _lowered(x: jax.Array, kernel: jax.Array, **settings: int) -> jax.Array:
  """Convolves frames (N, H, W, C)."""
  grouped = functools.partial(_grouped, **settings)
  return jax.lax.platform_dependent(
    x,
    kernel,
    cpu=functools.partial(shift_and_add.convolve, **settings),
    tpu=_banded(x, kernel, **settings) or grouped,
    default=grouped,
  )


def _gradients(
  x: jax.Array, kernel: jax.Array, gradient: jax.Array, **settings: int
) -> tuple[jax.Array, jax.Array]:
  """Returns the gradients of frames and kernel.

  On TPU the kernel's is XLA's. By banded matrices it would be the gradient of
  12 to 22 MB of them, which many devices would have to add up.
  """
  grouped = functools.partial(_grouped, **settings)
  banded = _banded(x, kernel, **settings) or grouped

  def differentiate(of_frames, x, kernel, gradient):
    _, pull_frames = jax.vjp(lambda x: of_frames(x, kernel), x)
    _, pull_kernel = jax.vjp(lambda kernel: grouped(x, kernel), kernel)
    return *pull_frames(gradient), *pull_kernel(gradient)

  return jax.lax.platform_dependent(
    x,
    kernel,
    gradient,
    cpu=functools.partial(shift_and_add.gradients, **settings),
    tpu=functools.partial(differentiate, banded),
    default=functools.partial(differentiate, grouped),
  )


_convolve = with_gradients(_lowered, _gradients)


def _banded(
  x: jax.Array, kernel: jax.Array, **settings: int
) -> Callable[[jax.Array, jax.Array], jax.Array] | None:
  """Returns the convolution by banded matrices, if it is faster than XLA's."""
  if not banded_convolution.suit(x, kernel, **settings):
    return None
  del settings["stride"]  # It is 1.
  return functools.partial(banded_convolution.convolve, **settings)


def _grouped(x: jax.Array, kernel: jax.Array, **settings: int) -> jax.Array:
  """XLA's convolution with one group per channel."""
  return dense_convolution.xla_convolve(
    x, kernel[:, :, None], groups=x.shape[-1], **settings
  )
