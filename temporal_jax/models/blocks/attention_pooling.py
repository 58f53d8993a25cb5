"""Pooling of tokens by attention (SigLIP, V-JEPA 2)."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers import CrossAttention, LayerNorm, Mlp
from temporal_jax.models.blocks.remat import apply_block
from temporal_jax.models.blocks.transformer import TransformerBlock
from temporal_jax.ops.activations import Activation


class AttentionPooling(nn.Module):
  """Lets a learned query attend to tokens, and applies an MLP to the answer.

  out = y + mlp(norm(y)) with y = attention(probe, tokens)

  Attributes:
    num_heads: Heads of the attention.
    hidden: Width of the MLP's hidden layer.
    residual: Whether the probe is added to y; attention then ends without a
      projection (V-JEPA 2).
    activation: Function inside the MLP, or its name, see `layers.Mlp`.
    epsilon: Added to the variance in the norm.
    dtype: Dtype of the computation.

  Source: Zhai et al. 2022, https://arxiv.org/abs/2106.04560, section 3.1 (MAP
    head); class `MAPHead` in big_vision/models/vit.py of
    google-research/big_vision.
  """

  num_heads: int
  hidden: int
  residual: bool = False
  activation: str | Activation = "gelu"
  epsilon: float = 1e-6
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, tokens: jax.Array) -> jax.Array:
    """Maps normalised tokens (..., N, D) to (..., D).

    Raises:
      ValueError: If the heads do not divide D.
    """
    width = tokens.shape[-1]
    init = nn.initializers.xavier_uniform()
    probe = self.param("probe", init, (1, width), jnp.float32)
    probe = jnp.broadcast_to(probe.astype(self.dtype), (*tokens.shape[:-2], 1, width))
    attend = CrossAttention(
      self.num_heads,
      projected=not self.residual,
      kernel_init=nn.initializers.xavier_uniform(),
      dtype=self.dtype,
      name="attention",
    )
    x = attend(probe, tokens)
    x = (x + probe if self.residual else x)[..., 0, :]
    y = LayerNorm(epsilon=self.epsilon, dtype=self.dtype, name="norm")(x)
    mlp = Mlp(
      self.hidden,
      activation=self.activation,
      kernel_init=nn.initializers.xavier_uniform(),
      dtype=self.dtype,
      name="mlp",
    )
    return x + mlp(y)


class AttentivePooling(nn.Module):
  """Transformer blocks over the tokens of a clip, of which a query then reads.

  Attributes:
    num_heads: Heads of all attention.
    num_blocks: Blocks of self-attention before the query's.
    mlp_ratio: Width of the MLPs divided by the tokens' width.
    activation: Function inside the MLPs, or its name, see `layers.Mlp`.
    epsilon: Added to the variance in the norms.
    remat: Whether the blocks' results are computed again for the gradients.
    dtype: Dtype of the computation.

  Source: Assran et al. 2025, https://arxiv.org/abs/2506.09985, section 5
    (attentive probe); class `AttentivePooler` in src/models/attentive_pooler.py
    of facebookresearch/vjepa2.
  """

  num_heads: int
  num_blocks: int = 3
  mlp_ratio: float = 4.0
  activation: str | Activation = "gelu"
  epsilon: float = 1e-6
  remat: bool = False
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, tokens: jax.Array, train: bool = False) -> jax.Array:
    """Maps normalised tokens (B, N, D) to (B, D).

    Raises:
      ValueError: If the heads do not divide D.
    """
    settings = {
      "activation": self.activation,
      "epsilon": self.epsilon,
      "dtype": self.dtype,
    }
    for index in range(self.num_blocks):
      block = TransformerBlock(
        self.num_heads, self.mlp_ratio, name=f"block{index + 1}", **settings
      )
      tokens, _ = apply_block(block, tokens, train, remat=self.remat)
    norm = LayerNorm(epsilon=self.epsilon, dtype=self.dtype, name="norm")
    hidden = int(self.mlp_ratio * tokens.shape[-1])
    read = AttentionPooling(
      self.num_heads, hidden, residual=True, name="query", **settings
    )
    return read(norm(tokens))
