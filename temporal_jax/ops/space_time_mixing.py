"""Space-time mixing (X-ViT): keys and values from other frames, at no cost."""

import functools

import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.attention import attention
from temporal_jax.ops.lowering.accumulation_dtype import wide_dtype
from temporal_jax.ops.lowering.join_axes import join_axes
from temporal_jax.ops.shift import find_offsets, shift_channels, sum_folds
from temporal_jax.ops.space_time_attention import check_heads


def space_time_mixing_attention(
  q: jax.Array,
  k: jax.Array,
  v: jax.Array,
  *,
  window: int = 1,
  fold_div: int = 8,
) -> jax.Array:
  """Attends within every frame, to keys and values mixed along time.

  Keys and values take a share of their channels from the frames around them,
  place by place, as `temporal_shift` does over the channels of all heads, one
  head after the other. The cost is the same as for attention within frames, O(T
  N^2).

  Args:
    q: Queries (B, T, N, M, d), floating point: N tokens per frame, M heads of d
      channels.
    k: Keys (B, T, N', M, d).
    v: Values (B, T, N', M, d').
    window: Frames reached in each direction, at least 1.
    fold_div: Divisor of the M d channels that read one neighbour, at least
      2 window.

  Returns:
    Tokens (B, T, N, M, d') in the dtype of `q`.

  Raises:
    ValueError: If the shapes do not fit, an array is not floating point, or
      `window` or `fold_div` is too small.

  Source: Bulat et al. 2021, https://arxiv.org/abs/2106.05968, section 3; class
    `Attention` in slowfast/models/transformers/transformer_block.py of
    1adrianb/video-transformers, with shifted keys and values.
  """
  check_heads(q, k, v)
  # Within what lays out the heads: mixed keys and values never exist apart.
  offsets = find_offsets("both", window, fold_div)

  def mix(x):
    flat = join_axes(x, -2)
    fold = flat.shape[-1] // fold_div
    mixed = jax.lax.platform_dependent(
      flat,
      cpu=functools.partial(shift_channels, fold=fold, offsets=offsets),
      default=functools.partial(sum_folds, fold=fold, offsets=offsets),
    )
    return mixed.reshape(x.shape)  # (..., N, M, d)

  return attention(q, mix(k), mix(v))


def append_summaries(x: jax.Array, source: jax.Array) -> jax.Array:
  """Appends to the tokens of every frame the summaries of all frames.

  A frame's summary is the mean of its patch tokens, without the class token.
  As keys and values they let every query see all frames, for T more products
  a query. The mean commutes with a projection, so that keys and values may be
  summarised instead of the tokens they are made of.

  Args:
    x: Tokens (B, T, N, D), floating point.
    source: Tokens that are summarised (B, T, N', D), class token first; N' is
      at least 2.

  Returns:
    Tokens (B, T, N + T, D) in the dtype of `x`: the tokens of `x`, then the
    summaries from the first frame to the last.

  Raises:
    ValueError: If the shapes do not fit, or an array is not floating point.

  Source: Bulat et al. 2021, https://arxiv.org/abs/2106.05968, section 3,
    "Summary token" with R = 1; no code was published for it.
  """
  shape_checks.tokens(x)
  shape_checks.tokens(source, "source")
  same = x.shape[:2] == source.shape[:2] and x.shape[3] == source.shape[3]
  if not same or source.shape[2] < 2:
    raise ValueError(
      f"source must be (B, T, at least 2, D) for x (B, T, N, D), got "
      f"{source.shape} for {x.shape}."
    )
  summaries = jnp.mean(source[:, :, 1:], axis=2, dtype=wide_dtype(source))
  frames = x.shape[1]
  everywhere = jnp.repeat(summaries.astype(x.dtype)[:, None], frames, axis=1)
  return jnp.concatenate([x, everywhere], axis=2)
