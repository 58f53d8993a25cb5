"""The operators at work, one row for each, for tests that hold for all."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax import ops


class Row(NamedTuple):
  """An operator at work.

  Attributes:
    op: The operator with its options.
    shared: Shapes of arrays that all clips share, behind those of the clips.
    clips: Shapes of arrays of clips: T frames, then what follows.
    temporal: Whether it mixes frames.
  """

  op: Callable[..., jax.Array]
  clips: tuple[tuple[int, ...], ...]
  shared: tuple[tuple[int, ...], ...] = ()
  temporal: bool = False


_MAP, _TOKENS, _HEADS = (5, 4, 6), (4, 6), (4, 2, 3)
_bind = functools.partial

ROWS = {
  "adaptive_convolution": Row(
    lambda x, a, k: ops.adaptive_convolution(x, k, a, padding=1),
    (_MAP, (6,)),
    ((3, 3, 3, 6, 4),),
    temporal=True,
  ),
  "adaptive_convolution of frames": Row(
    lambda x, a, k: ops.adaptive_convolution(x, k, a, axis="out", padding=1),
    (_MAP, (4,)),
    ((3, 3, 6, 4),),
  ),
  "append_summaries": Row(
    # The summaries stand in the order of their frames.
    lambda x, y: ops.append_summaries(x, y).sum(axis=2),
    (_TOKENS, _TOKENS),
  ),
  "arithmetic_cue": Row(
    _bind(ops.arithmetic_cue, kind="difference"), (_MAP,), temporal=True
  ),
  "attention": Row(ops.attention, (_HEADS,) * 3),
  "average_pool_2d": Row(_bind(ops.average_pool_2d, size=3, stride=2), (_MAP,)),
  "context_frames": Row(ops.context_frames, (_MAP,), temporal=True),
  "convolution_2d": Row(_bind(ops.convolution_2d, padding=1), (_MAP,), ((3, 3, 6, 2),)),
  "convolution_3d": Row(
    _bind(ops.convolution_3d, padding=1),
    (_MAP,),
    ((3, 3, 3, 6, 2),),
    temporal=True,
  ),
  "depthwise_convolution_2d": Row(
    _bind(ops.depthwise_convolution_2d, padding=1), (_MAP,), ((3, 3, 6),)
  ),
  "depthwise_temporal_convolution": Row(
    ops.depthwise_temporal_convolution, (_MAP,), ((3, 6),), temporal=True
  ),
  "gelu": Row(ops.gelu, (_MAP,)),
  "joint_attention": Row(ops.joint_attention, (_HEADS,) * 3),
  "l2_normalize": Row(ops.l2_normalize, (_TOKENS,)),
  "max_pool_2d": Row(_bind(ops.max_pool_2d, size=3, stride=2), (_MAP,)),
  "patch_embedding": Row(ops.patch_embedding, ((4, 6, 2),), ((2, 3, 2, 5),)),
  "patch_embedding of tubelets": Row(
    _bind(ops.patch_embedding, temporal_padding=1),
    ((4, 6, 2),),
    ((3, 2, 3, 2, 5),),
    temporal=True,
  ),
  "quick_gelu": Row(ops.quick_gelu, (_MAP,)),
  "resize_bicubic": Row(_bind(ops.resize_bicubic, size=(7, 3)), (_MAP,)),
  "rotary_embedding": Row(_bind(ops.rotary_embedding, grid=(1, 3)), ((4, 2, 4),)),
  "space_time_mixing_attention": Row(
    _bind(ops.space_time_mixing_attention, fold_div=3),
    (_HEADS,) * 3,
    temporal=True,
  ),
  "spatial_attention": Row(ops.spatial_attention, (_HEADS,) * 3),
  "temporal_aggregation": Row(
    ops.temporal_aggregation, (_MAP,), ((5, 6),), temporal=True
  ),
  "temporal_aggregation of the past": Row(
    _bind(ops.temporal_aggregation, causal=True),
    (_MAP,),
    ((4, 6),),
    temporal=True,
  ),
  "temporal_attention": Row(ops.temporal_attention, (_HEADS,) * 3),
  "temporal_convolution": Row(
    ops.temporal_convolution, (_MAP,), ((3, 6, 4),), temporal=True
  ),
  "temporal_correlation": Row(
    _bind(ops.temporal_correlation, length=3, window=3), (_MAP,), temporal=True
  ),
  "temporal_pooling": Row(ops.temporal_pooling, (_MAP,)),
  "temporal_shift": Row(_bind(ops.temporal_shift, fold_div=3), (_MAP,), temporal=True),
  "token_shift": Row(ops.token_shift, (_TOKENS,), temporal=True),
}


def _step_of_aggregation(x, cache, kernel):
  return ops.temporal_aggregation_step(x[:, 0], cache, kernel)


def _reorder(x):
  order = jnp.broadcast_to(jnp.arange(x.shape[2])[::-1], x.shape[:3])
  return ops.permute_patches(x, order)


# They return several arrays, numbers or a scalar, take pairs or draw.
OTHERS = {
  "align_frames": Row(ops.align_frames, ((7, 6), (7, 6), (2, 2, 3))),
  "alignment_loss": Row(ops.alignment_loss, (_TOKENS, _TOKENS)),
  "alignment_mask": Row(_bind(ops.alignment_mask, size=(3, 5)), ((2, 2),)),
  "anchor_frames": Row(_bind(ops.anchor_frames, length=1), (_MAP,)),
  "average_consensus": Row(ops.average_consensus, ((6,),)),
  "drop_path": Row(lambda x: ops.drop_path(jax.random.key(0), x, rate=0.4), (_MAP,)),
  "match_patches": Row(ops.match_patches, (_TOKENS,)),
  "merge_pairs": Row(ops.merge_pairs, (_TOKENS, _TOKENS)),
  "permute_patches": Row(_reorder, (_TOKENS,)),
  "temporal_aggregation_step": Row(_step_of_aggregation, (_MAP, _MAP), ((5, 6),)),
  "temporal_shift_step": Row(
    lambda x, cache: ops.temporal_shift_step(x, cache, fold_div=3),
    (_MAP, (5, 4, 2)),
  ),
}


# Operators again, at sizes at which they take another way on CPU.
LOWERINGS = {
  "attention of many tokens": Row(ops.attention, ((20, 2, 3),) * 3),
  "attention with a mask": Row(
    lambda q, k, v: ops.attention(
      q, k, v, mask=np.tril(np.ones((4, 4), bool))[None, None, None]
    ),
    (_HEADS,) * 3,
  ),
  "convolution_2d by Winograd": Row(
    _bind(ops.convolution_2d, padding=1), ((32, 32, 64),), ((3, 3, 64, 64),)
  ),
  "convolution_2d in groups": Row(
    _bind(ops.convolution_2d, groups=2, padding=1), (_MAP,), ((3, 3, 3, 4),)
  ),
  "convolution_2d of one channel": Row(
    _bind(ops.convolution_2d, stride=2), ((8, 8, 1),), ((3, 3, 1, 2),)
  ),
  "convolution_2d of one pixel": Row(ops.convolution_2d, (_MAP,), ((1, 1, 6, 2),)),
  "convolution_2d of the whole map": Row(ops.convolution_2d, (_MAP,), ((5, 4, 6, 2),)),
}


def draw_arrays(row, batch=2, frames=4):
  """Draws the arrays of clips, and those that all clips share."""
  rng = np.random.default_rng(0)
  clips = [
    rng.standard_normal((batch, frames, *shape), np.float32) for shape in row.clips
  ]
  shared = [rng.standard_normal(shape, np.float32) for shape in row.shared]
  return clips, shared
