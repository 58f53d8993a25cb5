"""Losses: one number per clip."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax

from temporal_jax.validation import check_choice

LOSSES = ("softmax", "sigmoid")

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

  Source: classes `CrossEntropyLoss` and `BCEWithLogitsLoss` of pytorch/pytorch;
    the sum over tasks is from Damen et al. 2022,
    https://arxiv.org/abs/2006.13256, and of the TAdaConv code.
  """

  num_classes: int | Mapping[str, int]
  name: str = "softmax"
  label_smoothing: float = 0.0

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
    if isinstance(logits, Mapping):
      return sum(self(logits[task], target[task]) for task in target)
    logits = logits.astype(jnp.float32)
    if self.name == "sigmoid":
      return optax.sigmoid_binary_cross_entropy(logits, target).mean(axis=-1)
    return optax.softmax_cross_entropy(logits, target)

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
