"""The operators: pure functions over (B, T, H, W, C).

Results have the dtype of the input. Sums, lengths and softmaxes are computed in
float32 where that has more bits; float64, which needs `jax_enable_x64`, is
never narrowed. B may be 0. All operators run under `jax.shard_map`.
"""

from temporal_jax.ops.activations import gelu as gelu, quick_gelu as quick_gelu
from temporal_jax.ops.adaptive_convolution import (
  adaptive_convolution as adaptive_convolution,
)
from temporal_jax.ops.aggregation import (
  temporal_aggregation as temporal_aggregation,
  temporal_aggregation_step as temporal_aggregation_step,
)
from temporal_jax.ops.alignment import (
  align_frames as align_frames,
  alignment_loss as alignment_loss,
  alignment_mask as alignment_mask,
  merge_pairs as merge_pairs,
)
from temporal_jax.ops.arithmetic import arithmetic_cue as arithmetic_cue
from temporal_jax.ops.attention import attention as attention
from temporal_jax.ops.consensus import average_consensus as average_consensus
from temporal_jax.ops.convolution import convolution_2d as convolution_2d
from temporal_jax.ops.correlation import temporal_correlation as temporal_correlation
from temporal_jax.ops.depthwise_convolution import (
  depthwise_convolution_2d as depthwise_convolution_2d,
)
from temporal_jax.ops.neighbouring_frames import (
  anchor_frames as anchor_frames,
  context_frames as context_frames,
)
from temporal_jax.ops.normalization import l2_normalize as l2_normalize
from temporal_jax.ops.patch_embedding import patch_embedding as patch_embedding
from temporal_jax.ops.patch_matching import (
  match_patches as match_patches,
  permute_patches as permute_patches,
)
from temporal_jax.ops.pooling import (
  average_pool_2d as average_pool_2d,
  max_pool_2d as max_pool_2d,
)
from temporal_jax.ops.resize import resize_bicubic as resize_bicubic
from temporal_jax.ops.rotary import (
  rotary_embedding as rotary_embedding,
  space_time_rotary_embedding as space_time_rotary_embedding,
)
from temporal_jax.ops.shift import (
  temporal_shift as temporal_shift,
  temporal_shift_step as temporal_shift_step,
  token_shift as token_shift,
)
from temporal_jax.ops.space_time_attention import (
  joint_attention as joint_attention,
  spatial_attention as spatial_attention,
  temporal_attention as temporal_attention,
)
from temporal_jax.ops.space_time_convolution import convolution_3d as convolution_3d
from temporal_jax.ops.space_time_mixing import (
  append_summaries as append_summaries,
  space_time_mixing_attention as space_time_mixing_attention,
)
from temporal_jax.ops.stochastic_depth import drop_path as drop_path
from temporal_jax.ops.temporal_convolution import (
  depthwise_temporal_convolution as depthwise_temporal_convolution,
  temporal_convolution as temporal_convolution,
)
from temporal_jax.ops.temporal_pooling import temporal_pooling as temporal_pooling
