"""The operators: pure functions over (B, T, H, W, C).

Results have the dtype of the input. Sums, lengths and softmaxes are computed in
float32 where that has more bits; float64, which needs `jax_enable_x64`, is
never narrowed. B may be 0. All operators run under `jax.shard_map`.
"""

from temporal_jax.ops.activations import gelu, quick_gelu
from temporal_jax.ops.adaptive_convolution import adaptive_convolution
from temporal_jax.ops.aggregation import (
  temporal_aggregation,
  temporal_aggregation_step,
)
from temporal_jax.ops.alignment import (
  align_frames,
  alignment_loss,
  alignment_mask,
  merge_pairs,
)
from temporal_jax.ops.arithmetic import arithmetic_cue
from temporal_jax.ops.attention import attention
from temporal_jax.ops.consensus import average_consensus
from temporal_jax.ops.convolution import convolution_2d
from temporal_jax.ops.correlation import temporal_correlation
from temporal_jax.ops.depthwise_convolution import depthwise_convolution_2d
from temporal_jax.ops.neighbouring_frames import anchor_frames, context_frames
from temporal_jax.ops.normalization import l2_normalize
from temporal_jax.ops.patch_embedding import patch_embedding
from temporal_jax.ops.patch_matching import match_patches, permute_patches
from temporal_jax.ops.pooling import average_pool_2d, max_pool_2d
from temporal_jax.ops.resize import resize_bicubic
from temporal_jax.ops.rotary import rotary_embedding
from temporal_jax.ops.shift import (
  temporal_shift,
  temporal_shift_step,
  token_shift,
)
from temporal_jax.ops.space_time_attention import (
  joint_attention,
  spatial_attention,
  temporal_attention,
)
from temporal_jax.ops.space_time_convolution import convolution_3d
from temporal_jax.ops.space_time_mixing import (
  append_summaries,
  space_time_mixing_attention,
)
from temporal_jax.ops.stochastic_depth import drop_path
from temporal_jax.ops.temporal_convolution import (
  depthwise_temporal_convolution,
  temporal_convolution,
)
from temporal_jax.ops.temporal_pooling import temporal_pooling

__all__ = [
  "adaptive_convolution",
  "align_frames",
  "alignment_loss",
  "alignment_mask",
  "anchor_frames",
  "append_summaries",
  "arithmetic_cue",
  "attention",
  "average_consensus",
  "average_pool_2d",
  "context_frames",
  "convolution_2d",
  "convolution_3d",
  "depthwise_convolution_2d",
  "depthwise_temporal_convolution",
  "drop_path",
  "gelu",
  "joint_attention",
  "l2_normalize",
  "match_patches",
  "max_pool_2d",
  "merge_pairs",
  "patch_embedding",
  "permute_patches",
  "quick_gelu",
  "resize_bicubic",
  "rotary_embedding",
  "space_time_mixing_attention",
  "spatial_attention",
  "temporal_aggregation",
  "temporal_aggregation_step",
  "temporal_attention",
  "temporal_convolution",
  "temporal_correlation",
  "temporal_pooling",
  "temporal_shift",
  "temporal_shift_step",
  "token_shift",
]
