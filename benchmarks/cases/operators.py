"""Cases of benchmarks.operators: operators at the sizes of papers' networks."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from benchmarks.cases.operator_case import (
  FOLDED,
  FRAMES,
  HEADS,
  TILES,
  TOKENS,
  VIDEO,
  Array,
  OperatorCase,
)
from benchmarks.reference import (
  atm,
  ila,
  primitives,
  tada,
  tada_v2,
  tam,
  timesformer,
  tsm,
  xvit,
)
from temporal_jax import ops

Arrays = Callable[[int], list[Array]]


def _maps(size: int, channels: int, pattern: str = FOLDED) -> Arrays:
  """Returns maps (1, T, size, size, channels) for a number of frames."""
  return lambda frames: [Array((1, frames, size, size, channels), pattern)]


def _with_weights(first: Arrays, *weights: Array) -> Arrays:
  """Returns the arrays of `first`, and weights for any number of frames."""
  return lambda frames: [*first(frames), *weights]


def _adaptive(size: int, channels: int, taps: int, *, groups: int = 1) -> Arrays:
  """Returns maps, kernel and calibration of a TAdaConv."""
  kernel_shape = (taps, taps, channels // groups, channels)
  return lambda frames: [
    *_maps(size, channels, VIDEO)(frames),
    Array(kernel_shape, "h w i o -> o i h w"),
    Array((1, frames, channels), "n t c -> n c t"),
  ]


def _heads(frames: int, tokens: int = 197) -> list[Array]:
  """Returns queries, keys and values of a ViT-B: 12 heads of 64 channels."""
  return [Array((1, frames, tokens, 12, 64), HEADS)] * 3


def _calibrated(size: int, channels: int) -> Callable[[int], int]:
  """Returns the size of calibrated maps and of a 3 x 3 convolution's tiles."""
  return lambda frames: frames * size * size * channels + TILES


def _similarities(frames: int, size: int) -> int:
  """Returns the size of ATM's contexts and similarities.

  Similarities are products with 15 x 15 places around each tile of 7 x 7.
  """
  return 5 * frames * size * size * (64 + 15 * 15)


def _correlations(size: int) -> Callable[[int], int]:
  """Returns the products of ATM's windows: 9 x 9 places in 5 frames."""
  return lambda frames: frames * size * size * 5 * 9 * 9 * 64


def _scores(frames: int) -> int:
  """Returns the number of products of queries and keys of a ViT-B/16."""
  return frames * 12 * 197 * 197


def _align(x: jax.Array, points: jax.Array) -> jax.Array:
  """Returns frames aligned by ILA's masks."""
  masks = ops.alignment_mask(points, size=(14, 14))
  return ops.align_frames(x[:, :-1], x[:, 1:], masks)[0]


def _convolve_class_token(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """Returns tokens whose class tokens are convolved along time (ATM)."""
  class_token = ops.depthwise_temporal_convolution(x[:, :, :1], kernel)
  return jnp.concatenate([class_token, x[:, :, 1:]], axis=2)


OPERATORS = (
  OperatorCase(
    name="shift, TSM ResNet-50",
    arrays=_maps(56, 256),
    ours=ops.temporal_shift,
    theirs=tsm.temporal_shift,
    out=FOLDED,
  ),
  OperatorCase(
    name="aggregation, bLVNet",
    arrays=_with_weights(_maps(56, 64), Array((3, 64), "k c -> k c")),
    ours=ops.temporal_aggregation,
    theirs=tam.temporal_aggregation,
    out=FOLDED,
    frames=16,
  ),
  OperatorCase(
    name="average pooling, TAda2D",
    arrays=_maps(28, 128, VIDEO),
    ours=ops.temporal_pooling,
    theirs=lambda x, frames: tada.average_pooling(x),
    out=VIDEO,
  ),
  OperatorCase(
    name="maximum pooling, TAda2D",
    arrays=_maps(28, 128, VIDEO),
    ours=lambda x: ops.temporal_pooling(x, kind="max"),
    theirs=lambda x, frames: tada.max_pooling(x),
    out=VIDEO,
  ),
  OperatorCase(
    name="adaptive convolution in, TAda2D 56",
    arrays=_adaptive(56, 64, 3),
    ours=lambda x, k, a: ops.adaptive_convolution(x, k, a, padding=1),
    theirs=lambda x, k, a, frames: tada.adaptive_convolution(x, k, a, axis="in"),
    out=VIDEO,
    scratch=_calibrated(56, 64),
  ),
  OperatorCase(
    name="adaptive convolution out, TAda2D 14",
    arrays=_adaptive(14, 256, 3),
    ours=lambda x, k, a: ops.adaptive_convolution(x, k, a, axis="out", padding=1),
    theirs=lambda x, k, a, frames: tada.adaptive_convolution(x, k, a, axis="out"),
    out=VIDEO,
    scratch=_calibrated(14, 256),
  ),
  OperatorCase(
    name="adaptive convolution 7x7 depthwise, TAdaConvNeXtV2-T",
    arrays=_adaptive(56, 96, 7, groups=96),
    ours=lambda x, k, a: ops.adaptive_convolution(
      x, k, a, axis="out", padding=3, groups=96
    ),
    theirs=lambda x, k, a, frames: tada.adaptive_convolution(
      x, k, a, axis="out", groups=96, padding=3
    ),
    out=VIDEO,
    # Padded maps, and the result before its calibration.
    scratch=lambda frames: frames * (62 * 62 + 56 * 56) * 96,
  ),
  OperatorCase(
    name="adaptive convolution 3x3 depthwise, TAdaFormer-B/16",
    arrays=_adaptive(14, 384, 3, groups=384),
    ours=lambda x, k, a: ops.adaptive_convolution(
      x, k, a, axis="out", padding=1, groups=384
    ),
    theirs=lambda x, k, a, frames: tada.adaptive_convolution(
      x, k, a, axis="out", groups=384
    ),
    out=VIDEO,
    scratch=lambda frames: frames * (16 * 16 + 14 * 14) * 384,
  ),
  OperatorCase(
    name="adaptive convolution 3x3x3, R3D-18",
    arrays=lambda frames: [
      *_maps(28, 64, VIDEO)(frames),
      Array((3, 3, 3, 64, 64), "t h w i o -> o i t h w"),
      Array((1, frames, 64), "n t c -> n c t"),
    ],
    ours=lambda x, k, a: ops.adaptive_convolution(x, k, a, padding=1),
    theirs=lambda x, k, a, frames: tada.adaptive_convolution_3d(x, k, a),
    out=VIDEO,
    scratch=_calibrated(28, 4 * 64),  # Three frames side by side.
  ),
  OperatorCase(
    name="depthwise convolution 7x7, ConvNeXt-T",
    arrays=_with_weights(_maps(56, 96), Array((7, 7, 96), "h w c -> c 1 h w")),
    ours=lambda x, k: ops.depthwise_convolution_2d(x, k, padding=3),
    theirs=lambda x, k, frames: primitives.depthwise_convolution(x, k),
    out=FOLDED,
    scratch=lambda frames: frames * 62 * 62 * 96,
  ),
  OperatorCase(
    name="difference cues, ATM ViT-B/16",
    arrays=_maps(14, 64, FRAMES),
    ours=lambda x: ops.arithmetic_cue(x, kind="difference"),
    theirs=lambda x, frames: atm.difference(x),
    out="n t l h w c -> (n t l) c h w",
  ),
  OperatorCase(
    name="log ratio cues, ATM ViT-B/16",
    arrays=_maps(14, 64, FRAMES),
    ours=lambda x: ops.arithmetic_cue(x, kind="log_ratio"),
    theirs=lambda x, frames: atm.log_ratio(x),
    out="n t l h w c -> (n t l) c h w",
    scratch=lambda frames: frames * 14 * 14 * 64,  # The logarithms.
  ),
  OperatorCase(
    name="correlation 14x14, ATM ViT-B/16",
    arrays=_maps(14, 64, FRAMES),
    ours=ops.temporal_correlation,
    theirs=lambda x, frames: atm.correlation(x),
    out="n t h w l u v -> (n t l) u v h w",
    scratch=lambda frames: _similarities(frames, 14),
    products=_correlations(14),
  ),
  OperatorCase(
    name="correlation 28x28, ATM ResNet-50",
    arrays=_maps(28, 64, FRAMES),
    ours=ops.temporal_correlation,
    theirs=lambda x, frames: atm.correlation(x),
    out="n t h w l u v -> (n t l) u v h w",
    scratch=lambda frames: _similarities(frames, 28),
    products=_correlations(28),
  ),
  OperatorCase(
    name="alignment, ILA B/16",
    arrays=lambda frames: [
      Array((1, frames, 197, 768), "n t l c -> n t l c"),
      Array((1, frames - 1, 2, 2), "n p two xy -> n p (two xy)"),
    ],
    ours=_align,
    theirs=lambda x, points, frames: ila.alignment(x, points, 14),
    out="n t l c -> n t l c",
    scratch=lambda frames: 2 * frames * 197 * 768,
  ),
  OperatorCase(
    name="class token convolution, ATM ViT-B/16",
    arrays=lambda frames: [
      Array((1, frames, 197, 768), TOKENS),
      Array((3, 768), "k c -> c 1 k"),
    ],
    ours=_convolve_class_token,
    theirs=atm.class_token_convolution,
    out=TOKENS,
  ),
  OperatorCase(
    name="tubelet embedding, TAdaFormer-B/16",
    arrays=lambda frames: [
      Array((1, frames, 224, 224, 3), VIDEO),
      Array((3, 16, 16, 3, 768), "t h w i o -> o i t h w"),
    ],
    ours=lambda x, k: ops.patch_embedding(x, k, temporal_stride=2, temporal_padding=1),
    theirs=lambda x, k, frames: tada_v2.tubelet_embedding(x, k),
    out=VIDEO,
    frames=16,
    scratch=lambda frames: 3 * frames * 224 * 224 * 3,
    of_pixels=True,
  ),
  OperatorCase(
    name="space-time mixing attention, X-ViT B/16",
    arrays=_heads,
    ours=ops.space_time_mixing_attention,
    theirs=xvit.mixing_attention,
    out=HEADS,
    scratch=_scores,
  ),
  OperatorCase(
    name="spatial attention, ViT-B/16",
    arrays=_heads,
    ours=ops.spatial_attention,
    theirs=lambda q, k, v, frames: primitives.attention(q, k, v),
    out=HEADS,
    scratch=_scores,
  ),
  OperatorCase(
    name="joint attention, ViT-B/32",
    arrays=lambda frames: _heads(frames, tokens=49),
    ours=ops.joint_attention,
    theirs=timesformer.joint_attention,
    out=HEADS,
    scratch=lambda frames: 12 * (frames * 49) ** 2 + 4 * frames * 49 * 768,
    linear=False,
  ),
  OperatorCase(
    name="temporal attention, TimeSformer B/16",
    arrays=lambda frames: _heads(frames, tokens=196),
    ours=ops.temporal_attention,
    theirs=timesformer.temporal_attention,
    out=HEADS,
    scratch=lambda frames: 12 * 196 * frames**2 + 4 * frames * 196 * 768,
    linear=False,
  ),
  OperatorCase(
    name="patch embedding, ViT-B/16",
    arrays=lambda frames: [
      Array((1, frames, 224, 224, 3), FOLDED),
      Array((16, 16, 3, 768), "h w i o -> o i h w"),
    ],
    ours=ops.patch_embedding,
    theirs=lambda x, k, frames: primitives.patch_embedding(x, k),
    out=FOLDED,
    scratch=lambda frames: frames * 224 * 224 * 3,
    of_pixels=True,
  ),
  OperatorCase(
    name="QuickGELU, CLIP B/16",
    arrays=lambda frames: [Array((1, frames, 197, 3072), TOKENS)],
    ours=ops.quick_gelu,
    theirs=lambda x, frames: primitives.quick_gelu(x),
    out=TOKENS,
  ),
)
