"""Attention of some tokens to others."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers.flat_dense import FlatDense
from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.join_axes import join_axes


class CrossAttention(nn.Module):
  """Multi-head attention whose keys and values come of other tokens.

  Attributes:
    num_heads: Heads, M; they share the width evenly.
    qkv_bias: Whether queries, keys and values have a bias.
    projected: Whether a last projection joins the heads.
    kernel_init: Initialiser of all kernels.
    dtype: Dtype of the computation.

  Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.2.
  """

  num_heads: int
  qkv_bias: bool = True
  projected: bool = True
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, context: jax.Array) -> jax.Array:
    """Lets tokens (..., N, D) look at `context` (..., N', D').

    Raises:
      ValueError: If `num_heads` is below 1 or does not divide D.
    """
    width = x.shape[-1]
    shape_checks.whole(1, num_heads=self.num_heads)
    if width % self.num_heads:
      raise ValueError(f"{self.num_heads} heads do not divide {x.shape}.")
    heads = (self.num_heads, width // self.num_heads)
    q = self._project("query", x, heads)
    k = self._project("key", context, heads)
    v = self._project("value", context, heads)
    out = join_axes(ops.attention(q, k, v), -2)
    if not self.projected:
      return out
    return FlatDense(
      heads,
      (width,),
      kernel_init=self.kernel_init,
      dtype=self.dtype,
      name="out",
    )(out)

  def _project(self, name: str, x: jax.Array, heads: tuple[int, int]) -> jax.Array:
    """Returns heads (..., N, M, d) of tokens (..., N, D)."""
    flat = FlatDense(
      x.shape[-1:],
      heads,
      use_bias=self.qkv_bias,
      kernel_init=self.kernel_init,
      dtype=self.dtype,
      name=name,
    )(x)
    return flat.reshape(*x.shape[:-1], *heads)
