"""Depthwise temporal aggregation: the TAM of bLVNet."""

import jax

from temporal_jax.ops import checks
from temporal_jax.ops.temporal_convolution import (
  depthwise_temporal_convolution,
)


def temporal_aggregation(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """Blends every frame with its neighbours, one weight per tap and channel.

  out[:, t, :, :, c] = relu(sum_k kernel[k, c] * x[:, t + k - K // 2, :, :, c])

  Frames outside the clip count as zero.

  Args:
    x: Features (B, T, H, W, C), floating point.
    kernel: Blending weights (K, C). K is odd, in frames; tap K // 2 is the
      current frame, tap 0 the earliest.

  Returns:
    Blended features (B, T, H, W, C), non-negative, in the dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point of rank 5, or `kernel` is not
      (odd K, C of `x`).

  Source: Fan et al. 2019, https://arxiv.org/abs/1912.00869, section 3.3; class
    `TAM` in core/models/blvnet_tam_backbone.py of IBM/bLVNet-TAM.
  """
  checks.video(x)
  return jax.nn.relu(depthwise_temporal_convolution(x, kernel))
