"""Patch and tubelet embedding, as matrix products of patches."""

import functools

import einops
import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering import patch_convolution
from temporal_jax.ops.lowering.accumulation_dtype import wide_dtype
from temporal_jax.ops.lowering.device_variance import vary_together
from temporal_jax.ops.lowering.join_axes import join_axes


def patch_embedding(
  x: jax.Array,
  kernel: jax.Array,
  *,
  temporal_stride: int = 1,
  temporal_padding: int = 0,
) -> jax.Array:
  """Projects patches that do not overlap, of one frame or of several.

  The strided convolution of a vision transformer, with a stride of the patch's
  size over H and W. A tubelet reaches over KT frames and steps by
  `temporal_stride`, so that tubelets may overlap in time:

  out[b, t, i, j] = sum_k patch(b, t temporal_stride + k - temporal_padding, i,
    j) @ kernel[k]

  Frames outside the clip count as zero.

  Args:
    x: Clip (B, T, H, W, C), floating point; KH divides H and KW divides W.
    kernel: Weights (KH, KW, C, D) of patches, or (KT, KH, KW, C, D) of
      tubelets.
    temporal_stride: Frames from one tubelet to the next, at least 1.
    temporal_padding: Zero frames on either side of the clip, at least 0.

  Returns:
    Patch tokens in their places (B, T', H / KH, W / KW, D) in the dtype of
    `x`, with T' = (T + 2 temporal_padding - KT) // temporal_stride + 1.

  Raises:
    ValueError: If `x` is not floating point, `x` or `kernel` has another shape,
      the patches do not cover the frames exactly, the clip is shorter than a
      tubelet, or the stride or the padding is not an integer in its range.

  Source: Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929, equation 1;
    Arnab et al. 2021, https://arxiv.org/abs/2103.15691, section 3.2.
  """
  shape_checks.video(x)
  shape_checks.whole(1, temporal_stride=temporal_stride)
  shape_checks.whole(0, temporal_padding=temporal_padding)
  if kernel.ndim not in (4, 5):
    raise ValueError(
      f"kernel must be (KH, KW, C, D) or (KT, KH, KW, C, D), got {kernel.shape}."
    )
  shape_checks.same_channels(x, kernel, axis=-2)
  taps, rows, columns, _, _ = (1, *kernel.shape)[-5:]
  if x.shape[2] % rows or x.shape[3] % columns:
    raise ValueError(
      f"patches of {rows} x {columns} do not divide frames of "
      f"{x.shape[2]} x {x.shape[3]}."
    )
  if x.shape[1] + 2 * temporal_padding < taps:
    raise ValueError(
      f"tubelets of {taps} frames do not fit {x.shape[1]} frames padded by "
      f"{temporal_padding}."
    )
  # (KT, KH, KW, C, D)
  kernel = kernel.astype(x.dtype).reshape(taps, *kernel.shape[-4:])
  x, kernel = vary_together(x, kernel)
  settings = {"temporal_stride": temporal_stride, "temporal_padding": temporal_padding}
  multiply = functools.partial(_multiply_patches, **settings)
  if not patch_convolution.suit(x):
    return multiply(x, kernel)
  return jax.lax.platform_dependent(
    x,
    kernel,
    tpu=functools.partial(patch_convolution.embed, **settings),
    default=multiply,
  )


def _multiply_patches(
  x: jax.Array, kernel: jax.Array, *, temporal_stride: int, temporal_padding: int
) -> jax.Array:
  """Multiplies the tubelets of clips by a kernel (KT, KH, KW, C, D)."""
  taps, rows, columns = kernel.shape[:3]
  count = (x.shape[1] + 2 * temporal_padding - taps) // temporal_stride + 1
  last = (count - 1) * temporal_stride
  patches = []
  for k in range(taps):  # The frames that are the k-th of a tubelet.
    start = k - temporal_padding
    sides = [(0, 0, 0)] * 5
    sides[1] = (-start, start + last + 1 - x.shape[1], 0)
    frames = jax.lax.pad(x, jnp.zeros((), x.dtype), sides)[:, ::temporal_stride]
    patches.append(
      einops.rearrange(
        frames,
        "b t (h kh) (w kw) c -> b t h w kh (kw c)",
        kh=rows,
        kw=columns,
      )
    )
  # Joined by rows, which on CPU XLA copies whole, not number by number.
  patches = jnp.concatenate(patches, axis=-2)
  return jnp.matmul(
    join_axes(patches, 4),
    join_axes(kernel, 0, -1),
    preferred_element_type=wide_dtype(x),
  ).astype(x.dtype)
