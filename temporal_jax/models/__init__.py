"""Networks, and the catalog of their names."""

from temporal_jax.models.backbones.big_little import (
  BigLittleModule as BigLittleModule,
  BigLittleNet as BigLittleNet,
)
from temporal_jax.models.backbones.convnext import (
  ConvNeXt as ConvNeXt,
  ConvNeXtBlock as ConvNeXtBlock,
)
from temporal_jax.models.backbones.resnet import ResNet as ResNet
from temporal_jax.models.backbones.resnet3d import ResNet3D as ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast as SlowFast
from temporal_jax.models.backbones.video_text import VideoTextModel as VideoTextModel
from temporal_jax.models.backbones.vision_transformer import (
  VisionTransformer as VisionTransformer,
)
from temporal_jax.models.blocks.frame_integration import (
  DirectionClassifier as DirectionClassifier,
  MultiframeIntegration as MultiframeIntegration,
)
from temporal_jax.models.blocks.heads import (
  HEADS as HEADS,
  AverageConsensus as AverageConsensus,
)
from temporal_jax.models.blocks.prompt import VideoSpecificPrompt as VideoSpecificPrompt
from temporal_jax.models.blocks.residual import (
  BasicBlock as BasicBlock,
  BottleneckBlock as BottleneckBlock,
)
from temporal_jax.models.blocks.temporal_attention import (
  TemporalAttentionAggregation as TemporalAttentionAggregation,
)
from temporal_jax.models.blocks.temporal_encoder import (
  TemporalEncoder as TemporalEncoder,
)
from temporal_jax.models.blocks.text_transformer import (
  TextTransformer as TextTransformer,
)
from temporal_jax.models.blocks.transformer import TransformerBlock as TransformerBlock
from temporal_jax.models.catalog.entry import Entry as Entry
from temporal_jax.models.catalog.registry import (
  MODELS as MODELS,
  create_model as create_model,
  find_model as find_model,
  list_models as list_models,
)
from temporal_jax.models.fold import fold_batch_norm as fold_batch_norm
from temporal_jax.models.inspect import count as count
from temporal_jax.models.inspect.describe import describe as describe
from temporal_jax.models.online import (
  check_online as check_online,
  online_operators as online_operators,
)
from temporal_jax.models.operators import OPERATORS as OPERATORS
from temporal_jax.models.slots import Temporal as Temporal
