"""Temporal modeling with arithmetic between frames (ATM)."""

import math
from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers.atm.domain_transformation import DomainTransformation
from temporal_jax.layers.atm.window_encoder import WINDOWS, WindowEncoder
from temporal_jax.layers.conv_norm_relu import ConvNormRelu
from temporal_jax.layers.initializers import torch_default
from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.join_axes import join_axes
from temporal_jax.validation import check_choice

OPERATIONS = ("correlation", "difference", "sum", "log_ratio", "context")
COMBINATIONS = ("atm", "cascade", "parallel")


class ArithmeticCue(nn.Module):
  """Residual branch that compares neighbouring frames by one operation.

  Channels are reduced, every frame is combined with the frames around it, and
  a `DomainTransformation`, which starts at zero, brings the cues back.

  Attributes:
    operation: "correlation" (`ops.temporal_correlation`, then a
      `WindowEncoder`), or a kind of `ops.arithmetic_cue`.
    length: Context frames, L; odd.
    window: Side of the window of the correlation, 9 or 11 pixels.
    hidden: Channels in which frames are combined.
    stride: 2 combines them at half the resolution; the branch is then zero at
      odd rows and columns.
    output_init: Initialiser of the last kernel.
    dtype: Dtype of the computation.

  Source: Wu et al. 2023, https://arxiv.org/abs/2307.08908; classes `SimBlock`,
    `DiffBlock`, `IntegrationBlock` and `DivBlock` in modules/ATM.py of
    whwu95/ATM, without their residual and its ReLU.
  """

  operation: str
  length: int = 5
  window: int = 9
  hidden: int = 64
  stride: int = 1
  output_init: nn.initializers.Initializer = nn.initializers.zeros
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps (B, T, H, W, C) to a branch of the same shape.

    Raises:
      ValueError: If `operation` is unknown, or a size is not as above.
    """
    check_choice("operation", self.operation, OPERATIONS)
    shape_checks.video(x)
    reduce = ConvNormRelu(
      self.hidden, stride=self.stride, dtype=self.dtype, name="reduce"
    )
    cue = self._combine(reduce(x, train), train)
    out = DomainTransformation(
      x.shape[-1],
      output_init=self.output_init,
      dtype=self.dtype,
      name="transformation",
    )(cue, train)
    return _spread(out, self.stride, x.shape[2:4])

  def _combine(self, x: jax.Array, train: bool) -> jax.Array:
    """Returns the cues (B, T, L, H, W, C)."""
    if self.operation != "correlation":
      return ops.arithmetic_cue(x, kind=self.operation, length=self.length)
    check_choice("window", self.window, WINDOWS)  # Others may fill the memory.
    windows = ops.temporal_correlation(x, length=self.length, window=self.window)
    encode = WindowEncoder(dtype=self.dtype, name="encoder")
    return jnp.moveaxis(encode(windows, train), -2, 2)  # (B, T, L, H, W, C)


class ArithmeticModeling(nn.Module):
  """Adds cues of arithmetic between frames to the features (ATM).

  With the branches d1, d2, ... of `ArithmeticCue`, one per operation, x becomes

  atm: relu(y + d2(y)) with y = relu(x + d1(x)), and so on: every operation
    starts at the features and returns to them. The released code does this.
  cascade: relu(x + d2(d1(x))): cues of cues, of which the last return.
  parallel: relu(x + d1(x) + d2(x)): all see the same features.

  The paper only draws the three; cascade and parallel are our reading of their
  names. A fresh module maps x to relu(x), not to x.

  Attributes:
    operations: Operations of `ArithmeticCue`, each at most once.
    combination: "atm", "cascade" or "parallel", see above.
    length: Context frames, L; odd.
    window: Side of the window of the correlation, 9 or 11 pixels.
    hidden: Channels in which frames are combined.
    stride: 1, or 2 to combine them at half the resolution.
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: Wu et al. 2023, https://arxiv.org/abs/2307.08908, figure A.1; class
    `ATMBlock` in modules/ATM.py of whwu95/ATM.
  """

  operations: Sequence[str] = ("correlation", "difference")
  combination: str = "atm"
  length: int = 5
  window: int = 9
  hidden: int = 64
  stride: int = 1
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps maps (B, T, H, W, C), or tokens, to the same shape; aux is empty.

    Tokens (B, T, N, D) are a class token, which passes unchanged, and a square
    of patches.

    Raises:
      ValueError: If `x` is neither, or the combination or an operation is
        unknown, missing or doubled.
    """
    check_choice("combination", self.combination, COMBINATIONS)
    if not self.operations or len(set(self.operations)) < len(self.operations):
      raise ValueError(
        f"operations must be some of {OPERATIONS}, each once, got {self.operations}."
      )
    x = x.astype(self.dtype or x.dtype)
    if x.ndim != 4:
      return self._combine(x, train), {}
    maps = self._combine(_patch_map(x), train)
    patches = join_axes(maps, 2, -1)
    return jnp.concatenate([x[:, :, :1], patches], axis=2), {}

  def _combine(self, x: jax.Array, train: bool) -> jax.Array:
    """Adds the branches to maps (B, T, H, W, C)."""
    if self.combination == "parallel":
      branches = [self._cue(name, x)(x, train) for name in self.operations]
      return nn.relu(x + sum(branches))
    if self.combination == "cascade":
      *inner, last = self.operations
      branch = x
      for name in inner:
        # At zero, nothing after it would ever learn.
        cue = self._cue(name, x, output_init=torch_default())
        branch = cue(branch, train)
      return nn.relu(x + self._cue(last, x)(branch, train))
    for name in self.operations:
      x = nn.relu(x + self._cue(name, x)(x, train))
    return x

  def _cue(self, operation: str, x: jax.Array, **kwargs) -> ArithmeticCue:
    return ArithmeticCue(
      operation,
      length=self.length,
      window=self.window,
      hidden=self.hidden,
      stride=self.stride,
      dtype=x.dtype,
      name=operation,
      **kwargs,
    )


def _spread(x: jax.Array, stride: int, size: tuple[int, int]) -> jax.Array:
  """Puts maps on every stride-th row and column of larger ones of zeros."""
  margins = [(0, 0, 0)] * x.ndim
  for axis, side in zip((-3, -2), size, strict=True):
    margins[axis] = (0, side - 1 - stride * (x.shape[axis] - 1), stride - 1)
  return jax.lax.pad(x, jnp.zeros((), x.dtype), margins)


def _patch_map(x: jax.Array) -> jax.Array:
  """Returns the patches of tokens (B, T, N, D) as a map (B, T, H, W, D)."""
  shape_checks.tokens(x)
  side = math.isqrt(max(x.shape[2] - 1, 0))
  if side == 0 or side**2 != x.shape[2] - 1:
    raise ValueError(
      f"x must hold a class token and a square grid of patches, got {x.shape}."
    )
  return x[:, :, 1:].reshape(*x.shape[:2], side, side, x.shape[-1])  # (B, T, H, W, D)
