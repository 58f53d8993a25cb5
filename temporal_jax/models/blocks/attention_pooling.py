"""Pooling of a frame's tokens by attention (SigLIP)."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers import CrossAttention, LayerNorm, Mlp
from temporal_jax.ops.activations import Activation


class AttentionPooling(nn.Module):
  """Lets a learned query attend to tokens, and applies an MLP to the answer.

  out = y + mlp(norm(y)) with y = attention(probe, tokens)

  Attributes:
    num_heads: Heads of the attention.
    hidden: Width of the MLP's hidden layer.
    activation: Function inside the MLP, or its name, see `layers.Mlp`.
    epsilon: Added to the variance in the norm.
    dtype: Dtype of the computation.

  Source: Zhai et al. 2022, https://arxiv.org/abs/2106.04560, section 3.1 (MAP
    head); class `MAPHead` in big_vision/models/vit.py of
    google-research/big_vision.
  """

  num_heads: int
  hidden: int
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
      kernel_init=nn.initializers.xavier_uniform(),
      dtype=self.dtype,
      name="attention",
    )
    x = attend(probe, tokens)[..., 0, :]
    y = LayerNorm(epsilon=self.epsilon, dtype=self.dtype, name="norm")(x)
    mlp = Mlp(
      self.hidden,
      activation=self.activation,
      kernel_init=nn.initializers.xavier_uniform(),
      dtype=self.dtype,
      name="mlp",
    )
    return x + mlp(y)
