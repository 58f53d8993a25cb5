"""The classifier behind a backbone: from frames to the clip."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

CONSENSUS = ("logits", "features")


def check_consensus(consensus: str) -> None:
  """Raises ValueError if the kind of consensus is unknown."""
  if consensus not in CONSENSUS:
    raise ValueError(f"consensus must be in {CONSENSUS}, got {consensus!r}.")


def classify(
  frames: jax.Array,
  num_classes: int,
  *,
  consensus: str,
  dropout: float,
  train: bool,
  norm: Callable[[jax.Array], jax.Array] | None = None,
) -> tuple[jax.Array, dict]:
  """Classifies a clip by the features of its frames, averaged over them.

  Must be called in a compact method: the classifier's parameters go under
  "head".

  Args:
    frames: Features of the frames (B, T, D).
    num_classes: Outputs, L.
    consensus: Whether "features" are averaged, in front of norm, dropout and
      classifier, or "logits", behind them (TSN).
    dropout: Rate before the classifier.
    train: Whether dropout drops.
    norm: Applied to the features before the classifier.

  Returns:
    Logits (B, L), float32, and {"features": (B, D), "frame_features":
    (B, T, D)}: the first is what is classified, the second what was given.
  """
  frames = frames.astype(jnp.float32)
  x = frames
  if consensus == "features":
    x = jnp.mean(x, axis=1, keepdims=True)
  x = x if norm is None else norm(x)
  aux = {"features": jnp.mean(x, axis=1), "frame_features": frames}
  x = nn.Dropout(dropout, deterministic=not train)(x)
  return jnp.mean(nn.Dense(num_classes, name="head")(x), axis=1), aux
