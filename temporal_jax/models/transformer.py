"""The transformer block, with temporal slots."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers import DropPath, LayerNorm, Mlp, SelfAttention
from temporal_jax.models.temporal import Factory, Temporal, apply_slot


class TransformerBlock(nn.Module):
  """Attention and MLP, each after a norm and with a residual.

  Attributes:
    num_heads: Heads of the attention; None for heads of 64 channels.
    mlp_ratio: Width of the MLP over that of the tokens.
    activation: Function inside the MLP.
    epsilon: Added to the variance in the norms.
    qkv_bias: Whether queries, keys and values have a bias.
    drop_path: Rate of stochastic depth, a clip at a time.
    dropout: Rate inside the MLP.
    temporal: What sits in the block's temporal slots.
    dtype: Dtype of the computation.

  Source: Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929, equations
    2 and 3; class `ResidualAttentionBlock` in clip/model.py of openai/CLIP
    (with QuickGELU), class `Block` of timm's vision transformer (with GELU and
    epsilon 1e-6).
  """

  num_heads: int | None
  mlp_ratio: float = 4.0
  activation: Callable[[jax.Array], jax.Array] = ops.quick_gelu
  epsilon: float = 1e-5
  qkv_bias: bool = True
  drop_path: float = 0.0
  dropout: float = 0.0
  temporal: Temporal = Temporal()
  dtype: jax.typing.DTypeLike = jnp.float32

  SLOTS = (
    "block_input",
    "attention_branch",
    "keys_values",
    "attention",
    "mlp_input",
    "mlp_branch",
  )

  @nn.compact
  def __call__(
    self,
    x: jax.Array,
    train: bool = False,
    *,
    mask: jax.Array | None = None,
  ) -> tuple[jax.Array, dict]:
    """Maps tokens (B, ..., N, D) to the same shape, and what slots return.

    Args:
      x: Tokens; (B, T, N, D) if a slot is filled.
      train: Whether anything is dropped.
      mask: True where a query may look, broadcast to (..., M, N, N).
    """
    slots = self.temporal
    x, aux = apply_slot(slots.block_input, "block_input", x, train)
    x, more = self._branch(slots.attention_branch, "attention_branch", x, train)
    aux |= more
    y, more = self._attend(self._norm("norm1")(x), train, mask)
    aux |= more
    x = x + self._drop(y, train)
    x, more = apply_slot(slots.mlp_input, "mlp_input", x, train)
    aux |= more
    x, more = self._branch(slots.mlp_branch, "mlp_branch", x, train)
    aux |= more
    mlp = Mlp(
      int(self.mlp_ratio * x.shape[-1]),
      activation=self.activation,
      dropout=self.dropout,
      dtype=self.dtype,
      name="mlp",
    )
    return x + self._drop(mlp(self._norm("norm2")(x), train), train), aux

  def _norm(self, name: str) -> LayerNorm:
    return LayerNorm(epsilon=self.epsilon, dtype=self.dtype, name=name)

  def _drop(self, branch: jax.Array, train: bool) -> jax.Array:
    return DropPath(self.drop_path)(branch, train)

  def _branch(
    self, factory: Factory | None, name: str, x: jax.Array, train: bool
  ) -> tuple[jax.Array, dict]:
    """Adds the residual branch of a slot, nothing for an empty one."""
    if factory is None:
      return x, {}
    branch, aux = factory(name=name)(x, train=train)
    return x + self._drop(branch, train), aux

  def _attend(
    self, x: jax.Array, train: bool, mask: jax.Array | None
  ) -> tuple[jax.Array, dict]:
    """Attends within each frame, or as the slot `attention` does."""
    if self.temporal.attention is not None:
      return self.temporal.attention(name="attention")(x, train=train)
    attend = SelfAttention(
      self.num_heads,
      qkv_bias=self.qkv_bias,
      keys_values=self.temporal.keys_values,
      dtype=self.dtype,
      name="attention",
    )
    return attend(x, train, mask=mask), {}
