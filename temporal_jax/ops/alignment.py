"""Implicit alignment of neighbouring frames by masks with a learned centre."""

import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.accumulation_dtype import wide_dtype, widen
from temporal_jax.ops.lowering.broadcast_channels import along_channels
from temporal_jax.ops.lowering.device_variance import vary_together
from temporal_jax.ops.lowering.join_axes import join_axes
from temporal_jax.ops.normalization import l2_normalize

_PLATEAU = 0.25  # Half the width of a mask's flat top; half a frame is 1.
_SLOPE = 1.5  # Fall of the weight beyond it.


def alignment_mask(
  points: jax.Array,
  *,
  size: tuple[int, int],
  disturbance: float | jax.Array = 0.0,
) -> jax.Array:
  """Returns masks that are 1 around a point and fall off to 0.

  mask[i, j] = w(row_i - y) w(column_j - x),
  w(d) = 1 if |d| <= 0.25 else max(0, 1 - 1.5 (|d| - 0.25))

  Rows and columns are spaced evenly from -1 to 1, the outermost places at the
  ends. With a disturbance s the mask is the mean over the nine centres (x, y) +
  s {-1, 0, 1}^2; since that is a square, it is the product of two means over
  three.

  Args:
    points: Centres (..., 2), x before y; the frame is [-1, 1] on both axes.
    size: Rows and columns of the mask, at least 2 each.
    disturbance: Offset of the disturbed centres, in half frames; may be traced.

  Returns:
    Masks (..., H, W) in the dtype of `points`, in [0, 1].

  Raises:
    ValueError: If `points` is not floating point (..., 2) or `size` is not two
      integers of at least 2.

  Source: Tu et al. 2023, https://arxiv.org/abs/2304.10465; function
    `aligned_mask_generation` and class `ILA` in models/align.py of
    Francis-Rings/ILA.
  """
  floating = jnp.issubdtype(points.dtype, jnp.floating)
  if points.ndim < 1 or points.shape[-1] != 2 or not floating:
    raise ValueError(
      f"points must be floating point (..., 2), got {points.dtype} {points.shape}."
    )
  shape_checks.sides(size, 2)
  centres = widen(points)
  rows = _fall_off(centres[..., 1], size[0], disturbance)
  columns = _fall_off(centres[..., 0], size[1], disturbance)
  return (rows[..., :, None] * columns[..., None, :]).astype(points.dtype)


def align_frames(
  x: jax.Array, y: jax.Array, masks: jax.Array
) -> tuple[jax.Array, jax.Array]:
  """Masks both frames of every pair and puts the frames together again.

  Frame t is in the pairs (t - 1, t) and (t, t + 1): its aligned version is the
  mean of it under their masks. Class tokens are averaged without a
  mask.

  Args:
    x: Tokens of each pair's first frame (B, P, N, D), class token first; pair p
      holds the frames p and p + 1 of P + 1.
    y: Tokens of each pair's second frame, like `x`.
    masks: Masks of first and second frames (B, P, 2, H, W), with H W = N - 1.

  Returns:
    Aligned frames (B, P + 1, N, D), and the masked patches of each frame summed
    (B, P, 2, D), both in the dtype of `x`.

  Raises:
    ValueError: If the shapes do not fit, or `x` or `y` is not floating point.

  Source: as `alignment_mask`.
  """
  shape_checks.tokens(x)
  shape_checks.floating(y, "y")
  patches = masks.shape[3] * masks.shape[4] if masks.ndim == 5 else -1
  if masks.shape[:3] != (*x.shape[:2], 2) or patches != x.shape[2] - 1:
    raise ValueError(
      f"masks must be (B, P, 2, H, W) with H W = N - 1, got {masks.shape} for "
      f"x {x.shape}."
    )
  if x.shape != y.shape:
    raise ValueError(f"x {x.shape} and y {y.shape} must have one shape.")
  weights = join_axes(masks, 3).astype(x.dtype)
  pooled = [
    jnp.einsum(
      "bpn,bpnd->bpd",
      weights[:, :, i],
      frames[:, :, 1:],
      preferred_element_type=wide_dtype(x),
    )
    for i, frames in enumerate((x, y))
  ]
  # A class token is kept whole.
  weights = jnp.pad(weights, ((0, 0),) * 3 + ((1, 0),), constant_values=1)
  x, y, weights = vary_together(x, y, weights)
  masked = (_weigh(weights[:, :, i], z) for i, z in enumerate((x, y)))
  aligned = merge_pairs(*masked)
  return aligned, jnp.stack(pooled, axis=2).astype(x.dtype)


@jax.custom_vjp
def _weigh(weights: jax.Array, x: jax.Array) -> jax.Array:
  """Multiplies tokens (B, P, N, D) by their weights (B, P, N).

  The gradient of the weights is a product of matrices: as a sum, which autodiff
  makes of it, XLA on CPU takes ten times as long.
  """
  return weights[..., None] * x


def _weigh_backward(
  arrays: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
  weights, x = arrays
  of_weights = jnp.einsum(
    "bpnd,bpnd->bpn", gradient, x, preferred_element_type=wide_dtype(x)
  )
  return of_weights.astype(weights.dtype), _weigh(weights, gradient)


_weigh.defvjp(lambda weights, x: (_weigh(weights, x), (weights, x)), _weigh_backward)


def merge_pairs(x: jax.Array, y: jax.Array) -> jax.Array:
  """Merges the values that pairs have for their frames: one per frame.

  The first frame has the first pair's, the last frame the last pair's, and a
  frame between them the mean of its two pairs'.

  Args:
    x: Values of each pair's first frame (B, P, ..., C), floating point.
    y: Values of each pair's second frame, like `x`.

  Returns:
    Values of the frames (B, P + 1, ..., C), in the dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point (B, P, ..., C) with a pair, `y` is
      not floating point, or the shapes differ.

  Source: as `alignment_mask`.
  """
  shape_checks.frames(x)
  shape_checks.floating(y, "y")
  if x.shape != y.shape or x.shape[1] < 1:
    raise ValueError(
      f"x and y must have one shape and at least one pair, got {x.shape} and {y.shape}."
    )
  middle = x[:, 1:] / 2 + y[:, :-1] / 2  # Their sum can be too large for float16.
  return jnp.concatenate([x[:, :1], middle, y[:, -1:]], axis=1)


def alignment_loss(x: jax.Array, y: jax.Array) -> jax.Array:
  """Returns the mean of 1 - cos(x, y) over all pairs of vectors.

  A vector of no length is at right angles to everything.

  Args:
    x: Vectors (..., D), floating point.
    y: Vectors, like `x`.

  Returns:
    A scalar in [0, 2], float32 at least; 0 for an empty batch.

  Raises:
    ValueError: If the vectors are not floating point or have no channel, or the
      shapes differ.

  Source: as `alignment_mask`; function `cos_similarity_loss` in
    models/metrics.py.
  """
  if x.shape != y.shape or x.ndim < 1 or x.shape[-1] == 0:
    raise ValueError(
      f"x and y must have one shape (..., D) with at least one channel, got "
      f"{x.shape} and {y.shape}."
    )
  shape_checks.floating(x)
  shape_checks.floating(y, "y")
  x, y = (l2_normalize(widen(v)) for v in (x, y))
  losses = 1 - jnp.sum(x * y, axis=-1)
  # A mean over nothing would be 0 / 0.
  return jnp.mean(losses) if losses.size != 0 else jnp.sum(losses)


def _fall_off(
  centres: jax.Array, length: int, disturbance: float | jax.Array
) -> jax.Array:
  """Returns weights (..., length) along one axis, the mean over three centres.

  Where |d| is exactly 0.25 the gradient is the flat top's, as in torch.
  """
  dtype = centres.dtype
  steps = jnp.arange(-1.0, 2.0, dtype=dtype)
  offsets = jnp.asarray(disturbance, dtype) * steps
  centres = centres[..., None]
  centres = (centres + along_channels(offsets, centres))[..., None]
  places = jnp.linspace(-1.0, 1.0, length, dtype=dtype)
  distance = jnp.abs(along_channels(places, centres) - centres)
  slope = jax.nn.relu(1 - _SLOPE * (distance - _PLATEAU))
  return jnp.mean(jnp.where(distance <= _PLATEAU, 1.0, slope), axis=-2)
