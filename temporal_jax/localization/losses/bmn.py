"""The three losses of BMN: boundaries, and the IoU of proposals in two ways."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.localization.losses.overlap import segment_length, shared_length
from temporal_jax.localization.networks.boundary_matching import valid_proposals

_TINY = 1e-6  # Added to probabilities before their logarithm.
_BOUNDARY = 1.5  # Positions on each side of a segment's end that count as it.
_HIGH, _LOW = 0.7, 0.3  # IoU over which proposals are good, and not bad.


class ProposalTargets(NamedTuple):
  """Targets of the maps of a `BMN`.

  Attributes:
    start: Overlap of each position with the start of a segment, (B, T).
    end: Overlap of each position with the end of a segment, (B, T).
    iou: Greatest IoU of each proposal with a segment, (B, D, T); 0 where the
      proposal ends after the sequence.
  """

  start: jax.Array
  end: jax.Array
  iou: jax.Array


def proposal_targets(
  segments: jax.Array, exists: jax.Array, *, length: int, durations: int
) -> ProposalTargets:
  """Returns the targets of sequences.

  A position covers (t - 1/2, t + 3/2), a boundary 1.5 positions on each side.

  Args:
    segments: Start and end of each segment in positions, (B, G, 2).
    exists: True for segments, False for padding, bool (B, G).
    length: Positions of a sequence, T.
    durations: Durations of proposals, D.

  Raises:
    ValueError: If the shapes do not fit.

  Source: methods `_get_start_end` and `_get_bmn_iou_map` of class
    `Epickitchen100localization` in datasets/base/epickitchen100_feature.py of
    alibaba-mmai-research/TAdaConv.
  """
  _check(segments, exists)
  segments = jnp.clip(segments, 0, length)
  position = np.arange(length, dtype=np.float32)
  place = jnp.asarray(np.stack([position - 0.5, position + 1.5], axis=-1))
  scores = []
  for boundary in (segments[..., 0], segments[..., 1]):
    around = jnp.stack([boundary - _BOUNDARY, boundary + _BOUNDARY], axis=-1)
    shared = shared_length(around[:, :, None], place[None, None])
    part = shared / segment_length(place)[None, None]
    scores.append(jnp.max(jnp.where(exists[:, :, None], part, 0), axis=1, initial=0))
  end = position + np.arange(1, durations + 1, dtype=np.float32)[:, None]
  proposals = jnp.asarray(np.stack(np.broadcast_arrays(position, end), axis=-1))
  proposals = proposals[None, None]  # (1, 1, D, T, 2)
  truth = segments[:, :, None, None]
  shared = shared_length(proposals, truth)
  union = segment_length(proposals) + segment_length(truth) - shared
  iou = jnp.where(exists[:, :, None, None], shared / union, 0)
  valid = valid_proposals(durations, length)[None]
  iou = jnp.where(valid, jnp.max(iou, axis=1, initial=0), 0)
  return ProposalTargets(*scores, iou)


def boundary_loss(scores: jax.Array, target: jax.Array) -> jax.Array:
  """Returns the cross-entropy of boundaries, both classes weighted alike.

  Args:
    scores: Probability that a segment starts, or ends, at a position, (B, T).
    target: See `ProposalTargets`; above 1/2 it is a boundary.

  Returns:
    A number. Without any boundary it is half the mean over the positions, to
    which the reference's tends; the reference then gives NaN.

  Source: function `Loss_Tem` in models/utils/localization_losses.py of
    alibaba-mmai-research/TAdaConv.
  """
  positive = target > 0.5
  return _balanced(scores, positive, ~positive)


def proposal_classification_loss(
  scores: jax.Array, target: jax.Array, *, positive: float = 0.9
) -> jax.Array:
  """Returns the cross-entropy of good proposals, both classes weighted alike.

  Args:
    scores: Probability that a proposal is good, (B, D, T).
    target: IoU of the proposals, see `ProposalTargets`.
    positive: IoU above which a proposal is good.

  Returns:
    A number; zero if no proposal is good.

  Source: function `Loss_PemCls`, likewise.
  """
  good = target > positive
  valid = valid_proposals(*target.shape[1:])[None]
  loss = _balanced(scores, good, ~good & valid)
  return jnp.where(good.any(), loss, 0)


def proposal_regression_loss(
  key: jax.Array, scores: jax.Array, target: jax.Array
) -> jax.Array:
  """Returns half the mean squared error of the IoU of some proposals.

  These are all with an IoU above 0.7, and of those above 0.3 and of the others
  that touch a segment about as many, drawn at random.

  Args:
    key: Random key.
    scores: Estimated IoU of the proposals, (B, D, T).
    target: IoU of the proposals, see `ProposalTargets`.

  Returns:
    A number; zero if no proposal has an IoU above 0.7.

  Source: function `Loss_PemReg`, likewise. Where a group is smaller than the
    first, the reference also takes proposals that are in no group.
  """
  high = target > _HIGH
  middle = (target > _LOW) & ~high
  low = (target > 0) & (target <= _LOW)
  chosen, count = high, high.sum(dtype=scores.dtype)
  for part, group in zip(jax.random.split(key), (middle, low), strict=True):
    ratio = count / _count(group, scores.dtype)
    draw = jax.random.uniform(part, target.shape)
    chosen |= group & (draw > 1 - ratio)
  error = jnp.where(chosen, jnp.square(scores - target), 0)
  loss = 0.5 * error.sum() / _count(chosen, scores.dtype)
  return jnp.where(count > 0, loss, 0)


def bmn_loss(
  key: jax.Array,
  scores: dict[str, jax.Array],
  targets: ProposalTargets,
  *,
  weights: tuple[float, float, float] = (1.0, 10.0, 1.0),
  positive: float = 0.9,
) -> tuple[jax.Array, dict[str, jax.Array]]:
  """Returns the loss of a `BMN`, and its three parts.

  Args:
    key: Random key.
    scores: Outputs of the network.
    targets: Result of `proposal_targets`.
    weights: Weights of "boundaries", "regression" and "classification".
    positive: See `proposal_classification_loss`.
  """
  confidence = scores["confidence"]
  parts = {
    "boundaries": boundary_loss(scores["start"], targets.start)
    + boundary_loss(scores["end"], targets.end),
    "regression": proposal_regression_loss(key, confidence[..., 0], targets.iou),
    "classification": proposal_classification_loss(
      confidence[..., 1], targets.iou, positive=positive
    ),
  }
  terms = zip(weights, parts.values(), strict=True)
  return sum(weight * part for weight, part in terms), parts


def _balanced(scores: jax.Array, positive: jax.Array, negative: jax.Array) -> jax.Array:
  """Returns the cross-entropy of two classes, each with half of the weight."""
  one = jnp.where(positive, jnp.log(scores + _TINY), 0).sum()
  other = jnp.where(negative, jnp.log(1 - scores + _TINY), 0).sum()
  ones, others = (_count(group, scores.dtype) for group in (positive, negative))
  return -0.5 * (one / ones + other / others)


def _count(group: jax.Array, dtype: jax.typing.DTypeLike) -> jax.Array:
  """Returns the number of members of a group, at least 1."""
  return jnp.maximum(group.sum(dtype=dtype), 1)


def _check(segments: jax.Array, exists: jax.Array) -> None:
  if segments.ndim != 3 or segments.shape[2] != 2:
    raise ValueError(f"segments must be (B, G, 2), got {segments.shape}.")
  if exists.dtype != bool or exists.shape != segments.shape[:2]:
    raise ValueError(
      f"exists must be bool {segments.shape[:2]}, got {exists.dtype} {exists.shape}."
    )
