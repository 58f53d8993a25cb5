"""The text tower of CLIP."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers import LayerNorm
from temporal_jax.models.blocks.transformer import TransformerBlock
from temporal_jax.ops.activations import Activation


class TextTransformer(nn.Module):
  """Turns texts into features, read off at the end of each text.

  A token sees only earlier tokens, so tokens after the end do not matter. The
  end is the token with the largest number, as in CLIP's vocabulary.

  Attributes:
    features: Width that the last matrix projects to, without bias.
    width: Channels of a token, D.
    depth: Number of blocks.
    num_heads: Heads of the attention.
    vocabulary: Number of different tokens.
    context: Longest text, in tokens, its start and end included.
    activation: Function inside the MLPs, or its name, see `layers.Mlp`.
    dtype: Dtype of the computation; the features are float32.

  Source: Radford et al. 2021, https://arxiv.org/abs/2103.00020; `encode_text`
    of class `CLIP` in clip/model.py of openai/CLIP.
  """

  features: int = 512
  width: int = 512
  depth: int = 12
  num_heads: int = 8
  vocabulary: int = 49408
  context: int = 77
  activation: str | Activation = "quick_gelu"
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, tokens: jax.Array) -> jax.Array:
    """Maps texts (L, N) of N tokens to features (L, features).

    Raises:
      ValueError: If `tokens` are not integers of rank 2 or longer than
        `context`.
    """
    integer = jnp.issubdtype(tokens.dtype, jnp.integer)
    if tokens.ndim != 2 or not integer or tokens.shape[1] > self.context:
      raise ValueError(
        f"tokens must be integers (L, N) with N up to {self.context}, got "
        f"{tokens.dtype} {tokens.shape}."
      )
    length = tokens.shape[1]
    x = nn.Embed(
      self.vocabulary,
      self.width,
      embedding_init=nn.initializers.normal(0.02),
      dtype=self.dtype,
      name="token_embedding",
    )(tokens)
    positions = self.param(
      "position_embedding",
      nn.initializers.normal(0.01),
      (self.context, self.width),
    )
    x = x + positions[:length].astype(x.dtype)[None]
    mask = jnp.tril(jnp.ones((length, length), bool))
    for i in range(self.depth):
      block = TransformerBlock(
        self.num_heads,
        activation=self.activation,
        dtype=self.dtype,
        name=f"block{i + 1}",
      )
      x, _ = block(x, mask=mask)
    end = jnp.argmax(tokens, axis=1)
    x = jnp.take_along_axis(x, end[:, None, None], axis=1)[:, 0]
    x = LayerNorm(dtype=self.dtype, name="norm")(x)
    x = nn.Dense(
      self.features,
      use_bias=False,
      kernel_init=nn.initializers.normal(self.width**-0.5),
      dtype=self.dtype,
      name="projection",
    )(x)
    return x.astype(jnp.float32)
