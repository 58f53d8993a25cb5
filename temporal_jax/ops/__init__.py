"""The operators: pure functions over (B, T, H, W, C)."""

from temporal_jax.ops.activations import quick_gelu
from temporal_jax.ops.aggregation import temporal_aggregation
from temporal_jax.ops.attention import attention
from temporal_jax.ops.convolution import convolution_2d
from temporal_jax.ops.depthwise import depthwise_convolution_2d
from temporal_jax.ops.pooling import average_pool_2d, max_pool_2d
from temporal_jax.ops.shift import (
  temporal_shift,
  temporal_shift_step,
  token_shift,
)
from temporal_jax.ops.stochastic_depth import drop_path
from temporal_jax.ops.temporal_convolution import (
  depthwise_temporal_convolution,
  temporal_convolution,
)

__all__ = [
  "attention",
  "average_pool_2d",
  "convolution_2d",
  "depthwise_convolution_2d",
  "depthwise_temporal_convolution",
  "drop_path",
  "max_pool_2d",
  "quick_gelu",
  "temporal_aggregation",
  "temporal_convolution",
  "temporal_shift",
  "temporal_shift_step",
  "token_shift",
]
