"""The layers at work, one row for each, for tests that hold for all."""

import functools
from typing import NamedTuple

import flax.linen as nn
import numpy as np

from temporal_jax import layers


class Row(NamedTuple):
  """A layer at work.

  Attributes:
    layer: The layer with its options.
    clips: Shapes of its arrays: what follows the axis of clips.
  """

  layer: functools.partial[nn.Module]
  clips: tuple[tuple[int, ...], ...]


_MAP, _TOKENS = (4, 5, 6, 8), (4, 5, 8)
_SQUARE = (3, 17, 8)  # Tokens of 4 x 4 patches with a class token.


def _row(layer, *clips, **options):
  return Row(functools.partial(layer, **options), clips or (_MAP,))


ROWS = {
  "AdaptiveBranch": _row(layers.AdaptiveBranch, _SQUARE, head_width=2, reduction=2),
  "AdaptiveConv": _row(layers.AdaptiveConv, features=6, use_bias=True),
  "AdaptiveModule": _row(layers.AdaptiveModule),
  "AggregatedConv": _row(
    layers.AggregatedConv,
    convolution=functools.partial(layers.AdaptiveConv, 6),
  ),
  "ArithmeticCue": _row(
    layers.ArithmeticCue, operation="correlation", length=3, hidden=4
  ),
  "ArithmeticModeling": _row(layers.ArithmeticModeling, _SQUARE, length=3, hidden=4),
  "BatchNorm": _row(layers.BatchNorm),
  "Chain": _row(layers.Chain, parts=(layers.TemporalShift, layers.TemporalAggregation)),
  "ClassTokenConvolution": _row(layers.ClassTokenConvolution, _TOKENS),
  "Classifier": _row(layers.Classifier, (8,), num_classes=3),
  "Classifier of tasks": _row(
    layers.Classifier, (8,), num_classes={"verb": 3, "noun": 2}
  ),
  "ClipCalibration": _row(layers.ClipCalibration),
  "Conv2D": _row(layers.Conv2D, features=6, size=3, use_bias=True),
  "Conv3D": _row(layers.Conv3D, features=6, taps=3),
  "ConvNormRelu": _row(layers.ConvNormRelu, features=6),
  "CrossAttention": _row(layers.CrossAttention, (5, 8), (7, 8), num_heads=2),
  "CrossFrameMessage": _row(layers.CrossFrameMessage, _TOKENS, num_heads=2),
  "DepthwiseConv2D": _row(layers.DepthwiseConv2D, size=3),
  "DomainTransformation": _row(
    layers.DomainTransformation, (2, 3, 5, 6, 4), features=6, hidden=4
  ),
  "DropPath": _row(layers.DropPath, rate=0.3),
  "FactorisedConv": _row(layers.FactorisedConv, features=6),
  "JointAttention": _row(layers.JointAttention, _TOKENS, num_heads=2),
  "LayerNorm": _row(layers.LayerNorm),
  "LayerScale": _row(layers.LayerScale),
  "LearnableAlignment": _row(layers.LearnableAlignment, _SQUARE, features=8),
  "LearnedCalibration": _row(layers.LearnedCalibration),
  "Mlp": _row(layers.Mlp, hidden=5),
  "PairAlignment": _row(
    layers.PairAlignment, (2, 17, 8), (2, 17, 8), (3, 1, 8), features=8
  ),
  "PatchEmbedding": _row(layers.PatchEmbedding, (4, 6, 8, 3), features=5, patch_size=2),
  "RemoveMessage": _row(layers.RemoveMessage, _TOKENS),
  "RouteAttention": _row(layers.RouteAttention, ratio=2, head_width=2),
  "RouteMlp": _row(layers.RouteMlp),
  "SelfAttention": _row(
    layers.SelfAttention, _TOKENS, num_heads=2, inner_norm=True, key_bias=False
  ),
  "StridedTemporalPooling": _row(layers.StridedTemporalPooling, stride=2),
  "SummaryTokens": _row(layers.SummaryTokens, _TOKENS),
  "SwiGlu": _row(layers.SwiGlu, hidden=5, inner_norm=True),
  "TemporalAggregation": _row(layers.TemporalAggregation),
  "TemporalAttention": _row(layers.TemporalAttention, _TOKENS, num_heads=2),
  "TemporalConv": _row(layers.TemporalConv, features=6),
  "TemporalRelation": _row(layers.TemporalRelation, (4, 8), features=3, hidden=5),
  "TemporalShift": _row(layers.TemporalShift, segment=2),
  "TokenShift": _row(layers.TokenShift, _TOKENS),
  "WindowEncoder": _row(layers.WindowEncoder, (2, 3, 3, 3, 9, 9)),
}


def draw_clips(row, batch=2):
  """Draws the arrays of a layer."""
  rng = np.random.default_rng(0)
  return [rng.standard_normal((batch, *shape), np.float32) for shape in row.clips]
