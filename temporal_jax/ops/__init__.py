"""The operators: pure functions over (B, T, H, W, C)."""

from temporal_jax.ops.aggregation import temporal_aggregation
from temporal_jax.ops.convolution import convolution_2d
from temporal_jax.ops.pooling import max_pool_2d
from temporal_jax.ops.shift import temporal_shift

__all__ = [
  "convolution_2d",
  "max_pool_2d",
  "temporal_aggregation",
  "temporal_shift",
]
