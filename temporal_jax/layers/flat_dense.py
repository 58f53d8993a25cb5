"""Dense layers of several axes, computed as one product of matrices."""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.ops.lowering.device_variance import vary_together
from temporal_jax.ops.lowering.join_axes import join_axes


class FlatDense(nn.Module):
  """flax's `DenseGeneral` of joined axes: only its parameters have them apart.

  For TPU. XLA takes a product with heads of 64 channels for a convolution over
  the heads, which fills half of a matrix unit, and lays the heads out first,
  where a kernel of attention reads them last. By estimate on a v5e the
  self-attention of a ViT-B/16 with gradients takes about half the time.

  Attributes:
    inner: Axes of the kernel that are summed over, *I.
    outer: Axes of the kernel that remain, *O.
    parts: Number of results, S, with one product for each: devices that divide
      the first axis of O divide all. None for one result and no axis S.
    use_bias: Whether there is a bias, like the kernel without I.
    kernel_init: Initialiser of the kernel, of its joined axes.
    dtype: Dtype of the computation.
  """

  inner: tuple[int, ...]
  outer: tuple[int, ...]
  parts: int | None = None
  use_bias: bool = True
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array | tuple[jax.Array, ...]:
    """Maps (..., I) to (..., O), axes joined, or to S such arrays."""
    size = math.prod(self.inner)
    outer = self.outer if self.parts is None else (self.parts, *self.outer)

    def initialize(key, shape, dtype):
      flat = (size, math.prod(outer))
      return self.kernel_init(key, flat, dtype).reshape(shape)  # (*I, S, *O)

    kernel = self.param("kernel", initialize, (*self.inner, *outer), jnp.float32)
    kernel = kernel.reshape(size, *outer)
    arrays = [kernel]
    if self.use_bias:
      bias = self.param("bias", nn.initializers.zeros, outer, jnp.float32)
      arrays.append(bias[None])
    x, *arrays = (array.astype(self.dtype) for array in (x, *arrays))

    if self.parts is None:
      return _project(x, *arrays)
    # On a CPU one product is faster than several.
    return jax.lax.platform_dependent(
      *vary_together(x, *arrays), cpu=_project_together, default=_project_apart
    )


def _project(x: jax.Array, kernel: jax.Array, bias: jax.Array | None = None):
  """Returns the product with a kernel (I, *O), joined, plus a bias (1, *O)."""
  y = jnp.matmul(x, join_axes(kernel, 1))
  if bias is not None:
    y = y + bias.reshape((1,) * (y.ndim - 1) + y.shape[-1:])
  return y


def _project_apart(x: jax.Array, *arrays: jax.Array) -> tuple[jax.Array, ...]:
  """Returns one product for each part of a kernel (I, S, *O), and of a bias."""
  parts = arrays[0].shape[1]
  return tuple(_project(x, *(array[:, i] for array in arrays)) for i in range(parts))


def _project_together(x: jax.Array, *arrays: jax.Array) -> tuple[jax.Array, ...]:
  """Returns the parts of one product."""
  kernel, *bias = arrays
  y = jnp.tensordot(x, kernel, axes=1)  # (..., S, *O)
  for array in bias:
    y = y + array.reshape((1,) * (x.ndim - 1) + array.shape[1:])
  y = join_axes(y, x.ndim)
  return tuple(y[..., i, :] for i in range(kernel.shape[1]))
