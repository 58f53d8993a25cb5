"""Depthwise convolution as a sum of shifted products, and its gradients."""

import jax
import jax.numpy as jnp


def convolve(
  x: jax.Array, kernel: jax.Array, *, stride: int, padding: int, dilation: int
) -> jax.Array:
  """Convolves frames (N, H, W, C) with (KH, KW, C), a product a tap."""
  sides = (padding, padding)
  padded = jnp.pad(x, ((0, 0), sides, sides, (0, 0)))
  return _correlate(padded, kernel, stride, dilation).astype(x.dtype)


def _correlate(
  x: jax.Array, kernel: jax.Array, stride: int, dilation: int
) -> jax.Array:
  """Sums the products over every window of `x` as it is, unrounded."""
  x, kernel = (_precise(array) for array in (x, kernel))
  rows, columns, _ = kernel.shape
  height = x.shape[1] - dilation * (rows - 1)
  width = x.shape[2] - dilation * (columns - 1)
  return sum(
    kernel[None, i : i + 1, j : j + 1]
    * x[
      :,
      i * dilation : i * dilation + height : stride,
      j * dilation : j * dilation + width : stride,
    ]
    for i in range(rows)
    for j in range(columns)
  )


def gradients(
  x: jax.Array,
  kernel: jax.Array,
  gradient: jax.Array,
  *,
  stride: int,
  padding: int,
  dilation: int,
) -> tuple[jax.Array, jax.Array]:
  """The gradients of `convolve`, as two more sums of shifted products.

  What autodiff makes of the sum takes twenty times as long: a reduction over
  all frames for every tap, and as many padded copies of the gradient.
  """
  height, width = x.shape[1:3]
  rows, columns = (dilation * (size - 1) + 1 for size in kernel.shape[:2])
  # As if the stride were one: zeros where no window starts.
  shape = (height + 2 * padding - rows + 1, width + 2 * padding - columns + 1)
  gradient = _place(gradient, shape, first=(0, 0), step=stride)
  first = (rows - 1 - padding, columns - 1 - padding)
  spread = _place(
    gradient, (height + rows - 1, width + columns - 1), first=first
  )
  x_gradient = _correlate(spread, kernel[::-1, ::-1], 1, dilation)
  sides = (padding, padding)
  padded = jnp.pad(x, ((0, 0), sides, sides, (0, 0)))
  kernel_gradient = _windows_sum(padded, gradient, rows, columns)
  kernel_gradient = kernel_gradient[::dilation, ::dilation]
  return x_gradient.astype(x.dtype), kernel_gradient.astype(kernel.dtype)


def _windows_sum(
  x: jax.Array, gradient: jax.Array, rows: int, columns: int
) -> jax.Array:
  """Returns sum over n, h, w of x[n, h + i, w + j] * gradient[n, h, w].

  The sum over a tile as large as the kernel is again one of shifted products,
  for all (i, j) at once. The rows of tiles are added up by a loop, which XLA
  does not fuse with the products; fused, they take ten times as long.
  """
  num_frames, height, width, channels = gradient.shape
  down, across = -(-height // rows), -(-width // columns)  # Tiles, rounded up.
  width = across * columns
  x = _place(x, ((down + 1) * rows - 1, width + columns - 1), first=(0, 0))
  gradient = _place(gradient, (down * rows, width), first=(0, 0))
  tiles = gradient.reshape(num_frames * down, rows, width, channels)

  def add(total, row_of_tiles):
    index, tiles = row_of_tiles
    start = (index // down, index % down * rows, 0, 0)
    size = (1, 2 * rows - 1, *x.shape[2:])
    seen = _precise(jax.lax.dynamic_slice(x, start, size)[0])
    tiles = _precise(tiles)
    products = sum(
      seen[s : s + rows, t : t + width].reshape(total.shape)
      * tiles[s, t::columns][None, :, None]
      for s in range(rows)
      for t in range(columns)
    )
    return total + products, None

  zeros = jnp.zeros((rows, across, columns, channels), _precise(x).dtype)
  total, _ = jax.lax.scan(add, zeros, (jnp.arange(num_frames * down), tiles))
  return total.sum(axis=1)


def _place(
  x: jax.Array, shape: tuple[int, int], *, first: tuple[int, int], step: int = 1
) -> jax.Array:
  """Spreads frames over zeros of `shape`, or cuts what does not fit.

  Pixel i goes to first + step i.
  """
  sides = [(0, 0, 0)] * 4
  for axis in (1, 2):
    start = first[axis - 1]
    used = start + step * (x.shape[axis] - 1) + 1
    sides[axis] = (start, shape[axis - 1] - used, step - 1)
  return jax.lax.pad(x, jnp.zeros((), x.dtype), sides)


def _precise(x: jax.Array) -> jax.Array:
  """Returns `x` in float32 if its own dtype has fewer bits."""
  return x if x.dtype.itemsize >= 4 else x.astype(jnp.float32)
