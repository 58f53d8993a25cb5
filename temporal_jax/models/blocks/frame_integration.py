"""Clip features and classes from the features of frames (X-CLIP, ILA)."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers import LayerNorm
from temporal_jax.models.blocks.positions import fit_frames
from temporal_jax.models.blocks.transformer import TransformerBlock
from temporal_jax.ops import shape_checks


class MultiframeIntegration(nn.Module):
  """Lets frames attend to one another and averages them.

  out = mean_t(blocks(x + position)_t + x_t)

  Attributes:
    num_layers: Transformer blocks.
    head_width: Channels of an attention head.
    num_frames: Frames with a learned position, by default the frames of `x`;
      clips of other lengths get them interpolated.
    dtype: Dtype of the computation.

  Source: Ni et al. 2022, https://arxiv.org/abs/2208.02816; class
    `MultiframeIntegrationTransformer` in X-CLIP/models/mit.py of
    microsoft/VideoX and models/mit.py of Francis-Rings/ILA.
  """

  num_layers: int = 1
  head_width: int = 64
  num_frames: int | None = None
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps features of frames (B, T, D) to features of clips (B, D).

    Raises:
      ValueError: If `x` is not of rank 3, `head_width` does not divide D, or
        `head_width` or `num_frames` is below 1.
    """
    shape_checks.whole(1, head_width=self.head_width)
    if x.ndim != 3 or x.shape[-1] % self.head_width:
      raise ValueError(
        f"x must be (B, T, D) with D a multiple of {self.head_width}, got "
        f"shape {x.shape}."
      )
    x = x.astype(self.dtype)
    init = nn.initializers.normal(0.02)
    _, length, width = x.shape
    shape = (shape_checks.given_or(length, num_frames=self.num_frames), width)
    position = self.param("position", init, shape)
    position = fit_frames(position, length)
    y = x + position.astype(x.dtype)[None]
    for i in range(self.num_layers):
      block = TransformerBlock(
        x.shape[-1] // self.head_width, dtype=self.dtype, name=f"block{i + 1}"
      )
      y, _ = block(y, train)
    return jnp.mean(x + y, axis=1)


class DirectionClassifier(nn.Module):
  """Classifies features only by their direction.

  Scaled to length 1, normalised, dropped out and classified: the head of ILA on
  Something-Something, after `MultiframeIntegration`.

  Attributes:
    num_classes: Classes, L.
    dropout: Rate before the last layer; takes the "dropout" rng.
    dtype: Dtype of the computation; logits are float32.

  Source: Tu et al. 2023, https://arxiv.org/abs/2304.10465; `classify_head` of
    class `MultiframeIntegrationTransformer` in models/mit.py of
    Francis-Rings/ILA.
  """

  num_classes: int
  dropout: float = 0.5
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps features (..., D) to logits (..., num_classes)."""
    x = ops.l2_normalize(x.astype(jnp.float32))
    x = LayerNorm(dtype=self.dtype, name="norm")(x)
    x = nn.Dropout(self.dropout, deterministic=not train)(x)
    logits = nn.Dense(
      self.num_classes,
      kernel_init=nn.initializers.normal(0.02),
      dtype=self.dtype,
      name="head",
    )(x)
    return logits.astype(jnp.float32)
