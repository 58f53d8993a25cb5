"""Features of neighbouring frames, and prediction of the masks' centres."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers.batch_norm import BatchNorm
from temporal_jax.layers.convolution import Conv2D, DepthwiseConv2D
from temporal_jax.layers.initializers import torch_default, torch_depthwise_default
from temporal_jax.ops.lowering.accumulation_dtype import widen
from temporal_jax.validation import check_choice

# Ways of mixing a pair's channels, in the first convolution of
# `PairInteraction`.
KINDS = ("separable", "dense", "deep")


class PairInteraction(nn.Module):
  """Convolves the concatenated maps of two frames into features.

  Attributes:
    features: Output channels.
    kind: "separable" starts with a depthwise 3 x 3 and a 1 x 1 convolution
      (Kinetics), "dense" with one full 3 x 3 convolution (Something-Something);
      a full 3 x 3 convolution follows, and each has BatchNorm and ReLU. "deep"
      is "separable" and then two more full 3 x 3 convolutions.
    dtype: Dtype of the computation.

  Source: Tu et al. 2023, https://arxiv.org/abs/2304.10465; `interactive_block`
    of class `ILA` in models/align.py of Francis-Rings/ILA. For
    Something-Something the code replaces the separable one, "dense"; the
    paper's supplement adds two convolutions instead, "deep".
  """

  features: int = 256
  kind: str = "separable"
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps (B, P, H, W, C) to (B, P, H, W, features).

    Raises:
      ValueError: If `kind` is unknown.
    """
    check_choice("kind", self.kind, KINDS)
    size = 3
    if self.kind != "dense":
      x = DepthwiseConv2D(
        3, kernel_init=torch_depthwise_default(), dtype=self.dtype, name="depthwise"
      )(x)
      x = self._activate("depthwise_norm", x, train)
      size = 1
    for i, side in enumerate((size, 3, 3, 3) if self.kind == "deep" else (size, 3), 1):
      x = self._activate(f"norm{i}", self._conv(f"conv{i}", side)(x), train)
    return x

  def _conv(self, name: str, size: int) -> Conv2D:
    return Conv2D(
      self.features,
      size,
      use_bias=True,
      kernel_init=torch_default(),
      dtype=self.dtype,
      name=name,
    )

  def _activate(self, name: str, x: jax.Array, train: bool) -> jax.Array:
    return nn.relu(BatchNorm(dtype=self.dtype, name=name)(x, train))


class PointPrediction(nn.Module):
  """Predicts the centre of each frame's mask from a pair's features.

  Starts at the middle of both frames.

  Attributes:
    features: Channels of the convolutions; half of them in the first of the
      two pointwise layers, which treat the two frames as two groups.
    reach: Largest distance of a centre from the middle, in half frames.
    dtype: Dtype of the computation; points are float32 at least.

  Source: Tu et al. 2023, https://arxiv.org/abs/2304.10465; `prediction_block`
    of class `ILA` in models/align.py of Francis-Rings/ILA.
  """

  features: int = 128
  reach: float = 0.75
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps (B, P, H, W, C) to points (B, P, 2, 2): frame, then (x, y).

    Raises:
      ValueError: If the map is smaller than 4 x 4: it is halved twice.
    """
    if min(x.shape[2:4]) < 4:
      raise ValueError(
        f"alignment needs at least 4 x 4 patches, since it halves them twice; "
        f"got {x.shape[2]} x {x.shape[3]}."
      )
    for i in (1, 2):
      conv = Conv2D(
        self.features,
        3,
        use_bias=True,
        kernel_init=torch_default(),
        dtype=self.dtype,
        name=f"conv{i}",
      )
      x = BatchNorm(dtype=self.dtype, name=f"norm{i}")(conv(x), train)
      x = nn.relu(ops.max_pool_2d(x, size=2, stride=2))
    x = x.max(axis=(2, 3))
    # One group of channels per frame.
    x = x.reshape(*x.shape[:2], 2, x.shape[-1] // 2)
    hidden = _GroupedDense(self.features // 4, dtype=self.dtype, name="hidden")
    x = nn.relu(hidden(x))
    x = _GroupedDense(
      2, kernel_init=nn.initializers.zeros, dtype=self.dtype, name="points"
    )(x)
    return self.reach * jnp.tanh(widen(x))


class _GroupedDense(nn.Module):
  """A dense layer for each group of channels.

  Attributes:
    features: Output channels of a group.
    kernel_init: Initialiser of the kernel (groups, C, features).
    dtype: Dtype of the computation; the parameters stay float32.
  """

  features: int
  kernel_init: nn.initializers.Initializer = torch_default(batch_axis=(0,))
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (..., groups, C) to (..., groups, features)."""
    groups, channels = x.shape[-2:]
    shape = (groups, channels, self.features)
    kernel = self.param("kernel", self.kernel_init, shape, jnp.float32)
    bias = self.param(
      "bias", nn.initializers.zeros, (groups, self.features), jnp.float32
    )
    x = x.astype(self.dtype)
    out = jnp.einsum("...gi,gio->...go", x, kernel.astype(x.dtype))
    lead = (1,) * (x.ndim - 2)
    # (1, ..., 1, groups, features)
    return out + bias.astype(x.dtype).reshape(*lead, *bias.shape)
