"""Depthwise convolution as a sum of shifted products, and its gradients.

For CPU. Fused with a reduction that follows it, a layer norm's for one, such a
sum takes ten times as long, so it is not fused. Kernel gradients loop over
frames: their intermediate results are small.
"""

import functools

import jax
import jax.numpy as jnp

from temporal_jax.ops.lowering import materialize
from temporal_jax.ops.lowering.accumulation_dtype import wide_dtype, widen
from temporal_jax.ops.lowering.device_variance import vary_together

# Compiled on their own, so that blocks of one shape are traced once.
_traced_once = functools.partial(
  jax.jit, static_argnames=("stride", "padding", "dilation")
)


@_traced_once
def convolve(
  x: jax.Array, kernel: jax.Array, *, stride: int, padding: int, dilation: int
) -> jax.Array:
  """Convolves frames (N, H, W, C) with a kernel (KH, KW, C)."""

  def convolve_some(x):
    size = (x.shape[-3] + 2 * padding, x.shape[-2] + 2 * padding)
    padded = _place(x, size, first=(padding, padding))
    # Else XLA reads the middle tap from `x`: a second array, and slower.
    padded = jax.lax.optimization_barrier(padded)
    return _correlate(padded, kernel, stride, dilation)

  return materialize.apart(convolve_some, x)


@_traced_once
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

  Autodiff's gradient of the sum takes twenty times as long: it reduces all
  frames once per tap, and makes a padded copy of the gradient for each.
  """
  height, width = x.shape[1:3]
  rows, columns = (dilation * (size - 1) + 1 for size in kernel.shape[:2])
  shape = (height + 2 * padding - rows + 1, width + 2 * padding - columns + 1)
  across = -(-shape[1] // columns)  # Tiles, rounded up.

  # As if the stride were one: zeros where no window starts.
  gradient = _place(gradient, shape, first=(0, 0), step=stride)

  def convolve_back(gradient):
    seen = _place(
      gradient,
      (height + rows - 1, width + columns - 1),
      first=(rows - 1 - padding, columns - 1 - padding),
    )
    return _correlate(seen, kernel[::-1, ::-1], 1, dilation)

  def add_frame(total, frames):
    return _add_windows(total, *frames, padding), None

  sizes = (rows, across, columns, x.shape[-1])
  zeros, _, _ = vary_together(jnp.zeros(sizes, wide_dtype(x)), x, gradient)
  total, _ = jax.lax.scan(add_frame, zeros, (x, gradient))
  kernel_gradient = total.sum(axis=1)[::dilation, ::dilation]
  x_gradient = materialize.apart(convolve_back, gradient)
  return x_gradient, kernel_gradient.astype(kernel.dtype)


def _correlate(
  x: jax.Array, kernel: jax.Array, stride: int, dilation: int
) -> jax.Array:
  """Sums the products over every window of frames (..., H, W, C)."""
  dtype = x.dtype
  x, kernel = widen(x), widen(kernel)
  rows, columns, channels = kernel.shape
  height = x.shape[-3] - dilation * (rows - 1)
  width = x.shape[-2] - dilation * (columns - 1)
  lead = x.ndim - 3
  # (KH KW, 1, ..., 1, C)
  taps = kernel.reshape(rows * columns, *(1,) * (x.ndim - 1), channels)
  strides = (*(1,) * lead, stride, stride, 1)

  def product(i: int, j: int) -> jax.Array:
    seen = jax.lax.slice(  # Traced ten times as fast as an index.
      x,
      (*(0,) * lead, i * dilation, j * dilation, 0),
      (*x.shape[:lead], i * dilation + height, j * dilation + width, channels),
      strides,
    )
    return taps[i * columns + j] * seen

  # A sum a row: one chain of additions would wait for each of them.
  sums = (sum(product(i, j) for j in range(columns)) for i in range(rows))
  return sum(sums).astype(dtype)


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
  x, gradient = widen(x), widen(gradient)
  products = (
    # (down, rows, across, columns, C)
    x[s : s + height, t : t + width].reshape(down, *total.shape)
    * gradient[s::rows, t::columns][:, None, :, None]
    for s in range(rows)
    for t in range(columns)
  )
  total, _ = jax.lax.scan(lambda total, row: (total + row, None), total, sum(products))
  return total


def _place(
  x: jax.Array, shape: tuple[int, int], *, first: tuple[int, int], step: int = 1
) -> jax.Array:
  """Spreads frames (..., H, W, C) over zeros, or cuts them to the size.

  Pixel i goes to first + step i of `shape`.
  """
  sides = [(0, 0, 0)] * x.ndim
  for axis in (0, 1):
    used = first[axis] + step * (x.shape[axis - 3] - 1) + 1
    sides[axis - 3] = (first[axis], shape[axis] - used, step - 1)
  return jax.lax.pad(x, jnp.zeros((), x.dtype), sides)
