"""Depthwise temporal aggregation: the TAM of bLVNet, and its causal form."""

import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.temporal_convolution import (
  depthwise_temporal_convolution,
)


def temporal_aggregation(
  x: jax.Array, kernel: jax.Array, *, causal: bool = False
) -> jax.Array:
  """Blends every frame with its neighbours, one weight per tap and channel.

  out[:, t, :, :, c] = relu(sum_k kernel[k, c] * x[:, t + k - K // 2, :, :, c])

  or, if causal, only with earlier frames, so that no frame needs a later one:

  out[:, t, :, :, c] = relu(sum_k kernel[k, c] * x[:, t + k - K + 1, :, :, c])

  Frames outside the clip count as zero.

  Args:
    x: Features (B, T, H, W, C), floating point.
    kernel: Blending weights (K, C), in frames; tap 0 is the earliest. The
      current frame is tap K // 2 and K is odd; causal, it is tap K - 1.
    causal: Whether later frames stay out.

  Returns:
    Blended features (B, T, H, W, C), non-negative, in the dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point of rank 5, or `kernel` is not
      (K, C of `x`) with K > 0, odd unless causal.

  Source: Fan et al. 2019, https://arxiv.org/abs/1912.00869, section 3.3; class
    `TAM` in core/models/blvnet_tam_backbone.py of IBM/bLVNet-TAM. The causal
    form is not published; it follows the online shift of Lin et al. 2019,
    https://arxiv.org/abs/1811.08383.
  """
  shape_checks.video(x)
  return jax.nn.relu(depthwise_temporal_convolution(x, kernel, causal=causal))


def temporal_aggregation_step(
  x: jax.Array, cache: jax.Array, kernel: jax.Array
) -> tuple[jax.Array, jax.Array]:
  """Blends one frame of a stream: causal aggregation, frame by frame.

  out[..., c] = relu(kernel[K - 1, c] * x[..., c]
                     + sum_{k < K - 1} kernel[k, c] * cache[:, k, ..., c])

  Args:
    x: The newest frame's features (B, ..., C), floating point.
    cache: Features of the K - 1 frames before it (B, K - 1, ..., C), the
      earliest first, zeros before the first frame.
    kernel: Blending weights (K, C), see `temporal_aggregation`, causal.

  Returns:
    The blended frame (B, ..., C), in the dtype of `x`, and the cache for the
    next one.

  Raises:
    ValueError: If `x` is not floating point, `kernel` is not (K, C of `x`), or
      the cache does not fit.

  Source: as `temporal_aggregation`.
  """
  shape_checks.floating(x)
  shape_checks.taps(kernel, causal=True)
  shape_checks.same_channels(x, kernel, axis=1)
  expected = (x.shape[0], len(kernel) - 1, *x.shape[1:])
  if cache.shape != expected:
    raise ValueError(
      f"cache must be {expected} for a frame {x.shape} and a kernel "
      f"{kernel.shape}, got {cache.shape}."
    )
  weights = kernel.astype(x.dtype)
  # (K, 1, ..., 1, C)
  weights = weights.reshape(len(kernel), *[1] * (x.ndim - 1), x.shape[-1])
  seen = jnp.concatenate([cache.astype(x.dtype), x[:, None]], axis=1)
  out = sum(seen[:, k] * weight for k, weight in enumerate(weights))
  return jax.nn.relu(out), seen[:, 1:].astype(cache.dtype)
