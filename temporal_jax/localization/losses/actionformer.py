"""The losses of ActionFormer: classes of positions, and their segments."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from temporal_jax.localization.losses.overlap import segment_length

_SAME = 1e-3  # Positions by which lengths of segments differ that tie.
_TINY = 1e-8  # Least divisor.


class PointTargets(NamedTuple):
  """Targets of the positions of all levels.

  Attributes:
    classes: 1 for each class of a position, (B, P, L).
    offsets: Distances from a position to the start and the end of its segment,
      in positions of the level, (B, P, 2); 0 for positions without a class.
  """

  classes: jax.Array
  offsets: jax.Array


def point_targets(
  points: jax.Array,
  segments: jax.Array,
  labels: jax.Array,
  exists: jax.Array,
  *,
  num_classes: int,
  radius: float | None = 1.5,
) -> PointTargets:
  """Returns the targets of the positions of all levels.

  A position is of a segment if it is near its centre, inside it, and its
  greater distance from the ends is in the range of its level. Of several
  segments the shortest counts, with the labels of all that are as short.

  Args:
    points: Position, least and greatest distance, and stride, (P, 4): "points"
      of an `ActionFormer`, of all levels.
    segments: Start and end of each segment in positions of the sequence, (B, G,
      2).
    labels: Their classes, integers (B, G).
    exists: True for segments, False for padding, bool (B, G).
    num_classes: Classes, L.
    radius: Greatest distance from the centre, in strides; None for any.

  Raises:
    ValueError: If the shapes do not fit.

  Source: method `label_points_single_video` of class `PtTransformer` in
    libs/modeling/meta_archs.py of happyharrycn/actionformer_release.
  """
  _check(points, segments, labels, exists)
  position, least, greatest, stride = (points[None, :, None, i] for i in range(4))
  start, end = segments[:, None, :, 0], segments[:, None, :, 1]
  left, right = position - start, end - position
  inside = (left > 0) & (right > 0)
  if radius is not None:
    centre = 0.5 * (start + end)
    inside &= (position > centre - radius * stride) & (
      position < centre + radius * stride
    )
  farther = jnp.maximum(left, right)
  fits = inside & (farther >= least) & (farther <= greatest) & exists[:, None]
  lengths = jnp.where(fits, segment_length(segments)[:, None], jnp.inf)
  shortest = jnp.min(lengths, axis=2, keepdims=True, initial=jnp.inf)
  ties = fits & (lengths <= shortest + _SAME)
  one_hot = jax.nn.one_hot(labels, num_classes, dtype=segments.dtype)
  classes = jnp.einsum("bpg,bgl->bpl", ties.astype(segments.dtype), one_hot)
  # The first of the shortest.
  is_first = fits & (lengths == shortest)
  is_first &= jnp.cumsum(is_first, axis=2) == 1
  offsets = jnp.stack([left, right], axis=-1) / stride[..., None]
  offsets = jnp.where(is_first[..., None], offsets, 0).sum(axis=2)
  return PointTargets(jnp.minimum(classes, 1), offsets)


def focal_loss(
  logits: jax.Array, targets: jax.Array, *, alpha: float = 0.25, gamma: float = 2.0
) -> jax.Array:
  """Returns the focal loss of every logit, in the shape of `logits`.

  Args:
    logits: Logits of any shape.
    targets: Probabilities, in the same shape.
    alpha: Weight of a target 1; a target 0 has 1 - alpha.
    gamma: Exponent of the error.

  Source: Lin et al. 2017, https://arxiv.org/abs/1708.02002, equation 5;
    function `sigmoid_focal_loss` in libs/modeling/losses.py of
    happyharrycn/actionformer_release.
  """
  probability = jax.nn.sigmoid(logits)
  likelihood = jax.nn.log_sigmoid(logits) * targets
  likelihood += jax.nn.log_sigmoid(-logits) * (1 - targets)
  agreement = probability * targets + (1 - probability) * (1 - targets)
  weight = alpha * targets + (1 - alpha) * (1 - targets)
  return -weight * (1 - agreement) ** gamma * likelihood


def offset_loss(offsets: jax.Array, targets: jax.Array) -> jax.Array:
  """Returns the distance-IoU loss of segments around one position.

  Args:
    offsets: Distances to start and end, not negative, (..., 2).
    targets: The wanted ones, likewise.

  Returns:
    1 - IoU + (distance of the centres / length of the hull)^2, (...).

  Source: Zheng et al. 2019, https://arxiv.org/abs/1911.08287; function
    `ctr_diou_loss_1d`, likewise.
  """
  shared = jnp.minimum(offsets, targets).sum(axis=-1)
  union = (offsets + targets).sum(axis=-1) - shared
  hull = jnp.maximum(offsets, targets).sum(axis=-1)
  difference = offsets - targets
  centres = 0.5 * (difference[..., 1] - difference[..., 0])
  distance = centres / jnp.maximum(hull, _TINY)
  return 1 - shared / jnp.maximum(union, _TINY) + jnp.square(distance)


def actionformer_loss(
  levels: Sequence[dict[str, Any]],
  targets: PointTargets,
  normalizer: jax.Array,
  *,
  label_smoothing: float = 0.0,
  offset_weight: float = 1.0,
  momentum: float = 0.9,
) -> tuple[jax.Array, jax.Array, dict[str, jax.Array]]:
  """Returns the loss of an `ActionFormer`.

  Args:
    levels: Outputs of the network.
    targets: Result of `point_targets`, of all levels one after the other.
    normalizer: Moving average of the positions with a class, a number: the
      result of the last step.
    label_smoothing: Number s in [0, 1): the target is t (1 - s) + s / (L + 1).
    offset_weight: Weight of the offsets' part.
    momentum: Share of the old moving average in the new one.

  Returns:
    The loss, the new moving average, and the parts of the loss: "classes" and
    "offsets". A batch without segments has no offsets' part.

  Source: method `losses` of class `PtTransformer`, likewise.
  """
  logits, offsets, mask = (
    jnp.concatenate([level[name] for level in levels], axis=1)
    for name in ("logits", "offsets", "mask")
  )
  positive = (targets.classes.sum(axis=-1) > 0) & mask
  count = jnp.maximum(positive.sum(dtype=logits.dtype), 1)
  normalizer = momentum * normalizer + (1 - momentum) * count
  wanted = targets.classes * (1 - label_smoothing)
  wanted += label_smoothing / (logits.shape[-1] + 1)
  classes = jnp.where(mask[..., None], focal_loss(logits, wanted), 0)
  segments = jnp.where(positive, offset_loss(offsets, targets.offsets), 0)
  parts = {
    "classes": classes.sum() / normalizer,
    "offsets": segments.sum() / normalizer,
  }
  return parts["classes"] + offset_weight * parts["offsets"], normalizer, parts


def _check(
  points: jax.Array, segments: jax.Array, labels: jax.Array, exists: jax.Array
) -> None:
  if points.ndim != 2 or points.shape[1] != 4:
    raise ValueError(f"points must be (P, 4), got {points.shape}.")
  if segments.ndim != 3 or segments.shape[2] != 2:
    raise ValueError(f"segments must be (B, G, 2), got {segments.shape}.")
  for name, array in (("labels", labels), ("exists", exists)):
    if array.shape != segments.shape[:2]:
      raise ValueError(f"{name} must be {segments.shape[:2]}, got {array.shape}.")
