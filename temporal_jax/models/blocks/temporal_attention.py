"""Aggregation of the frames' features by a small temporal transformer."""

from collections.abc import Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers import Classifier, LayerNorm
from temporal_jax.models.blocks.transformer import TransformerBlock


class TemporalAttentionAggregation(nn.Module):
  """Lets a class token of its own attend to the features of all frames.

  There is no position embedding: the order of the frames does not matter.

  Attributes:
    num_heads: Heads of the attention; in a vision transformer by default as
      wide as its own, and elsewhere as in `SelfAttention`.
    num_classes: Classes of the perceptron after it, or a dict of several tasks,
      see `Classifier`; None for only the aggregated features.
    num_blocks: Transformer blocks over the frames.
    hidden: Width of the perceptron's hidden layer.
    dropout: Rate before the perceptron's last layer; takes the "dropout" rng.
    dtype: Dtype of the computation, by default the dtype of `x`; logits are
      float32.

  Source: Bulat et al. 2021, https://arxiv.org/abs/2106.05968, "Temporal
    Attention aggregation"; class `VitHead` in slowfast/models/head_helper.py of
    1adrianb/video-transformers.
  """

  num_heads: int | None = None
  num_classes: int | Mapping[str, int] | None = None
  num_blocks: int = 1
  hidden: int = 768
  dropout: float = 0.5
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps the frames' features (B, T, D) to logits (B, L), float32.

    Returns:
      The logits, or the features if there are no classes, and {"features":
      the class token (B, D) after the blocks}.

    Raises:
      ValueError: If `x` is not rank 3.
    """
    if x.ndim != 3:
      raise ValueError(f"x must be (B, T, D), got shape {x.shape}.")
    dtype, width = self.dtype or x.dtype, x.shape[-1]
    token = self.param("class_token", nn.initializers.zeros, (width,))
    token = jnp.broadcast_to(token.astype(dtype), (x.shape[0], 1, width))
    x = jnp.concatenate([token, x.astype(dtype)], axis=1)
    for i in range(self.num_blocks):
      x, _ = TransformerBlock(
        self.num_heads,
        activation=ops.gelu,
        qkv_bias=False,
        dtype=dtype,
        name=f"block{i + 1}",
      )(x, train)
    features = x[:, 0]
    aux = {"features": features}
    if self.num_classes is None:
      return features, aux
    y = LayerNorm(dtype=dtype, name="norm")(features)
    y = ops.gelu(nn.Dense(self.hidden, dtype=dtype, name="expand")(y))
    y = nn.Dropout(self.dropout, deterministic=not train)(y)
    return Classifier(self.num_classes, name="head")(y), aux
