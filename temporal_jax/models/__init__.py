"""Whole networks and the table of their names."""

from temporal_jax.models.backbones.big_little import BigLittleModule, BigLittleNet
from temporal_jax.models.backbones.convnext import ConvNeXt, ConvNeXtBlock
from temporal_jax.models.backbones.resnet import ResNet
from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast
from temporal_jax.models.backbones.video_text import VideoTextModel
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.blocks.frame_integration import (
  DirectionClassifier,
  MultiframeIntegration,
)
from temporal_jax.models.blocks.heads import HEADS, AverageConsensus
from temporal_jax.models.blocks.prompt import VideoSpecificPrompt
from temporal_jax.models.blocks.residual import BasicBlock, BottleneckBlock
from temporal_jax.models.blocks.temporal_attention import TemporalAttentionAggregation
from temporal_jax.models.blocks.text_transformer import TextTransformer
from temporal_jax.models.blocks.transformer import TransformerBlock
from temporal_jax.models.catalog.entry import Entry
from temporal_jax.models.catalog.registry import (
  MODELS,
  create_model,
  find_model,
  list_models,
)
from temporal_jax.models.fold import fold_batch_norm
from temporal_jax.models.inspect import count
from temporal_jax.models.inspect.describe import describe
from temporal_jax.models.online import check_online, online_operators
from temporal_jax.models.operators import OPERATORS
from temporal_jax.models.slots import Temporal

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
  "Entry",
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
