"""The gated perceptron of a transformer."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers.layer_norm import LayerNorm


class SwiGlu(nn.Module):
  """Dense(norm(silu(Dense(x)) * Dense(x))).

  Attributes:
    hidden: Width of the hidden layer.
    inner_norm: Whether the norm is there (sub-norm); else there is none.
    epsilon: Added to the variance in the norm.
    dropout: Rate after the last layer; takes the "dropout" rng.
    dtype: Dtype of the computation.

  Source: Shazeer 2020, https://arxiv.org/abs/2002.05202, equation 6; with the
    norm Fang et al. 2023, https://arxiv.org/abs/2303.11331; class `SwiGLU` in
    eva_clip/eva_vit_model.py of whwu95/ATM.
  """

  hidden: int
  inner_norm: bool = False
  epsilon: float = 1e-6
  dropout: float = 0.0
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps (..., D) to the same shape."""
    gate = nn.Dense(self.hidden, dtype=self.dtype, name="gate")(x)
    y = nn.Dense(self.hidden, dtype=self.dtype, name="expand")(x)
    y = nn.silu(gate) * y
    if self.inner_norm:
      y = LayerNorm(epsilon=self.epsilon, dtype=self.dtype, name="norm")(y)
    y = nn.Dense(x.shape[-1], dtype=self.dtype, name="contract")(y)
    return nn.Dropout(self.dropout, deterministic=not train)(y)
