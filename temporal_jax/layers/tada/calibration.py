"""First and last layers of TAdaConv's route functions."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers.temporal_convolution import TemporalConv
from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.accumulation_dtype import wide_dtype


def hidden_width(channels: int, ratio: int, name: str = "ratio") -> int:
  """Returns the width of a hidden layer, C // ratio.

  Args:
    channels: Channels of the input, C.
    ratio: Divisor of the channels.
    name: Name of the argument, for messages.

  Raises:
    ValueError: If `ratio` is below 1, or more than the channels.
  """
  shape_checks.whole(1, **{name: ratio})
  if ratio > channels:
    raise ValueError(
      f"{name} must be at most the {channels} channels of x, got {ratio}."
    )
  return channels // ratio


def frame_descriptors(x: jax.Array) -> jax.Array:
  """Returns the mean over H and W of features (B, T, H, W, C), (B, T, C)."""
  shape_checks.video(x)
  return jnp.mean(x, axis=(2, 3), dtype=wide_dtype(x)).astype(x.dtype)


def clip_descriptors(x: jax.Array) -> jax.Array:
  """Returns the mean over T, H and W of features (B, T, H, W, C), (B, C)."""
  shape_checks.video(x)
  return jnp.mean(x, axis=(1, 2, 3), dtype=wide_dtype(x)).astype(x.dtype)


def calibration(
  frames: jax.Array,
  features: int,
  *,
  taps: int,
  identity_init: bool,
  kernel_init: nn.initializers.Initializer,
  name: str,
) -> jax.Array:
  """Maps hidden features (B, T, C) to a calibration (B, T, features).

  A convolution along time without bias. With `identity_init` it starts at zero
  and 1 is added, so that nothing is calibrated at first. Must be called in a
  compact method: the parameters go under `name`.
  """
  conv = TemporalConv(
    features,
    taps,
    use_bias=False,
    kernel_init=nn.initializers.zeros if identity_init else kernel_init,
    dtype=frames.dtype,
    name=name,
  )
  return conv(frames) + 1 if identity_init else conv(frames)


def calibrations(
  frames: jax.Array, features: int, *, bias: bool, **settings: Any
) -> jax.Array | tuple[jax.Array, jax.Array]:
  """Returns the `calibration` of a kernel; with `bias` also a bias's.

  Their parameters go under "expand" and "expand_bias".
  """
  of_kernel = calibration(frames, features, name="expand", **settings)
  if not bias:
    return of_kernel
  return of_kernel, calibration(frames, features, name="expand_bias", **settings)
