"""Heads: logits of a clip from the features of its frames, by name.

Any backbone takes any head. A head is made as `factory(num_classes, name=...)`
and called as `head(frames, train) -> (logits, aux)`, frames (B, T, D).
"""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers import Classifier
from temporal_jax.lookup import lookup
from temporal_jax.models.blocks.temporal_attention import TemporalAttentionAggregation
from temporal_jax.models.blocks.temporal_encoder import TemporalEncoder

Factory = Callable[..., nn.Module]
Logits = jax.Array | dict[str, jax.Array]


class AverageConsensus(nn.Module):
  """A linear classifier and an average over the frames.

  Attributes:
    num_classes: Classes, L, or a dict with one number per task; see
      `Classifier`.
    of: "logits" (TSN) or "features". Both give the same logits; averaged
      features cost one frame's products but give no logits of frames.

  Source: as `ops.average_consensus`.
  """

  num_classes: int | Mapping[str, int]
  of: str = "logits"

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[Logits, dict]:
    """Maps the frames' features (B, T, D) to logits (B, L), float32.

    Returns:
      The logits, a dict of them for several tasks, and aux: "frame_logits"
      (B, T, L) likewise, if they are averaged.

    Raises:
      ValueError: If `x` is not floating point (B, T, D), or `of` is unknown.
    """
    del train
    if self.of not in ("logits", "features"):
      raise ValueError(f"of must be 'logits' or 'features', got {self.of!r}.")
    classify = Classifier(self.num_classes, name="classifier")
    nn.share_scope(self, classify)
    x = x.astype(jnp.float32)
    if self.of == "features":
      return classify(ops.average_consensus(x)), {}
    frames = classify(x)
    logits = jax.tree.map(ops.average_consensus, frames)
    return logits, {"frame_logits": frames}


HEADS: Mapping[str, Factory] = MappingProxyType(
  {
    "average": AverageConsensus,
    "average_features": functools.partial(AverageConsensus, of="features"),
    "attention": TemporalAttentionAggregation,
    "temporal_encoder": TemporalEncoder,
  }
)


def resolve(head: str | Factory) -> Factory:
  """Returns the factory that `head` names; a factory is passed through.

  Raises:
    ValueError: If the name is not in `HEADS`.
  """
  if not isinstance(head, str):
    return head
  return lookup(HEADS, head, "head")


def averages_logits(head: str | Factory) -> bool:
  """Returns whether a head is known to average its frames' logits."""
  factory = resolve(head)
  return getattr(factory, "func", factory) is AverageConsensus


def classify_maps(
  network: nn.Module,
  maps: jax.Array,
  train: bool,
  *,
  norm: Callable[[jax.Array], jax.Array] | None = None,
) -> tuple[Logits, dict]:
  """Ends a backbone over frames: classifies the average of their maps.

  Must be called in a compact method of the backbone, see `classify`.

  Args:
    network: The backbone; it has `num_classes`, `head`, `dropout` and
      `average_first`.
    maps: Features (B, T, H, W, D).
    train: Whether anything is dropped.
    norm: See `classify`.
  """
  return classify(
    jnp.mean(maps.astype(jnp.float32), axis=(2, 3)),
    network.num_classes,
    head=network.head,
    dropout=network.dropout,
    train=train,
    average_first=network.average_first,
    norm=norm,
  )


def classify(
  frames: jax.Array,
  num_classes: int | Mapping[str, int],
  *,
  head: str | Factory,
  dropout: float,
  train: bool,
  average_first: bool = False,
  norm: Callable[[jax.Array], jax.Array] | None = None,
) -> tuple[Logits, dict]:
  """Ends a backbone: norm, dropout and a head on the features of its frames.

  Must be called in a compact method: the head's parameters go under "head".

  Args:
    frames: Features (B, T, D).
    num_classes: As `Classifier` takes them.
    head: Name in `HEADS`, or a factory like those.
    dropout: Rate on the features.
    train: Whether anything is dropped.
    average_first: Whether norm, dropout and head see the average of the frames.
    norm: Applied to the features, if there is one.

  Returns:
    Logits, and {"features": (B, D), "frame_features": (B, T, D)}, the first
    the averaged input of the classifier, the second the given features, plus
    the head's outputs.
  """
  frames = frames.astype(jnp.float32)
  x = ops.average_consensus(frames)[:, None] if average_first else frames
  x = x if norm is None else norm(x)
  aux = {"features": jnp.mean(x, axis=1), "frame_features": frames}
  x = nn.Dropout(dropout, deterministic=not train)(x)
  module = resolve(head)(num_classes=num_classes, name="head")
  logits, head_aux = module(x, train)
  return logits, aux | head_aux
