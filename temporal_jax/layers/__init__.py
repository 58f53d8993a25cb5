"""Linen modules: parameters and one call into `temporal_jax.ops`.

Parameters and running statistics are float32. A layer computes in its `dtype`,
or in its input's dtype where `dtype` is None; float64, which needs
`jax_enable_x64`, stays float64 to the end: statistics of norms, points of
alignment and logits are float32 only where `dtype` has fewer bits.

A module's `OPERATORS` are the temporal operators that its layers make:
name -> slot of a backbone, see `models.Temporal` -> layer.
"""

from temporal_jax.layers.adapter import TemporalAdapter as TemporalAdapter
from temporal_jax.layers.aggregation import TemporalAggregation as TemporalAggregation
from temporal_jax.layers.atm.arithmetic import (
  ArithmeticCue as ArithmeticCue,
  ArithmeticModeling as ArithmeticModeling,
)
from temporal_jax.layers.atm.domain_transformation import (
  DomainTransformation as DomainTransformation,
)
from temporal_jax.layers.atm.token_convolution import (
  ClassTokenConvolution as ClassTokenConvolution,
)
from temporal_jax.layers.atm.window_encoder import WindowEncoder as WindowEncoder
from temporal_jax.layers.attention import SelfAttention as SelfAttention
from temporal_jax.layers.batch_norm import BatchNorm as BatchNorm
from temporal_jax.layers.chain import Chain as Chain
from temporal_jax.layers.classifier import Classifier as Classifier
from temporal_jax.layers.conv_norm_relu import ConvNormRelu as ConvNormRelu
from temporal_jax.layers.convolution import (
  Conv2D as Conv2D,
  DepthwiseConv2D as DepthwiseConv2D,
)
from temporal_jax.layers.cross_attention import CrossAttention as CrossAttention
from temporal_jax.layers.drop_path import DropPath as DropPath
from temporal_jax.layers.factorised_convolution import FactorisedConv as FactorisedConv
from temporal_jax.layers.ila.alignment import (
  LearnableAlignment as LearnableAlignment,
  PairAlignment as PairAlignment,
)
from temporal_jax.layers.layer_norm import LayerNorm as LayerNorm
from temporal_jax.layers.layer_scale import LayerScale as LayerScale
from temporal_jax.layers.messages import (
  CrossFrameMessage as CrossFrameMessage,
  RemoveMessage as RemoveMessage,
)
from temporal_jax.layers.mlp import Mlp as Mlp
from temporal_jax.layers.patch_embedding import PatchEmbedding as PatchEmbedding
from temporal_jax.layers.relation import TemporalRelation as TemporalRelation
from temporal_jax.layers.shift import (
  TemporalShift as TemporalShift,
  TokenShift as TokenShift,
)
from temporal_jax.layers.space_time_attention import (
  JointAttention as JointAttention,
  TemporalAttention as TemporalAttention,
)
from temporal_jax.layers.space_time_convolution import Conv3D as Conv3D
from temporal_jax.layers.summary_tokens import SummaryTokens as SummaryTokens
from temporal_jax.layers.swiglu import SwiGlu as SwiGlu
from temporal_jax.layers.tada.adaptive_branch import AdaptiveBranch as AdaptiveBranch
from temporal_jax.layers.tada.adaptive_convolution import AdaptiveConv as AdaptiveConv
from temporal_jax.layers.tada.route_attention import RouteAttention as RouteAttention
from temporal_jax.layers.tada.route_baselines import (
  AdaptiveModule as AdaptiveModule,
  ClipCalibration as ClipCalibration,
  LearnedCalibration as LearnedCalibration,
)
from temporal_jax.layers.tada.route_mlp import RouteMlp as RouteMlp
from temporal_jax.layers.tada.temporal_pooling import (
  AggregatedConv as AggregatedConv,
  StridedTemporalPooling as StridedTemporalPooling,
)
from temporal_jax.layers.temporal_convolution import TemporalConv as TemporalConv
