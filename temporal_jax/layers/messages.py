"""Messages between frames: a token of every frame hears all others (X-CLIP)."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers.attention import SelfAttention
from temporal_jax.layers.drop_path import DropPath
from temporal_jax.layers.initializers import torch_default
from temporal_jax.layers.layer_norm import LayerNorm
from temporal_jax.ops import shape_checks


class CrossFrameMessage(nn.Module):
  """Appends to every frame a token that has heard of the other frames.

  The message is a dense layer of the frame's class token; the messages of a
  clip attend to one another. Fits the slot `block_input`, so that the block's
  norm and attention see the message among the frame's tokens. `RemoveMessage`
  in the slot `mlp_input` takes it away again: both belong together.

  Attributes:
    num_heads: Heads of the attention among messages; by default as in the
      backbone, and without one as in `SelfAttention`.
    drop_path: Rate of stochastic depth of that attention; by default the
      block's, and without one 0.
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: Ni et al. 2022, https://arxiv.org/abs/2208.02816; class
    `CrossFramelAttentionBlock` in X-CLIP/models/cct.py of microsoft/VideoX.
  """

  num_heads: int | None = None
  drop_path: float | None = None
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, N, D), class token first, to (B, T, N + 1, D); aux is empty.

    Raises:
      ValueError: If `x` is not floating point of rank 4 or the heads do not
        divide D.
    """
    shape_checks.tokens(x)
    dtype = self.dtype or x.dtype
    message = nn.Dense(
      x.shape[-1], kernel_init=torch_default(), dtype=dtype, name="message"
    )(x[:, :, 0])
    heard = LayerNorm(dtype=dtype, name="norm")(message)
    attend = SelfAttention(self.num_heads, dtype=dtype, name="attention")
    heard = attend(heard)
    rate = 0.0 if self.drop_path is None else self.drop_path
    message = message + DropPath(rate)(heard, train)
    return jnp.concatenate([x.astype(dtype), message[:, :, None]], axis=2), {}


class RemoveMessage(nn.Module):
  """Takes the last token of every frame away, see `CrossFrameMessage`."""

  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps tokens (B, T, N + 1, D) to (B, T, N, D); aux is empty."""
    del train
    shape_checks.tokens(x)
    return x[:, :, :-1], {}


OPERATORS = {"messages": {"block_input": CrossFrameMessage, "mlp_input": RemoveMessage}}
