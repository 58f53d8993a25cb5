"""Temporal pooling with a norm of its own."""

from collections.abc import Callable

import flax.linen as nn
import jax

from temporal_jax import ops
from temporal_jax.layers.batch_norm import BatchNorm
from temporal_jax.layers.layer_norm import LayerNorm
from temporal_jax.validation import check_choice

NORMS = ("batch", "layer")


class StridedTemporalPooling(nn.Module):
  """Pools along time and normalises, nothing at first.

  Added beside a convolution's own norm it lets every frame see its neighbours.
  Scale and bias of its norm start at zero, so that it adds nothing then.

  Attributes:
    size: Frames of the window, odd.
    stride: Frames from one window to the next.
    kind: "average", "max" or "mix", see `ops.temporal_pooling`.
    norm: "batch" (epsilon 1e-5) or "layer" (epsilon 1e-6); by default that of
      the backbone, and without one "batch".
    dtype: Dtype of the computation, that of `x` by default.

  Source: as `ops.temporal_pooling`; for the layer norm class
    `TAdaConvNeXtV2Block` in module_zoo/branches/tadaconvnextv2.py of the same
    repository.
  """

  size: int = 3
  stride: int = 1
  kind: str = "average"
  norm: str | None = None
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, ..., C) to (B, ceil(T / stride), ..., C); aux is empty.

    Raises:
      ValueError: If `norm` is unknown, or as `ops.temporal_pooling`.
    """
    norm = self.norm or "batch"
    check_choice("norm", norm, NORMS)
    x = x.astype(self.dtype or x.dtype)
    pooled = ops.temporal_pooling(x, size=self.size, stride=self.stride, kind=self.kind)
    zeros = nn.initializers.zeros
    if norm == "batch":
      norm = BatchNorm(scale_init=zeros, dtype=x.dtype, name="norm")
      return norm(pooled, train), {}
    norm = LayerNorm(epsilon=1e-6, scale_init=zeros, dtype=x.dtype, name="norm")
    return norm(pooled), {}


class AggregatedConv(nn.Module):
  """A convolution, then norm(y) + norm'(pooling along time of y).

  Attributes:
    convolution: Makes the convolution, (name) -> module
      (x, train) -> (y, aux).
    size: Frames pooled, odd.
    dtype: Dtype of the computation, that of `x` by default.

  Source: Huang et al. 2023, https://arxiv.org/abs/2308.05787, equation 8
    without its ReLU; class `TAdaConv2dV2` in module_zoo/ops/tadaconv_v2.py of
    alibaba-mmai-research/TAdaConv.
  """

  convolution: Callable[..., nn.Module]
  size: int = 3
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to what the convolution does; aux is its."""
    x = x.astype(self.dtype or x.dtype)
    y, aux = self.convolution(name="convolution")(x, train=train)
    pooling = StridedTemporalPooling(self.size, name="pooling")
    pooled, _ = pooling(y, train=train)
    norm = BatchNorm(dtype=y.dtype, name="norm")
    return norm(y, train) + pooled, aux
