"""Losses: one number per clip."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax

from temporal_jax.validation import check_at_least, check_choice

LOSSES = ("softmax", "sigmoid")
_LEAST_MISSING = 1e-7  # Float32 has no number between 1 - 6e-8 and 1.

# An array of one task, or a dict of arrays by task.
Tasks = Any


@dataclasses.dataclass(frozen=True)
class Loss:
  """Cross-entropy of one task, or summed over several.

  Attributes:
    num_classes: Classes L, or a dict with one number per task, e.g. {"verb":
      97, "noun": 300}; all tasks' cross-entropies have the same weight.
    name: "softmax", one class per clip, or "sigmoid", any number of classes per
      clip: the mean of the binary cross-entropies.
    label_smoothing: Smoothing s in [0, 1): the target is 1 - s + s / L at the
      label and s / L elsewhere. Not for "sigmoid".
    class_weights: Weights w (L,) of the classes, or a dict with one entry per
      task; None for none. The loss of targets t is -sum_c w_c t_c log p_c; it
      is not divided by the weights. Not for "sigmoid".
    focal: Exponent gamma of the focal loss, which weighs clips less that are
      right already; 0 for none. With "softmax" -log p_c is multiplied by
      (1 - p_c)^gamma; with "sigmoid" p is the probability of the right answer
      to each class.

  Source: classes `CrossEntropyLoss`, with its `weight`, and `BCEWithLogitsLoss`
    of pytorch/pytorch; the sum over tasks is from Damen et al. 2022,
    https://arxiv.org/abs/2006.13256, and of the TAdaConv code; focal loss: Lin
    et al. 2017, https://arxiv.org/abs/1708.02002, equation 4.
  """

  num_classes: int | Mapping[str, int]
  name: str = "softmax"
  label_smoothing: float = 0.0
  class_weights: Sequence[float] | Mapping[str, Sequence[float]] | None = None
  focal: float = 0.0

  def __post_init__(self) -> None:
    check_choice("loss", self.name, LOSSES)
    if not 0 <= self.label_smoothing < 1:
      raise ValueError(
        f"label_smoothing must be in [0, 1), got {self.label_smoothing}."
      )
    if self.name == "sigmoid" and self.label_smoothing:
      raise ValueError(
        "loss 'sigmoid' takes no label_smoothing, got "
        f"{self.label_smoothing}; set it to 0."
      )
    if self.name == "sigmoid" and self.class_weights is not None:
      raise ValueError(
        "loss 'sigmoid' takes no class_weights, because each class is a question "
        "of its own; loss.focal weighs rare classes up."
      )
    check_at_least("focal", self.focal, 0)

  def targets(self, label: jax.Array) -> Tasks:
    """Returns the target of each class for every clip.

    Args:
      label: (B,) classes; (B, K) for K tasks, in the order of `num_classes`; or
        for "sigmoid" (B, L), 1 for each class it has.

    Returns:
      (B, L) float32, or a dict of them by task.

    Raises:
      ValueError: If the label has another shape.
    """
    if isinstance(self.num_classes, Mapping):
      if label.shape[1:] != (len(self.num_classes),):
        raise ValueError(
          f"labels of the tasks {tuple(self.num_classes)} must be (B, "
          f"{len(self.num_classes)}), got shape {label.shape}."
        )
      return {
        task: self._one_hot(label[:, i], size)
        for i, (task, size) in enumerate(self.num_classes.items())
      }
    if self.name == "sigmoid" and label.ndim == 2:
      return label.astype(jnp.float32)
    if label.ndim != 1:
      raise ValueError(f"labels must be (B,), got shape {label.shape}.")
    return self._one_hot(label, self.num_classes)

  def __call__(self, logits: Tasks, target: Tasks) -> jax.Array:
    """Returns the loss of each clip (B,), float32.

    Args:
      logits: (B, L), any float dtype, or a dict of them by task.
      target: As `targets` gives them, mixed or not.
    """
    weights = self.class_weights
    if isinstance(logits, Mapping):
      return sum(
        self._of_task(logits[task], target[task], weights and weights[task])
        for task in target
      )
    return self._of_task(logits, target, weights)

  def _of_task(
    self, logits: jax.Array, target: jax.Array, weights: Sequence[float] | None
  ) -> jax.Array:
    """Returns the loss (B,) of logits and targets (B, L) of one task."""
    logits = logits.astype(jnp.float32)
    if self.name == "sigmoid":
      yes, no = jax.nn.log_sigmoid(logits), jax.nn.log_sigmoid(-logits)
      both = target * self._focused(yes) + (1 - target) * self._focused(no)
      return both.mean(axis=-1)
    losses = target * self._focused(jax.nn.log_softmax(logits))
    if weights is not None:
      losses *= jnp.asarray(weights, jnp.float32)[None]
    return losses.sum(axis=-1)

  def _focused(self, log_probability: jax.Array) -> jax.Array:
    """Returns -(1 - p)^gamma log p of the logarithms of p."""
    if not self.focal:
      return -log_probability
    # The power of a gamma below 1 has no gradient if p is 1 by rounding.
    missing = jnp.maximum(-jnp.expm1(log_probability), _LEAST_MISSING)
    return -(missing**self.focal) * log_probability

  def probabilities(self, logits: Tasks) -> Tasks:
    """Returns the classes' probabilities (B, L), float32, of each task.

    They are NaN where a logit is NaN or infinite: the sigmoid of infinity would
    be 1, and hide that the network has diverged.
    """
    if isinstance(logits, Mapping):
      return {task: self.probabilities(of) for task, of in logits.items()}
    squash = jax.nn.sigmoid if self.name == "sigmoid" else jax.nn.softmax
    logits = logits.astype(jnp.float32)
    return jnp.where(jnp.isfinite(logits), squash(logits), jnp.nan)

  def hits(self, logits: Tasks, target: Tasks) -> jax.Array:
    """Returns 1.0 for each clip (B,) whose best class is right.

    That is the largest of its target, or for "sigmoid" any that it has. Of
    several tasks all must be right. A clip with a logit that is NaN or infinite
    counts as wrong.
    """
    if isinstance(logits, Mapping):
      each = [self.hits(logits[task], target[task]) for task in target]
      return jnp.prod(jnp.stack(each), axis=0)
    finite = jnp.all(jnp.isfinite(logits), axis=-1)
    best = jnp.argmax(logits, axis=-1)
    if self.name == "softmax":
      right = best == jnp.argmax(target, axis=-1)
    else:
      has = jnp.take_along_axis(target, best[:, None], axis=-1)[:, 0]
      right = has > 0.5
    return (finite & right).astype(jnp.float32)

  def _one_hot(self, label: jax.Array, num_classes: int) -> jax.Array:
    return optax.smooth_labels(jax.nn.one_hot(label, num_classes), self.label_smoothing)
