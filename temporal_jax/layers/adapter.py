"""Temporal adapters: a small branch makes a frozen image tower temporal."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers.initializers import torch_default
from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.broadcast_channels import along_channels


class TemporalAdapter(nn.Module):
  """Convolution of every patch along time, between two narrow projections.

  out = up(convolution(down(patches))), zero for the class token, and zero at
  first for all: the convolution starts at zero, so that a tower with adapters
  starts as the tower. There is no activation. Usually the tower is frozen and
  only the adapters and the head are trained.

  Attributes:
    width: Inner width; half of D by default, as the 384 channels of the paper
      are of ViT-B.
    taps: Frames seen, K; odd.
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: Pan et al. 2022, https://arxiv.org/abs/2206.13559, section 3.2; class
    `Adapter` in models_adapter.py of linziyi96/st-adapter, with its kernel of
    3 x 1 x 1. Yang et al. 2023, https://arxiv.org/abs/2302.03024, adapt a
    frozen tower to video in the same spirit.
  """

  width: int | None = None
  taps: int = 3
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps tokens (B, T, N, D), class token first, to a branch; aux is empty.

    Raises:
      ValueError: If `x` is not floating point of rank 4, the inner width is
        below 1, or the taps are even.
    """
    del train
    shape_checks.tokens(x)
    width = x.shape[-1] // 2 if self.width is None else self.width
    shape_checks.whole(1, width=width)
    shape_checks.odd("taps", self.taps)
    settings = {"kernel_init": torch_default(), "dtype": self.dtype or x.dtype}
    dense = functools.partial(nn.Dense, **settings)
    patches = dense(width, name="down")(x[:, :, 1:])  # (B, T, P, width)
    patches = _Convolution(self.taps, name="convolution")(patches)
    out = dense(x.shape[-1], name="up")(patches)
    return jnp.pad(out, ((0, 0), (0, 0), (1, 0), (0, 0))), {}


class _Convolution(nn.Module):
  """Depthwise convolution along time, with bias; both start at zero.

  Attributes:
    taps: Frames seen, K.
  """

  taps: int

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (B, T, ..., C) to the same shape."""
    zeros, channels = nn.initializers.zeros, x.shape[-1]
    kernel = self.param("kernel", zeros, (self.taps, channels), jnp.float32)
    bias = self.param("bias", zeros, (channels,), jnp.float32)
    out = ops.depthwise_temporal_convolution(x, kernel)
    return out + along_channels(bias, out)


OPERATORS = {
  "adapter": {"attention_branch": TemporalAdapter},
  "adapters": {"attention_branch": TemporalAdapter, "mlp_branch": TemporalAdapter},
}
