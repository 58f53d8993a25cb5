"""Linen modules: parameters and one call into `temporal_jax.ops`.

Parameters and running statistics are float32. A layer computes in its `dtype`,
or in that of its input where `dtype` is None; float64, which needs
`jax_enable_x64`, stays float64 to the end: statistics of norms, points of
alignment and logits are float32 only where `dtype` has fewer bits.
"""

from temporal_jax.layers.aggregation import TemporalAggregation
from temporal_jax.layers.atm.arithmetic import ArithmeticCue, ArithmeticModeling
from temporal_jax.layers.atm.domain_transformation import DomainTransformation
from temporal_jax.layers.atm.token_convolution import ClassTokenConvolution
from temporal_jax.layers.atm.window_encoder import WindowEncoder
from temporal_jax.layers.attention import SelfAttention
from temporal_jax.layers.batch_norm import BatchNorm
from temporal_jax.layers.chain import Chain
from temporal_jax.layers.classifier import Classifier
from temporal_jax.layers.conv_norm_relu import ConvNormRelu
from temporal_jax.layers.convolution import Conv2D, DepthwiseConv2D
from temporal_jax.layers.cross_attention import CrossAttention
from temporal_jax.layers.drop_path import DropPath
from temporal_jax.layers.factorised_convolution import FactorisedConv
from temporal_jax.layers.ila.alignment import LearnableAlignment, PairAlignment
from temporal_jax.layers.layer_norm import LayerNorm
from temporal_jax.layers.layer_scale import LayerScale
from temporal_jax.layers.messages import CrossFrameMessage, RemoveMessage
from temporal_jax.layers.mlp import Mlp
from temporal_jax.layers.patch_embedding import PatchEmbedding
from temporal_jax.layers.relation import TemporalRelation
from temporal_jax.layers.shift import TemporalShift, TokenShift
from temporal_jax.layers.space_time_attention import (
  JointAttention,
  TemporalAttention,
)
from temporal_jax.layers.space_time_convolution import Conv3D
from temporal_jax.layers.summary_tokens import SummaryTokens
from temporal_jax.layers.swiglu import SwiGlu
from temporal_jax.layers.tada.adaptive_branch import AdaptiveBranch
from temporal_jax.layers.tada.adaptive_convolution import AdaptiveConv
from temporal_jax.layers.tada.route_attention import RouteAttention
from temporal_jax.layers.tada.route_baselines import (
  AdaptiveModule,
  ClipCalibration,
  LearnedCalibration,
)
from temporal_jax.layers.tada.route_mlp import RouteMlp
from temporal_jax.layers.tada.temporal_pooling import (
  AggregatedConv,
  StridedTemporalPooling,
)
from temporal_jax.layers.temporal_convolution import TemporalConv

__all__ = [
  "AdaptiveBranch",
  "AdaptiveConv",
  "AdaptiveModule",
  "AggregatedConv",
  "ArithmeticCue",
  "ArithmeticModeling",
  "BatchNorm",
  "Chain",
  "ClassTokenConvolution",
  "Classifier",
  "ClipCalibration",
  "Conv2D",
  "Conv3D",
  "ConvNormRelu",
  "CrossAttention",
  "CrossFrameMessage",
  "DepthwiseConv2D",
  "DomainTransformation",
  "DropPath",
  "FactorisedConv",
  "JointAttention",
  "LayerNorm",
  "LayerScale",
  "LearnableAlignment",
  "LearnedCalibration",
  "Mlp",
  "PairAlignment",
  "PatchEmbedding",
  "RemoveMessage",
  "RouteAttention",
  "RouteMlp",
  "SelfAttention",
  "StridedTemporalPooling",
  "SummaryTokens",
  "SwiGlu",
  "TemporalAggregation",
  "TemporalAttention",
  "TemporalConv",
  "TemporalRelation",
  "TemporalShift",
  "TokenShift",
  "WindowEncoder",
]
