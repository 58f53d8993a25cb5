"""Linen modules: parameters and one call into `temporal_jax.ops`."""

from temporal_jax.layers.aggregation import TemporalAggregation
from temporal_jax.layers.attention import SelfAttention
from temporal_jax.layers.batch_norm import BatchNorm
from temporal_jax.layers.convolution import Conv2D, DepthwiseConv2D
from temporal_jax.layers.drop_path import DropPath
from temporal_jax.layers.layer_norm import LayerNorm
from temporal_jax.layers.layer_scale import LayerScale
from temporal_jax.layers.mlp import Mlp
from temporal_jax.layers.shift import TemporalShift, TokenShift
from temporal_jax.layers.temporal_convolution import TemporalConv
from temporal_jax.layers.token_convolution import ClassTokenConvolution

__all__ = [
  "BatchNorm",
  "ClassTokenConvolution",
  "Conv2D",
  "DepthwiseConv2D",
  "DropPath",
  "LayerNorm",
  "LayerScale",
  "Mlp",
  "SelfAttention",
  "TemporalAggregation",
  "TemporalConv",
  "TemporalShift",
  "TokenShift",
]
