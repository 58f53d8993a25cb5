"""What benchmarks.operators measures: operators at the papers' sizes."""

import jax
import jax.numpy as jnp

from benchmarks.cases.row import (
  FOLDED,
  FRAMES,
  HEADS,
  TOKENS,
  VIDEO,
  Array,
  Row,
  adaptive,
  calibrated,
  heads,
  maps,
  scores,
  similarities,
  with_arrays,
)
from benchmarks.reference import operators as torch_forms
from temporal_jax import ops


def _align(x: jax.Array, points: jax.Array) -> jax.Array:
  """ILA's masks and aligned frames."""
  masks = ops.alignment_mask(points, size=(14, 14))
  return ops.align_frames(x[:, :-1], x[:, 1:], masks)[0]


def _convolve_class_token(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """TokenT1D."""
  class_token = ops.depthwise_temporal_convolution(x[:, :, :1], kernel)
  return jnp.concatenate([class_token, x[:, :, 1:]], axis=2)


ROWS = [
  Row(
    "shift, TSM ResNet-50",
    maps(56, 256),
    ops.temporal_shift,
    torch_forms.temporal_shift,
    FOLDED,
  ),
  Row(
    "aggregation, bLVNet",
    with_arrays(maps(56, 64), Array((3, 64), "k c -> k c")),
    ops.temporal_aggregation,
    torch_forms.temporal_aggregation,
    FOLDED,
    frames=16,
  ),
  Row(
    "average pooling, TAda2D",
    maps(28, 128, VIDEO),
    ops.temporal_pooling,
    lambda x, frames: torch_forms.average_pooling(x),
    VIDEO,
  ),
  Row(
    "maximum pooling, TAda2D",
    maps(28, 128, VIDEO),
    lambda x: ops.temporal_pooling(x, kind="max"),
    lambda x, frames: torch_forms.max_pooling(x),
    VIDEO,
  ),
  Row(
    "adaptive convolution in, TAda2D 56",
    adaptive(56, 64, 3),
    lambda x, k, a: ops.adaptive_convolution(x, k, a, padding=1),
    lambda x, k, a, frames: torch_forms.adaptive_convolution(x, k, a, "in", 1, 1),
    VIDEO,
    scratch=calibrated(56, 64),
  ),
  Row(
    "adaptive convolution out, TAda2D 14",
    adaptive(14, 256, 3),
    lambda x, k, a: ops.adaptive_convolution(x, k, a, axis="out", padding=1),
    lambda x, k, a, frames: torch_forms.adaptive_convolution(x, k, a, "out", 1, 1),
    VIDEO,
    scratch=calibrated(14, 256),
  ),
  Row(
    "adaptive convolution 7x7 depthwise, TAdaConvNeXtV2-T",
    adaptive(56, 96, 7, groups=96),
    lambda x, k, a: ops.adaptive_convolution(x, k, a, axis="out", padding=3, groups=96),
    lambda x, k, a, frames: torch_forms.adaptive_convolution(x, k, a, "out", 96, 3),
    VIDEO,  # Padded, and before it is calibrated.
    scratch=lambda frames: frames * (62 * 62 + 56 * 56) * 96,
  ),
  Row(
    "adaptive convolution 3x3 depthwise, TAdaFormer-B/16",
    adaptive(14, 384, 3, groups=384),
    lambda x, k, a: ops.adaptive_convolution(
      x, k, a, axis="out", padding=1, groups=384
    ),
    lambda x, k, a, frames: torch_forms.adaptive_convolution(x, k, a, "out", 384, 1),
    VIDEO,
    scratch=lambda frames: frames * (16 * 16 + 14 * 14) * 384,
  ),
  Row(
    "adaptive convolution 3x3x3, R3D-18",
    lambda frames: [
      *maps(28, 64, VIDEO)(frames),
      Array((3, 3, 3, 64, 64), "t h w i o -> o i t h w"),
      Array((1, frames, 64), "n t c -> n c t"),
    ],
    lambda x, k, a: ops.adaptive_convolution(x, k, a, padding=1),
    lambda x, k, a, frames: torch_forms.adaptive_convolution_3d(x, k, a),
    VIDEO,
    scratch=calibrated(28, 4 * 64),  # Three frames beside one another.
  ),
  Row(
    "depthwise convolution 7x7, ConvNeXt-T",
    with_arrays(maps(56, 96), Array((7, 7, 96), "h w c -> c 1 h w")),
    lambda x, k: ops.depthwise_convolution_2d(x, k, padding=3),
    lambda x, k, frames: torch_forms.depthwise_convolution(x, k),
    FOLDED,
    scratch=lambda frames: frames * 62 * 62 * 96,
  ),
  Row(
    "difference cues, ATM ViT-B/16",
    maps(14, 64, FRAMES),
    lambda x: ops.arithmetic_cue(x, kind="difference"),
    lambda x, frames: torch_forms.difference(x),
    "n t l h w c -> (n t l) c h w",
  ),
  Row(
    "log ratio cues, ATM ViT-B/16",
    maps(14, 64, FRAMES),
    lambda x: ops.arithmetic_cue(x, kind="log_ratio"),
    lambda x, frames: torch_forms.log_ratio(x),
    "n t l h w c -> (n t l) c h w",
    scratch=lambda frames: frames * 14 * 14 * 64,  # The logarithms.
  ),
  Row(
    "correlation 14x14, ATM ViT-B/16",
    maps(14, 64, FRAMES),
    ops.temporal_correlation,
    lambda x, frames: torch_forms.correlation(x),
    "n t h w l u v -> (n t l) u v h w",
    scratch=lambda frames: similarities(frames, 14),
  ),
  Row(
    "correlation 28x28, ATM ResNet-50",
    maps(28, 64, FRAMES),
    ops.temporal_correlation,
    lambda x, frames: torch_forms.correlation(x),
    "n t h w l u v -> (n t l) u v h w",
    scratch=lambda frames: similarities(frames, 28),
  ),
  Row(
    "alignment, ILA B/16",
    lambda frames: [
      Array((1, frames, 197, 768), "n t l c -> n t l c"),
      Array((1, frames - 1, 2, 2), "n p two xy -> n p (two xy)"),
    ],
    _align,
    lambda x, points, frames: torch_forms.alignment(x, points, 14),
    "n t l c -> n t l c",
    scratch=lambda frames: 2 * frames * 197 * 768,
  ),
  Row(
    "class token convolution, ATM ViT-B/16",
    lambda frames: [
      Array((1, frames, 197, 768), TOKENS),
      Array((3, 768), "k c -> c 1 k"),
    ],
    _convolve_class_token,
    torch_forms.class_token_convolution,
    TOKENS,
  ),
  Row(
    "tubelet embedding, TAdaFormer-B/16",
    lambda frames: [
      Array((1, frames, 224, 224, 3), VIDEO),
      Array((3, 16, 16, 3, 768), "t h w i o -> o i t h w"),
    ],
    lambda x, k: ops.patch_embedding(x, k, temporal_stride=2, temporal_padding=1),
    lambda x, k, frames: torch_forms.tubelet_embedding(x, k),
    VIDEO,
    frames=16,
    scratch=lambda frames: 3 * frames * 224 * 224 * 3,
  ),
  Row(
    "space-time mixing attention, X-ViT B/16",
    heads,
    ops.space_time_mixing_attention,
    torch_forms.mixing_attention,
    HEADS,
    scratch=scores,
  ),
  Row(
    "spatial attention, ViT-B/16",
    heads,
    ops.spatial_attention,
    lambda q, k, v, frames: torch_forms.attention(q, k, v),
    HEADS,
    scratch=scores,
  ),
  Row(
    "joint attention, ViT-B/32",
    lambda frames: heads(frames, tokens=49),
    ops.joint_attention,
    torch_forms.joint_attention,
    HEADS,
    scratch=lambda frames: 12 * (frames * 49) ** 2 + 4 * frames * 49 * 768,
    linear=False,
  ),
  Row(
    "temporal attention, TimeSformer B/16",
    lambda frames: heads(frames, tokens=196),
    ops.temporal_attention,
    torch_forms.temporal_attention,
    HEADS,
    scratch=lambda frames: 12 * 196 * frames**2 + 4 * frames * 196 * 768,
    linear=False,
  ),
  Row(
    "patch embedding, ViT-B/16",
    lambda frames: [
      Array((1, frames, 224, 224, 3), FOLDED),
      Array((16, 16, 3, 768), "h w i o -> o i h w"),
    ],
    ops.patch_embedding,
    lambda x, k, frames: torch_forms.patch_embedding(x, k),
    FOLDED,
    scratch=lambda frames: frames * 224 * 224 * 3,
  ),
  Row(
    "QuickGELU, CLIP B/16",
    lambda frames: [Array((1, frames, 197, 3072), TOKENS)],
    ops.quick_gelu,
    lambda x, frames: torch_forms.quick_gelu(x),
    TOKENS,
  ),
]
