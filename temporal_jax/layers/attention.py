"""Multi-head self-attention over the tokens of every frame."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers.flat_dense import FlatDense
from temporal_jax.layers.layer_norm import LayerNorm
from temporal_jax.layers.slot_tokens import hide_slots, show_slots
from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.join_axes import join_axes

HEAD_WIDTH = 64  # Channels of a head in ViT-B and ViT-L alike.


class SelfAttention(nn.Module):
  """Multi-head self-attention over the last axis but one.

  Attributes:
    num_heads: Heads, M; they share the width evenly. None for one for each
      full 64 channels, at least one.
    qkv_bias: Whether queries, keys and values have a bias.
    key_bias: Whether keys share in this bias; else it is `query_value_bias`.
    scale: Factor of the products, 1 / sqrt(d) by default.
    kernel_init: Initialiser of both projections.
    keys_values: Makes a module (x, train) -> (x, aux) that maps the keys, and
      then the values, (..., N, D) with heads contiguous, before attention:
      here space-time mixing sits. None leaves both as they are.
    rotary: Function that turns queries and keys by their positions:
      `ops.rotary_embedding`, or a partial of it with other settings; None for
      no turning.
    has_class_token: Whether a class token precedes the patches, for `rotary`
      and `keys_values`, which sees the mean of the patches in its place.
    num_registers: Tokens after the patches, which `rotary` leaves as they are
      and `keys_values` does not see.
    inner_norm: Whether a norm precedes the last projection (sub-norm).
    epsilon: Added to the variance in that norm.
    dtype: Dtype of the computation.

  Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.2;
    without a bias of the keys, turned and with the norm, class `Attention` in
    eva_clip/eva_vit_model.py of whwu95/ATM.
  """

  num_heads: int | None = None
  qkv_bias: bool = True
  key_bias: bool = True
  scale: float | None = None
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
  keys_values: Callable[..., nn.Module] | None = None
  rotary: Callable[..., jax.Array] | None = None
  has_class_token: bool = True
  num_registers: int = 0
  inner_norm: bool = False
  epsilon: float = 1e-6
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(
    self,
    x: jax.Array,
    train: bool = False,
    *,
    mask: jax.Array | None = None,
    grid: tuple[int, int] | None = None,
  ) -> jax.Array:
    """Maps (..., N, D) to the same shape.

    Args:
      x: Tokens (..., N, D).
      train: Handed to the module of `keys_values`.
      mask: True where a query may look, broadcast to (..., M, N, N).
      grid: Rows and columns of patches; only rotary positions need it.

    Raises:
      ValueError: If `num_heads` is below 1 or does not divide D, or positions
        lack a grid.
    """
    width = x.shape[-1]
    heads = max(width // HEAD_WIDTH, 1)
    num_heads = shape_checks.given_or(heads, num_heads=self.num_heads)
    if width % num_heads:
      raise ValueError(f"{num_heads} heads do not divide {x.shape}.")
    heads = (num_heads, width // num_heads)
    qkv = FlatDense(
      (width,),
      heads,
      parts=3,
      use_bias=self.qkv_bias and self.key_bias,
      kernel_init=self.kernel_init,
      dtype=self.dtype,
      name="qkv",
    )(x)
    q, k, v = (y.reshape(*y.shape[:-1], *heads) for y in qkv)  # (..., N, M, d)
    if self.qkv_bias and not self.key_bias:
      zeros = nn.initializers.zeros
      bias = self.param("query_value_bias", zeros, (2, *heads), jnp.float32)
      q, v = q + _like(bias[0], q), v + _like(bias[1], v)
    if self.keys_values is not None:
      mix = self.keys_values(name="keys_values")
      k, v = (self._flat(mix, values, train) for values in (k, v))
    if self.rotary is not None:
      q, k = (self.turn(values, grid) for values in (q, k))
    out = join_axes(ops.attention(q, k, v, scale=self.scale, mask=mask), -2)
    if self.inner_norm:
      norm = LayerNorm(epsilon=self.epsilon, dtype=self.dtype, name="norm")
      out = norm(out)  # Over (..., N, M d).
    return FlatDense(
      heads,
      (width,),
      kernel_init=self.kernel_init,
      dtype=self.dtype,
      name="out",
    )(out)

  @nn.nowrap
  def turn(self, x: jax.Array, grid: tuple[int, int] | None) -> jax.Array:
    """Returns queries or keys (..., N, M, d) with their rotary positions.

    Raises:
      ValueError: If there is no grid, or the tokens are not its patches and the
        others.
    """
    if grid is None:
      raise ValueError("rotary positions need the grid of the patches.")
    leading = int(self.has_class_token)
    return self.rotary(x, grid=grid, leading=leading)

  def _flat(self, module: nn.Module, x: jax.Array, train: bool) -> jax.Array:
    """Applies `module` to (..., N, M, d) as (..., N, M d)."""
    seen, registers = show_slots(
      join_axes(x, -2),
      has_class_token=self.has_class_token,
      num_registers=self.num_registers,
    )
    mixed, _ = module(seen, train=train)
    mixed = hide_slots(mixed, registers, has_class_token=self.has_class_token)
    return mixed.reshape(*mixed.shape[:-1], *x.shape[-2:])  # (..., N, M, d)


def _like(bias: jax.Array, x: jax.Array) -> jax.Array:
  """Returns a bias of heads (M, d) with the rank and dtype of `x`."""
  # (1, ..., 1, M, d)
  return bias.astype(x.dtype).reshape(*[1] * (x.ndim - 2), *bias.shape)
