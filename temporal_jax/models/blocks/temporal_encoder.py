"""A transformer over the features of frames, as a head."""

from collections.abc import Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers import Classifier, LayerNorm
from temporal_jax.models.blocks.positions import fit_frames
from temporal_jax.models.blocks.transformer import TransformerBlock
from temporal_jax.ops.activations import Activation


class TemporalEncoder(nn.Module):
  """Classifies a clip by the class token of a transformer over its frames.

  Class token and frames have learned positions; those of the frames are
  interpolated for clips of other lengths.

  Attributes:
    num_classes: Classes, L, or a dict of several tasks, see `Classifier`.
    num_heads: Heads of the attention; by default as in `SelfAttention`, in a
      vision transformer as wide as its own.
    num_blocks: Transformer blocks over the frames.
    num_positions: Frames, or tubelets, with a learned position, P.
    activation: Function inside the MLPs, or its name, by default "gelu", in a
      vision transformer its own.
    epsilon: Added to the variance in the norms, by default 1e-6, likewise.
    dtype: Dtype of the computation, by default the dtype of `x`; logits are
      float32.

  Source: Arnab et al. 2021, https://arxiv.org/abs/2103.15691, section 3.3,
    model 2; "TemporalTransformer" of class `SpaceTimeViViT` in
    scenic/projects/vivit/model.py of google-research/scenic.
  """

  num_classes: int | Mapping[str, int]
  num_heads: int | None = None
  num_blocks: int = 4
  num_positions: int = 16
  activation: str | Activation | None = None
  epsilon: float | None = None
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps the frames' features (B, T, D) to logits (B, L), float32.

    Returns:
      The logits, and {"features": the class token (B, D) after the last norm}.

    Raises:
      ValueError: If `x` is not rank 3.
    """
    if x.ndim != 3:
      raise ValueError(f"x must be (B, T, D), got shape {x.shape}.")
    dtype, width = self.dtype or x.dtype, x.shape[-1]
    epsilon = 1e-6 if self.epsilon is None else self.epsilon
    token = self.param("class_token", nn.initializers.zeros, (width,))
    normal = nn.initializers.normal(0.02)
    places = self.param("position_embedding", normal, (1 + self.num_positions, width))
    places = jnp.concatenate([places[:1], fit_frames(places[1:], x.shape[1])])
    token = jnp.broadcast_to(token.astype(dtype), (x.shape[0], 1, width))
    x = jnp.concatenate([token, x.astype(dtype)], axis=1) + places.astype(dtype)[None]
    for i in range(self.num_blocks):
      x, _ = TransformerBlock(
        self.num_heads,
        activation=self.activation or "gelu",
        epsilon=epsilon,
        dtype=dtype,
        name=f"block{i + 1}",
      )(x, train)
    norm = LayerNorm(epsilon=epsilon, dtype=dtype, name="norm")
    features = norm(x[:, 0]).astype(jnp.float32)
    return Classifier(self.num_classes, name="head")(features), {"features": features}
