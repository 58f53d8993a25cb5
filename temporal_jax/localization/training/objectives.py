"""Training objectives of localization networks."""

import dataclasses

import jax
import jax.numpy as jnp

from temporal_jax.localization.losses.actionformer import (
  actionformer_loss,
  point_targets,
)
from temporal_jax.localization.losses.bmn import bmn_loss, proposal_targets
from temporal_jax.localization.networks.actionformer import ActionFormer
from temporal_jax.localization.networks.bmn import BMN
from temporal_jax.training.objective import Arrays, PartLoss, Prepared
from temporal_jax.training.state import Tree

# The statistic of `PointObjective` in "batch_stats".
NORMALIZER = "loss_normalizer"


@dataclasses.dataclass(frozen=True)
class PointObjective:
  """The loss of an `ActionFormer`; see `training.objective.Objective`.

  Batches have "features" (B, T, C), "mask" (B, T), and "segments" (B, G, 2) in
  positions, "labels" (B, G) and "exists" (B, G). The normalizer is the running
  statistic `NORMALIZER`.

  Attributes:
    network: The network.
    label_smoothing: See `actionformer_loss`.
    offset_weight: See `actionformer_loss`.
    radius: Greatest distance from a segment's centre, in strides.
    sums: Values that are logged: the loss and its parts, a batch's for each
      sequence.
  """

  network: ActionFormer
  label_smoothing: float = 0.0
  offset_weight: float = 1.0
  radius: float = 1.5
  sums: tuple[str, ...] = dataclasses.field(
    default=("loss", "classes", "offsets"), init=False
  )

  def prepare(self, key: jax.Array, step: jax.Array, batch: Arrays) -> Prepared:
    """Takes the batch as it is; see `training.objective.Objective`."""
    del key, step

    def loss(variables: Tree, part: Arrays, key: jax.Array, parts: int) -> PartLoss:
      _check_parts(parts)
      levels = self.network.apply(
        {"params": variables["params"]},
        part["features"],
        part["mask"],
        train=True,
        rngs={"dropout": key},
      )
      targets = point_targets(
        jnp.concatenate([level["points"] for level in levels]),
        part["segments"],
        part["labels"],
        part["exists"],
        num_classes=self.network.num_classes,
        radius=self.radius,
      )
      statistics = variables["batch_stats"]
      value, normalizer, terms = actionformer_loss(
        levels,
        targets,
        statistics[NORMALIZER],
        label_smoothing=self.label_smoothing,
        offset_weight=self.offset_weight,
      )
      sums = _times({"loss": value, **terms}, len(part["mask"]))
      return PartLoss(value, {**statistics, NORMALIZER: normalizer}, sums)

    return Prepared(batch, jnp.float32(len(batch["mask"])), loss)


@dataclasses.dataclass(frozen=True)
class ProposalObjective:
  """The loss of a `BMN`; see `training.objective.Objective`.

  Batches are as in `PointObjective`; labels and masks are not used.

  Attributes:
    network: The network.
    weights: See `bmn_loss`.
    positive: See `bmn_loss`.
    sums: Values that are logged: the loss and its parts, a batch's for each
      sequence.
  """

  network: BMN
  weights: tuple[float, float, float] = (1.0, 10.0, 1.0)
  positive: float = 0.9
  sums: tuple[str, ...] = dataclasses.field(
    default=("loss", "boundaries", "regression", "classification"), init=False
  )

  def prepare(self, key: jax.Array, step: jax.Array, batch: Arrays) -> Prepared:
    """Takes the batch as it is; see `training.objective.Objective`."""
    del key, step

    def loss(variables: Tree, part: Arrays, key: jax.Array, parts: int) -> PartLoss:
      _check_parts(parts)
      features = part["features"]
      scores = self.network.apply({"params": variables["params"]}, features, train=True)
      length = features.shape[1]
      targets = proposal_targets(
        part["segments"],
        part["exists"],
        length=length,
        durations=self.network.durations or length,
      )
      value, terms = bmn_loss(
        key, scores, targets, weights=self.weights, positive=self.positive
      )
      sums = _times({"loss": value, **terms}, len(features))
      return PartLoss(value, variables["batch_stats"], sums)

    return Prepared(batch, jnp.float32(len(batch["features"])), loss)


def _times(values: Arrays, count: int) -> Arrays:
  return {name: value * count for name, value in values.items()}


def _check_parts(parts: int) -> None:
  """Both losses divide by numbers of a whole batch, which parts do not add."""
  if parts != 1:
    raise ValueError(
      f"a batch of sequences cannot be computed in {parts} parts: its loss is a "
      "quotient of sums over the whole batch."
    )
