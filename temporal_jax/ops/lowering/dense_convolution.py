"""Dense convolution of frames, and its gradients, lowered for each platform."""

import functools

import jax

from temporal_jax.ops.lowering import im2col_convolution, materialize, winograd
from temporal_jax.ops.lowering.own_gradients import with_gradients

_CHANNELS = 64  # From here on Winograd's transforms are faster,
_PLACES = 1024  # and from here on they win more than the kernel's own costs.


def _convolve(x: jax.Array, kernel: jax.Array, **settings: int) -> jax.Array:
  """Convolves frames (N, H, W, C) with a kernel (KH, KW, C, C').

  On CPU large 3 x 3 convolutions and their gradients use Winograd's transforms,
  and the gradients of other kernels are products over patches: XLA's take two
  to nine times as long. All others are XLA's, those in bfloat16 too.
  """
  native = functools.partial(xla_convolve, **settings)
  if not (_suits_winograd(x, kernel, **settings) and _has_many_places(x)):
    return native(x, kernel)
  return jax.lax.platform_dependent(
    x,
    kernel,
    cpu=functools.partial(winograd.convolve, padding=settings["padding"]),
    default=native,
  )


def _gradients(
  x: jax.Array, kernel: jax.Array, gradient: jax.Array, **settings: int
) -> tuple[jax.Array, jax.Array]:
  """Returns the gradients of frames and kernel."""
  padding = settings["padding"]
  _, of_frames = jax.vjp(lambda x: xla_convolve(x, kernel, **settings), x)
  _, of_kernel = jax.vjp(lambda k: xla_convolve(x, k, **settings), kernel)
  if x.dtype.itemsize < 4:
    return *of_frames(gradient), *of_kernel(gradient)
  if _suits_winograd(x, kernel, **settings):
    # Else XLA turns it again for each of Winograd's 16 factors.
    flipped = materialize.written_out(kernel[::-1, ::-1].swapaxes(2, 3))
    x_gradient = convolve(gradient, flipped, 1, 2 - padding, 1)
    by_hand = functools.partial(winograd.kernel_gradient, padding=padding)
  else:
    (x_gradient,) = of_frames(gradient)
    by_hand = functools.partial(
      im2col_convolution.kernel_gradient, size=kernel.shape[:2], **settings
    )
  kernel_gradient = jax.lax.platform_dependent(
    x,
    gradient,
    cpu=by_hand,
    default=lambda x, gradient: of_kernel(gradient)[0],
  )
  return x_gradient, kernel_gradient


convolve = with_gradients(_convolve, _gradients)


def _suits_winograd(
  x: jax.Array, kernel: jax.Array, *, stride: int, padding: int, dilation: int
) -> bool:
  """Whether Winograd's transforms apply, and are worth while."""
  return (
    kernel.shape[:2] == (3, 3)
    and (stride, dilation) == (1, 1)
    and padding <= 2
    and min(kernel.shape[2:]) >= _CHANNELS
    and x.dtype.itemsize >= 4
  )


def _has_many_places(x: jax.Array) -> bool:
  """Whether there are `_PLACES`, in a batch of any size if it has none."""
  try:
    return bool(x.size // x.shape[-1] >= _PLACES)
  except jax.errors.InconclusiveDimensionOperation:
    return False


def xla_convolve(
  x: jax.Array,
  kernel: jax.Array,
  *,
  stride: int,
  padding: int,
  dilation: int,
  groups: int = 1,
) -> jax.Array:
  """XLA's convolution of frames, with groups or without."""
  return jax.lax.conv_general_dilated(
    x,
    kernel,
    window_strides=(stride, stride),
    padding=[(padding, padding)] * 2,
    rhs_dilation=(dilation, dilation),
    dimension_numbers=("NHWC", "HWIO", "NHWC"),
    feature_group_count=groups,
  )
