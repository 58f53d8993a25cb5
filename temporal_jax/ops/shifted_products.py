"""Depthwise convolution as a sum of shifted products, and its gradients.

For CPU. XLA fuses such a sum with a reduction that follows it, a layer norm's
for one, and then takes ten times as long. It leaves the results of loops alone,
and a loop over frames has small intermediate results.
"""

import jax
import jax.numpy as jnp


def convolve(
  x: jax.Array, kernel: jax.Array, *, stride: int, padding: int, dilation: int
) -> jax.Array:
  """Convolves frames (N, H, W, C) with (KH, KW, C), a product a tap."""

  def convolve_frame(frame):
    padded = jnp.pad(frame, ((padding, padding), (padding, padding), (0, 0)))
    return _correlate(padded, kernel, stride, dilation)

  return jax.lax.map(convolve_frame, x)


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
  shape = (height + 2 * padding - rows + 1, width + 2 * padding - columns + 1)
  across = -(-shape[1] // columns)  # Tiles, rounded up.

  def add_frame(total, frames):
    frame, gradient = frames
    # As if the stride were one: zeros where no window starts.
    gradient = _place(gradient, shape, first=(0, 0), step=stride)
    seen = _place(
      gradient,
      (height + rows - 1, width + columns - 1),
      first=(rows - 1 - padding, columns - 1 - padding),
    )
    back = _correlate(seen, kernel[::-1, ::-1], 1, dilation)
    return _add_windows(total, frame, gradient, padding), back

  zeros = jnp.zeros((rows, across, columns, x.shape[-1]), _precise(x).dtype)
  total, x_gradient = jax.lax.scan(add_frame, zeros, (x, gradient))
  kernel_gradient = total.sum(axis=1)[::dilation, ::dilation]
  return x_gradient, kernel_gradient.astype(kernel.dtype)


def _correlate(
  x: jax.Array, kernel: jax.Array, stride: int, dilation: int
) -> jax.Array:
  """Sums the products over every window of a frame (H, W, C) as it is."""
  dtype = x.dtype
  x, kernel = _precise(x), _precise(kernel)
  rows, columns, _ = kernel.shape
  height = x.shape[0] - dilation * (rows - 1)
  width = x.shape[1] - dilation * (columns - 1)
  products = (
    kernel[i : i + 1, j : j + 1]
    * x[
      i * dilation : i * dilation + height : stride,
      j * dilation : j * dilation + width : stride,
    ]
    for i in range(rows)
    for j in range(columns)
  )
  return sum(products).astype(dtype)


def _add_windows(
  total: jax.Array, x: jax.Array, gradient: jax.Array, padding: int
) -> jax.Array:
  """Adds sum over h, w of x[h + i, w + j] * gradient[h, w] to total[i, :, j].

  The sum over a tile as large as the kernel is again one of shifted products,
  for all (i, j) at once; `total` keeps the tiles of a row apart. `x` is a frame
  (H, W, C), to be padded by `padding`.
  """
  rows, across, columns, _ = total.shape
  down = -(-gradient.shape[0] // rows)
  height, width = down * rows, across * columns
  first = (padding, padding)
  x = _place(x, (height + rows - 1, width + columns - 1), first=first)
  gradient = _place(gradient, (height, width), first=(0, 0))
  x, gradient = _precise(x), _precise(gradient)
  products = (
    x[s : s + height, t : t + width].reshape(down, *total.shape)
    * gradient[s::rows, t::columns][:, None, :, None]
    for s in range(rows)
    for t in range(columns)
  )
  total, _ = jax.lax.scan(
    lambda total, row: (total + row, None), total, sum(products)
  )
  return total


def _place(
  x: jax.Array, shape: tuple[int, int], *, first: tuple[int, int], step: int = 1
) -> jax.Array:
  """Spreads a frame (H, W, C) over zeros, or cuts what does not fit.

  Pixel i goes to first + step i of `shape`.
  """
  sides = [(0, 0, 0)] * 3
  for axis in (0, 1):
    used = first[axis] + step * (x.shape[axis] - 1) + 1
    sides[axis] = (first[axis], shape[axis] - used, step - 1)
  return jax.lax.pad(x, jnp.zeros((), x.dtype), sides)


def _precise(x: jax.Array) -> jax.Array:
  """Returns `x` in float32 if its own dtype has fewer bits."""
  return x if x.dtype.itemsize >= 4 else x.astype(jnp.float32)
