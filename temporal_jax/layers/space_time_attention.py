"""Self-attention over several frames."""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers.attention import SelfAttention
from temporal_jax.layers.layer_norm import LayerNorm
from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.join_axes import join_axes


class JointAttention(nn.Module):
  """Self-attention over all tokens of all frames.

  For the slot `attention`. The parameters have the names and shapes of
  `SelfAttention`, so that weights of images fit. Every frame's class token is a
  token like the others; of one that all frames share one copy takes part.

  Attributes:
    num_heads: Heads, M, as in `SelfAttention`. In a backbone it and those
      below are by default as in the attention whose place it takes.
    qkv_bias: Whether queries, keys and values have a bias; they do by default.
    key_bias: Whether keys share in this bias; by default they do.
    inner_norm: Whether a norm precedes the last projection; not by default.
    inner_epsilon: Added to the variance in that norm.
    shared_class_token: Whether the first tokens of the frames are copies of the
      clip's class token; they are not by default.
    rotary: Function of the rotary positions over frames, rows and columns, see
      `SelfAttention`; none by default. Frames then have no tokens but patches
      and a shared class token.
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: as `ops.joint_attention`; class `Block` in timesformer/models/vit.py
    of facebookresearch/TimeSformer, whose class token is shared.
  """

  num_heads: int | None = None
  qkv_bias: bool | None = None
  key_bias: bool | None = None
  inner_norm: bool | None = None
  inner_epsilon: float | None = None
  shared_class_token: bool | None = None
  rotary: Callable[..., jax.Array] | None = None
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(
    self,
    x: jax.Array,
    train: bool = False,
    *,
    grid: tuple[int, int] | None = None,
  ) -> tuple[jax.Array, dict]:
    """Maps normalised tokens (B, T, N, D) to the same shape; aux is empty.

    Args:
      x: Tokens (B, T, N, D).
      train: Unused.
      grid: Rows and columns of patches; only rotary positions need it.

    Raises:
      ValueError: If `x` is not floating point of rank 4, or rotary positions
        lack a grid or meet other tokens.
    """
    shape_checks.tokens(x)
    if self.rotary is not None and grid is not None:
      grid = self._clip_grid(x, grid)
    attend = _self_attention(
      num_heads=self.num_heads,
      qkv_bias=self.qkv_bias,
      key_bias=self.key_bias,
      inner_norm=self.inner_norm,
      epsilon=self.inner_epsilon,
      rotary=self.rotary,
      has_class_token=bool(self.shared_class_token),
      dtype=self.dtype or x.dtype,
      name="joint",
    )
    nn.share_scope(self, attend)  # No level of its own among the parameters.
    if not self.shared_class_token:
      return attend(join_axes(x, 1, -1), train, grid=grid).reshape(x.shape), {}
    # (B, 1 + T P, D)
    tokens = jnp.concatenate([x[:, 0, :1], join_axes(x[:, :, 1:], 1, -1)], axis=1)
    out = attend(tokens, train, grid=grid)
    first = jnp.broadcast_to(out[:, None, :1], x[:, :, :1].shape)
    patches = out[:, 1:].reshape(x[:, :, 1:].shape)  # (B, T, P, D)
    return jnp.concatenate([first, patches], axis=2), {}

  def _clip_grid(self, x: jax.Array, grid: tuple[int, int]) -> tuple[int, int, int]:
    """Returns frames, rows and columns of tokens (B, T, N, D).

    Raises:
      ValueError: If a frame has other tokens than its patches and a shared
        class token.
    """
    rows, columns = grid
    if x.shape[2] != rows * columns + bool(self.shared_class_token):
      raise ValueError(
        "the slot `attention` has no rotary positions of frames with class tokens "
        f"or registers: {rows} x {columns} patches, got {x.shape[2]} tokens."
      )
    return x.shape[1], rows, columns


class TemporalAttention(nn.Module):
  """Self-attention of every patch over time, before that within frames.

  For the slot `attention_branch`: with the attention of the block after it,
  this is divided space-time attention (TimeSformer), and with `aligned`
  alignment-guided temporal attention (ATA), where a patch does not attend to
  its own place in other frames but to the patches it has moved to.

  The branch has a norm, queries, keys and values of its own and ends in a
  projection that starts at zero: a new block equals the block without it. The
  frames' class tokens take no part, their branch is zero.

  Attributes:
    num_heads: Heads, M, as in `SelfAttention`; in a backbone its own.
    aligned: Whether patches are followed through the clip by
      `ops.match_patches`.
    qkv_bias: Whether queries, keys and values have a bias; by default they
      have, and in a backbone if its own have.
    epsilon: Added to the variance in the norm.
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: Bertasius et al. 2021, https://arxiv.org/abs/2102.05095, section 3;
    class `Block` in timesformer/models/vit.py of facebookresearch/TimeSformer.
    Zhao et al. 2022, https://arxiv.org/abs/2210.00132 (ATA).
  """

  num_heads: int | None = None
  aligned: bool = False
  qkv_bias: bool | None = None
  epsilon: float = 1e-6
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps tokens (B, T, N, D), class token first, to a branch; aux is empty.

    Raises:
      ValueError: If `x` is not floating point of rank 4.
    """
    shape_checks.tokens(x)
    dtype = self.dtype or x.dtype
    patches = x[:, :, 1:]
    y = LayerNorm(epsilon=self.epsilon, dtype=dtype, name="norm")(patches)
    if self.aligned:
      order = ops.match_patches(patches)
      y = ops.permute_patches(y, order)
    attend = _self_attention(
      num_heads=self.num_heads, qkv_bias=self.qkv_bias, dtype=dtype, name="attention"
    )
    # Attends among T of (B, N, T, D).
    y = attend(y.swapaxes(1, 2), train).swapaxes(1, 2)
    if self.aligned:
      y = ops.permute_patches(y, order, inverse=True)
    y = nn.Dense(
      x.shape[-1],
      kernel_init=nn.initializers.zeros,
      dtype=dtype,
      name="out",
    )(y)
    return jnp.concatenate([jnp.zeros_like(y[:, :, :1]), y], axis=2), {}


def _self_attention(**settings: Any) -> SelfAttention:
  """Returns an attention with its own defaults for settings that are None."""
  given = {name: value for name, value in settings.items() if value is not None}
  return SelfAttention(**given)


OPERATORS = {
  "joint": {"attention": JointAttention},
  "divided": {"attention_branch": TemporalAttention},
  "aligned": {"attention_branch": functools.partial(TemporalAttention, aligned=True)},
}
