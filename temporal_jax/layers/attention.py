"""Multi-head self-attention over the tokens of every frame."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops

HEAD_WIDTH = 64  # Channels of a head in ViT-B and ViT-L alike.


class SelfAttention(nn.Module):
  """Multi-head self-attention over the last axis but one.

  Attributes:
    num_heads: Heads, M; they share the width evenly. None for heads of 64
      channels.
    qkv_bias: Whether queries, keys and values have a bias.
    scale: Factor of the products, 1 / sqrt(d) by default.
    kernel_init: Initialiser of both projections.
    keys_values: Makes a module (x, train) -> (x, aux) that maps the keys, and
      then the values, (..., N, D) with heads contiguous, before attention:
      here space-time mixing sits. None leaves both as they are.
    dtype: Dtype of the computation.

  Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.2.
  """

  num_heads: int | None = None
  qkv_bias: bool = True
  scale: float | None = None
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
  keys_values: Callable[..., nn.Module] | None = None
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(
    self,
    x: jax.Array,
    train: bool = False,
    *,
    mask: jax.Array | None = None,
  ) -> jax.Array:
    """Maps (..., N, D) to the same shape.

    Args:
      x: Tokens.
      train: Handed to the module of `keys_values`.
      mask: True where a query may look, broadcast to (..., M, N, N).

    Raises:
      ValueError: If the heads do not divide D.
    """
    width = x.shape[-1]
    num_heads = self.num_heads or max(width // HEAD_WIDTH, 1)
    if width % num_heads:
      raise ValueError(f"{num_heads} heads do not divide {x.shape}.")
    heads = (num_heads, width // num_heads)
    qkv = nn.DenseGeneral(
      (3, *heads),
      use_bias=self.qkv_bias,
      kernel_init=self.kernel_init,
      dtype=self.dtype,
      name="qkv",
    )(x)
    q, k, v = (qkv[..., i, :, :] for i in range(3))
    if self.keys_values is not None:
      mix = self.keys_values(name="keys_values")
      k, v = (self._flat(mix, values, train) for values in (k, v))
    out = ops.attention(q, k, v, scale=self.scale, mask=mask)
    return nn.DenseGeneral(
      width,
      axis=(-2, -1),
      kernel_init=self.kernel_init,
      dtype=self.dtype,
      name="out",
    )(out)

  def _flat(self, module: nn.Module, x: jax.Array, train: bool) -> jax.Array:
    """Applies `module` to (..., N, M, d) as (..., N, M d)."""
    mixed, _ = module(x.reshape(*x.shape[:-2], -1), train=train)
    return mixed.reshape(*mixed.shape[:-1], *x.shape[-2:])
