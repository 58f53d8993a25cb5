"""Temporal pooling of a convolution's output, and how the two join."""

import functools
from collections.abc import Callable

import flax.linen as nn
import jax

from temporal_jax import ops
from temporal_jax.layers.batch_norm import BatchNorm
from temporal_jax.layers.layer_norm import LayerNorm
from temporal_jax.validation import check_choice

NORMS = ("batch", "layer")
# Ways of joining a convolution's output with its pooled output.
SHORTCUTS = ("own_norm", "shared_norm", "none")


class StridedTemporalPooling(nn.Module):
  """Pools a convolution's output along time, for every frame to see others.

  With y the convolution's output, `normalised` makes of both

  own_norm: norm(y) + norm'(pooling of y), the paper's equation 8. Scale and
    bias of norm', which is in here, start at zero, so that it adds nothing
    then.
  shared_norm: norm(y + pooling of y).
  none: norm(pooling of y), without a shortcut.

  The paper and the released code have the first; the others are in table 3e.

  Attributes:
    size: Frames of the window, odd.
    stride: Frames from one window to the next.
    kind: "average", "max" or "mix", see `ops.temporal_pooling`; only "average"
      without a norm of its own.
    space: Side of the window over H and W, in pixels; odd.
    shortcut: One of `SHORTCUTS`, see above.
    norm: "batch" (epsilon 1e-5) or "layer" (epsilon 1e-6), if there is one; by
      default the backbone's, and without one "batch".
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: as `ops.temporal_pooling`; for the layer norm class
    `TAdaConvNeXtV2Block` in module_zoo/branches/tadaconvnextv2.py of the same
    repository.
  """

  size: int = 3
  stride: int = 1
  kind: str = "average"
  space: int = 1
  shortcut: str = "own_norm"
  norm: str | None = None
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, ..., C) to (B, ceil(T / stride), ..., C); aux is empty.

    Raises:
      ValueError: If `norm` or `shortcut` is unknown, another kind than
        "average" has no norm of its own, or as `ops.temporal_pooling`.
    """
    norm = self.norm or "batch"
    check_choice("norm", norm, NORMS)
    check_choice("shortcut", self.shortcut, SHORTCUTS)
    own_norm = self.shortcut == "own_norm"
    if not own_norm and self.kind != "average":
      # `models.fold_batch_norm` scales the input, by negative factors too.
      raise ValueError(
        f"kind {self.kind!r} needs shortcut 'own_norm', got {self.shortcut!r}."
      )
    x = x.astype(self.dtype or x.dtype)
    pooled = ops.temporal_pooling(
      x, size=self.size, stride=self.stride, space=self.space, kind=self.kind
    )
    if not own_norm:
      return pooled, {}
    zeros = nn.initializers.zeros
    if norm == "batch":
      norm = BatchNorm(scale_init=zeros, dtype=x.dtype, name="norm")
      return norm(pooled, train), {}
    norm = LayerNorm(epsilon=1e-6, scale_init=zeros, dtype=x.dtype, name="norm")
    return norm(pooled), {}


def normalised(
  x: jax.Array,
  train: bool,
  *,
  norm: Callable[[jax.Array], jax.Array],
  after: Callable[..., nn.Module] | None,
  name: str = "after_convolution",
) -> tuple[jax.Array, dict]:
  """Returns the norm of a convolution's output, joined with `after` of it.

  Must be called in a compact method: the parameters of `after` go under `name`.

  Args:
    x: The output (B, T, ..., C).
    train: Handed to `after`.
    norm: The convolution's norm, in its mode.
    after: Makes a module (x, train) -> (y, aux), such as
      `StridedTemporalPooling`, whose `shortcut` defines how the two join;
      "own_norm" where it has none. None for the norm only.
    name: Name of that module.

  Returns:
    Features (B, T, ..., C), and the further outputs of `after`.
  """
  if after is None:
    return norm(x), {}
  module = after(name=name)
  added, aux = module(x, train=train)
  shortcut = getattr(module, "shortcut", "own_norm")
  if shortcut == "own_norm":
    return norm(x) + added, aux
  return norm(x + added if shortcut == "shared_norm" else added), aux


class AggregatedConv(nn.Module):
  """A convolution, then norm(y) + norm'(pooling along time of y).

  Attributes:
    convolution: Makes the convolution, (name) -> module
      (x, train) -> (y, aux).
    size: Frames pooled, odd.
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: Huang et al. 2023, https://arxiv.org/abs/2308.05787, equation 8
    without its ReLU; class `TAdaConv2dV2` in module_zoo/ops/tadaconv_v2.py of
    alibaba-mmai-research/TAdaConv.
  """

  convolution: Callable[..., nn.Module]
  size: int = 3
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to the convolution's output; aux is its."""
    x = x.astype(self.dtype or x.dtype)
    y, aux = self.convolution(name="convolution")(x, train=train)
    out, _ = normalised(
      y,
      train,
      norm=functools.partial(BatchNorm(dtype=y.dtype, name="norm"), train=train),
      after=functools.partial(StridedTemporalPooling, self.size),
      name="pooling",
    )
    return out, aux
