"""A transformer block over positions, which may halve their number."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import layers, ops
from temporal_jax.layers.initializers import torch_default
from temporal_jax.localization.networks.local_attention import local_attention
from temporal_jax.ops.lowering.materialize import written_out
from temporal_jax.ops.temporal_convolution import neighbours

_FIRST_SCALE = 1e-4  # A branch's first scale: blocks begin as the identity.


class ActionFormerBlock(nn.Module):
  """Attention and a perceptron, each with a scale and stochastic depth.

  Attributes:
    num_heads: Heads, M; they share the width evenly.
    window: Positions that a position looks at, odd; None for all.
    stride: Step over positions, 1 or even.
    drop_path: Probability that a branch is dropped for a sequence.
    dropout: Rate after the projections of attention and perceptron.
    relative_bias: Whether scores have a learned bias for each place in the
      window; only with a window.
    dtype: Dtype of the computation.

  Source: Zhang et al. 2022, https://arxiv.org/abs/2202.07925, section 3.2;
    class `TransformerBlock` in libs/modeling/blocks.py of
    happyharrycn/actionformer_release.
  """

  num_heads: int = 4
  window: int | None = None
  stride: int = 1
  drop_path: float = 0.1
  dropout: float = 0.0
  relative_bias: bool = False
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(
    self, x: jax.Array, mask: jax.Array, train: bool = False
  ) -> tuple[jax.Array, jax.Array]:
    """Maps sequences.

    Args:
      x: Features (B, T, C).
      mask: Positions that hold features, bool (B, T).
      train: Whether branches and values are dropped; takes the "dropout" rng.

    Returns:
      Features (B, T / stride, C) and their mask; features are zero where it is
      False.

    Raises:
      ValueError: If the stride does not divide T, or the heads C.
    """
    if x.shape[1] % self.stride or (self.stride % 2 and self.stride > 1):
      raise ValueError(
        f"stride {self.stride} must be 1, or even and a divisor of the "
        f"{x.shape[1]} positions."
      )
    x = x.astype(self.dtype)
    x = written_out(x) if train else x
    branch = layers.LayerNorm(dtype=self.dtype, name="norm1")(x)
    branch = _ConvAttention(
      num_heads=self.num_heads,
      window=self.window,
      stride=self.stride,
      dropout=self.dropout,
      relative_bias=self.relative_bias,
      dtype=self.dtype,
      name="attention",
    )(branch, mask, train)
    mask = mask[:, :: self.stride]
    held = mask[:, :, None].astype(x.dtype)
    x = _pool(x, self.stride) * held + self._scaled(branch, "attention_scale", train)
    x = written_out(x) if train else x
    branch = layers.LayerNorm(dtype=self.dtype, name="norm2")(x)
    mlp = layers.Mlp(
      4 * x.shape[-1],
      dropout=self.dropout,
      kernel_init=torch_default(),
      dtype=self.dtype,
      name="mlp",
    )
    branch = mlp(branch, train) * held
    return x + self._scaled(branch, "mlp_scale", train), mask

  def _scaled(self, branch: jax.Array, name: str, train: bool) -> jax.Array:
    """Scales each channel, in training and out of it, and drops the branch."""
    branch = layers.LayerScale(_FIRST_SCALE, name=name)(branch)
    return layers.DropPath(self.drop_path)(branch, train)


class _ConvAttention(nn.Module):
  """Attention whose queries, keys and values are convolved before.

  Attributes:
    num_heads: Number of attention heads.
    window: Positions that a position looks at; None for all.
    stride: Step over positions.
    dropout: Rate after the projection.
    relative_bias: Whether scores have a learned bias for each place.
    dtype: Dtype of the computation.
  """

  num_heads: int
  window: int | None
  stride: int
  dropout: float
  relative_bias: bool
  dtype: jax.typing.DTypeLike

  @nn.compact
  def __call__(self, x: jax.Array, mask: jax.Array, train: bool) -> jax.Array:
    """Maps (B, T, C) to (B, T / stride, C), zero outside of the mask."""
    width = x.shape[-1]
    if width % self.num_heads:
      raise ValueError(f"{self.num_heads} heads do not divide {x.shape}.")
    mask = mask[:, :: self.stride]
    held = mask[:, :, None].astype(self.dtype)
    heads = (self.num_heads, width // self.num_heads)
    q, k, v = (
      self._project(x, held, name).reshape(*mask.shape, *heads)
      for name in ("query", "key", "value")
    )
    if self.window is None:
      # A sequence without features looks at all; its results are masked.
      seen = mask | ~mask.any(axis=1, keepdims=True)
      x = ops.attention(q, k, v, mask=seen[:, None, None, :])
    else:
      x = local_attention(q, k, v, mask, window=self.window, bias=self._bias(width))
    x = _dense(width, "out", self.dtype)(x.reshape(*mask.shape, width))
    return nn.Dropout(self.dropout, deterministic=not train)(x) * held

  def _project(self, x: jax.Array, held: jax.Array, name: str) -> jax.Array:
    """Convolves each channel, normalises and projects: (B, T / stride, C)."""
    taps = self.stride + 1 if self.stride > 1 else 3
    init = nn.initializers.variance_scaling(
      1 / 3, "fan_in", "uniform", in_axis=(), out_axis=(), batch_axis=(1,)
    )
    kernel = self.param(f"{name}_taps", init, (taps, x.shape[-1]), jnp.float32)
    x = ops.depthwise_temporal_convolution(
      x.astype(self.dtype), kernel, stride=self.stride
    )
    x = layers.LayerNorm(dtype=self.dtype, name=f"{name}_norm")(x * held)
    return _dense(x.shape[-1], name, self.dtype)(x)

  def _bias(self, width: int) -> jax.Array | None:
    """Returns the bias of each head for each place in the window."""
    if not self.relative_bias:
      return None
    init = nn.initializers.truncated_normal((2 / width) ** 0.5)
    shape = (self.num_heads, self.window)
    return self.param("relative_bias", init, shape, jnp.float32)


def _pool(x: jax.Array, stride: int) -> jax.Array:
  """Takes the maximum of stride + 1 positions, stride by stride."""
  if stride == 1:
    return x
  first, *others = neighbours(x, stride + 1, stride=stride, outside=-jnp.inf)
  for view in others:
    first = jnp.maximum(first, view)
  return first


def _dense(features: int, name: str, dtype: jax.typing.DTypeLike) -> nn.Dense:
  return nn.Dense(features, kernel_init=torch_default(), dtype=dtype, name=name)
