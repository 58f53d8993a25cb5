"""Two-dimensional convolution of frames, lowered the way that is fastest."""

import jax
import jax.numpy as jnp


def convolution_2d(
  x: jax.Array,
  kernel: jax.Array,
  *,
  stride: int = 1,
  padding: int = 0,
) -> jax.Array:
  """Convolves every frame over H and W.

  1 x 1 kernels are a matrix product. So are maps smaller than the kernel, over
  their patches: XLA takes such a map for the kernel, which on CPU is ten times
  slower. All else is XLA's convolution.

  Args:
    x: Features (..., H, W, C), floating point.
    kernel: Weights (KH, KW, C, C').
    stride: Step over rows and columns, in pixels.
    padding: Zeros on every side of H and W, in pixels.

  Returns:
    Features (..., H', W', C') in the dtype of `x`, with
    H' = (H + 2 padding - KH) // stride + 1 and W' likewise.

  Raises:
    ValueError: If `x` has fewer than four axes, `kernel` is not (KH, KW, C of
      `x`, C'), or the padded map is smaller than the kernel.
  """
  if x.ndim < 4 or kernel.ndim != 4 or kernel.shape[2] != x.shape[-1]:
    raise ValueError(
      f"x must be (..., H, W, C) and kernel (KH, KW, C, C'), got shapes "
      f"{x.shape} and {kernel.shape}."
    )
  lead, (height, width) = x.shape[:-3], x.shape[-3:-1]
  rows, columns, _, features = kernel.shape
  if height + 2 * padding < rows or width + 2 * padding < columns:
    raise ValueError(
      f"a {rows} x {columns} kernel does not fit a {height} x {width} map "
      f"padded by {padding}."
    )
  kernel = kernel.astype(x.dtype)
  x = x.reshape(-1, *x.shape[-3:])
  if (rows, columns) == (1, 1) or (height < rows and width < columns):
    patches = _patches(x, rows, columns, stride, padding)
    out = patches @ kernel.reshape(-1, features)
  else:
    out = jax.lax.conv_general_dilated(
      x,
      kernel,
      window_strides=(stride, stride),
      padding=[(padding, padding)] * 2,
      dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
  return out.reshape(*lead, *out.shape[1:])


def _patches(
  x: jax.Array, rows: int, columns: int, stride: int, padding: int
) -> jax.Array:
  """Returns what the kernel sees at each place, (N, H', W', KH KW C)."""
  sides = (padding, padding)
  x = jnp.pad(x, ((0, 0), sides, sides, (0, 0)))
  height, width = x.shape[1] - rows + 1, x.shape[2] - columns + 1
  return jnp.concatenate(
    [
      x[:, i : i + height : stride, j : j + width : stride]
      for i in range(rows)
      for j in range(columns)
    ],
    axis=-1,
  )
