"""The objective of clips that are classified."""

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.training.frozen_batch_norm import frozen_batch_norm
from temporal_jax.training.loss import Loss, Tasks
from temporal_jax.training.objective import Arrays, PartLoss, Prepared
from temporal_jax.training.state import CLIP_SUMS, Tree

# (key, uint8 clips, labels, true sizes) -> (float clips, labels).
Augment = Callable[..., tuple[jax.Array, jax.Array]]
# (key, clips, targets) -> (clips, targets).
Mix = Callable[[jax.Array, jax.Array, Tasks], tuple[jax.Array, Tasks]]


class _Clips(NamedTuple):
  """Clips (B, T, S, S, 3), targets (B, L) and weights (B,)."""

  clip: jax.Array
  target: Tasks
  weight: jax.Array


@dataclasses.dataclass(frozen=True)
class ClipObjective:
  """The weighted mean of the losses of clips; see `objective.Objective`.

  Batches have "clip", uint8, "label", "weight" (B,) and maybe "size".

  Attributes:
    network: The network, or step -> the network, where it changes on the way.
    loss: Loss of a clip.
    augment: Turns uint8 clips into the network's input; may repeat them.
    mix: Mixes clips and targets; None for none.
    inputs: Other arguments of the network, e.g. {"text": tokens}.
    aux_weights: Weights of losses that the network returns in its aux; one that
      it does not return counts nothing.
    freeze_batch_norm: Whether BatchNorm uses its statistics.
    sums: Values that are added up: the losses, and the weights of the clips
      whose best class is right.
  """

  network: nn.Module | Callable[[jax.Array], nn.Module]
  loss: Loss
  augment: Augment
  mix: Mix | None = None
  inputs: Mapping[str, jax.Array] = dataclasses.field(default_factory=dict)
  aux_weights: Mapping[str, float] = dataclasses.field(default_factory=dict)
  freeze_batch_norm: bool = False
  sums: tuple[str, ...] = dataclasses.field(default=CLIP_SUMS, init=False)

  def prepare(self, key: jax.Array, step: jax.Array, batch: Arrays) -> Prepared:
    """Augments, encodes the labels and mixes; see `objective.Objective`."""
    clips = self._clips(key, batch)
    weight = jnp.sum(clips.weight)
    total = jnp.maximum(weight, 1.0)
    network = self.network
    if not isinstance(network, nn.Module):
      network = network(step)

    def loss(variables: Tree, part: _Clips, key: jax.Array, parts: int) -> PartLoss:
      with self._statistics():
        (logits, aux), updates = network.apply(
          variables,
          part.clip,
          **self.inputs,
          train=True,
          rngs={"dropout": key},
          mutable=["batch_stats"],
        )
      losses = self.loss(logits, part.target)
      value = jnp.sum(losses * part.weight) / total
      for name, factor in self.aux_weights.items():
        value += factor / parts * aux.get(name, 0.0)
      sums = {
        "loss": jnp.sum(losses * part.weight),
        "correct": jnp.sum(self.loss.hits(logits, part.target) * part.weight),
      }
      return PartLoss(value, updates.get("batch_stats", {}), sums)

    return Prepared(clips, weight, loss)

  def _clips(self, key: jax.Array, batch: Arrays) -> _Clips:
    augment_key, mix_key = jax.random.split(key)
    clip, label = self.augment(
      augment_key, batch["clip"], batch["label"], batch.get("size")
    )
    repeats = clip.shape[0] // batch["weight"].shape[0]
    target = self.loss.targets(label)
    if self.mix is not None:
      clip, target = self.mix(mix_key, clip, target)
    return _Clips(clip, target, jnp.repeat(batch["weight"], repeats))

  def _statistics(self) -> contextlib.AbstractContextManager:
    """Freezes BatchNorm if it is to be."""
    if self.freeze_batch_norm:
      return frozen_batch_norm()
    return contextlib.nullcontext()
