"""Whole networks and the table of their names."""

from temporal_jax.models import count
from temporal_jax.models.big_little import BigLittleModule
from temporal_jax.models.big_little_net import BigLittleNet
from temporal_jax.models.catalog import (
  MODELS,
  create_model,
  find_model,
  list_models,
)
from temporal_jax.models.convnext import ConvNeXtBlock
from temporal_jax.models.convnext_net import ConvNeXt
from temporal_jax.models.description import describe
from temporal_jax.models.fold import fold_batch_norm
from temporal_jax.models.frame_integration import (
  DirectionClassifier,
  MultiframeIntegration,
)
from temporal_jax.models.heads import HEADS, AverageConsensus
from temporal_jax.models.online import check_online, online_operators
from temporal_jax.models.operators import OPERATORS
from temporal_jax.models.prompt import VideoSpecificPrompt
from temporal_jax.models.residual import BasicBlock, BottleneckBlock
from temporal_jax.models.resnet import ResNet
from temporal_jax.models.resnet3d import ResNet3D
from temporal_jax.models.slowfast import SlowFast
from temporal_jax.models.spec import ModelSpec
from temporal_jax.models.temporal import Temporal
from temporal_jax.models.temporal_attention import TemporalAttentionAggregation
from temporal_jax.models.text import TextTransformer
from temporal_jax.models.transformer import TransformerBlock
from temporal_jax.models.video_text import VideoTextModel
from temporal_jax.models.vision_transformer import VisionTransformer

__all__ = [
  "HEADS",
  "MODELS",
  "OPERATORS",
  "AverageConsensus",
  "BasicBlock",
  "BigLittleModule",
  "BigLittleNet",
  "BottleneckBlock",
  "ConvNeXt",
  "ConvNeXtBlock",
  "DirectionClassifier",
  "ModelSpec",
  "MultiframeIntegration",
  "ResNet",
  "ResNet3D",
  "SlowFast",
  "Temporal",
  "TemporalAttentionAggregation",
  "TextTransformer",
  "TransformerBlock",
  "VideoSpecificPrompt",
  "VideoTextModel",
  "VisionTransformer",
  "check_online",
  "count",
  "create_model",
  "describe",
  "find_model",
  "fold_batch_norm",
  "list_models",
  "online_operators",
]
