"""Learnable alignment of neighbouring frames (ILA)."""

import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers.ila.interaction import PairInteraction, PointPrediction
from temporal_jax.layers.initializers import torch_default
from temporal_jax.layers.layer_norm import LayerNorm
from temporal_jax.layers.temporal_convolution import TemporalConv
from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.join_axes import join_axes


class PairAlignment(nn.Module):
  """Aligns frames with their neighbours, pair by pair.

  Attributes:
    features: Channels kept for each frame of a pair.
    kind: Way of mixing the channels of a pair, see `PairInteraction`.
    grid: Rows and columns of patches, (H, W); a square by default.
    disturbance: Offset of the disturbed mask centres, in half frames, see
      `ops.alignment_mask`; 0 for none.
    dtype: Dtype of the computation; points and masks are float32.

  Source: Tu et al. 2023, https://arxiv.org/abs/2304.10465; class `ILA` in
    models/align.py of Francis-Rings/ILA.
  """

  features: int = 128
  kind: str = "separable"
  grid: tuple[int, int] | None = None
  disturbance: float | jax.Array = 0.0
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(
    self,
    x: jax.Array,
    y: jax.Array,
    class_token: jax.Array,
    train: bool = False,
  ) -> tuple[tuple[jax.Array, jax.Array], dict]:
    """Aligns P + 1 frames, of which pair p holds p and p + 1.

    Args:
      x: Tokens of each pair's first frame (B, P, N, D), class token first.
      y: Tokens of each pair's second frame, like `x`.
      class_token: Class token of every frame (B, P + 1, 1, D), put before the
        interactive features.
      train: Whether BatchNorm trains.

    Returns:
      Aligned frames and interactive features, (B, P + 1, N, D) each, and aux:
      "pairs" (B, P, 2, D), the masked patches of each frame summed, "masks"
      (B, P, 2, H, W) and "points" (B, P, 2, 2), x before y in [-1, 1].

    Raises:
      ValueError: If the patches are no grid of at least 4 x 4.
    """
    x, y, class_token = (v.astype(self.dtype) for v in (x, y, class_token))
    rows, columns = self._grid(x)
    maps = (*x.shape[:2], rows, columns, x.shape[-1])
    # (B, P, H, W, D) each
    pairs = [frames[:, :, 1:].reshape(maps) for frames in (x, y)]
    shared = PairInteraction(
      2 * self.features, self.kind, dtype=self.dtype, name="interaction"
    )(jnp.concatenate(pairs, axis=-1), train)
    predict = PointPrediction(self.features, dtype=self.dtype, name="prediction")
    points = predict(shared, train)
    masks = ops.alignment_mask(
      points, size=(rows, columns), disturbance=self.disturbance
    )
    aligned, pooled = ops.align_frames(x, y, masks)
    interactive = self._interactive(shared, class_token)
    aux = {"pairs": pooled, "masks": masks, "points": points}
    return (aligned, interactive), aux

  def _grid(self, x: jax.Array) -> tuple[int, int]:
    """Returns rows and columns of the patches of tokens `x`."""
    patches = x.shape[2] - 1
    rows, columns = self.grid or (math.isqrt(max(patches, 0)),) * 2
    if rows * columns != patches:
      raise ValueError(
        f"tokens {x.shape} must be a class token and a "
        f"{self.grid or 'square'} grid of patches."
      )
    return rows, columns

  def _interactive(self, shared: jax.Array, class_token: jax.Array) -> jax.Array:
    """Turns the features of pairs into tokens of frames (B, P + 1, N, D)."""
    width = class_token.shape[-1]
    x = ops.merge_pairs(*jnp.split(shared, 2, axis=-1))
    x = TemporalConv(
      self.features,
      kernel_init=torch_default(),
      dtype=self.dtype,
      name="temporal",
    )(x)
    x = nn.Dense(width, kernel_init=torch_default(), dtype=self.dtype, name="expand")(
      join_axes(x, 2, -1)
    )
    return jnp.concatenate([class_token, x], axis=2)


class LearnableAlignment(nn.Module):
  """Residual branch of aligned content of neighbouring frames (ILA).

  The branch is the sum of two learned sources: the frame under the masks of its
  pairs, and the interactive features of the pairs. Both are zero at the start.
  Fits the slot `attention_branch`. The loss belongs to the training objective:
  the reference adds the losses of all blocks, each with weight 1.

  A clip of one frame has no pair; it counts as a still clip of two.

  Attributes:
    kind: "separable" (Kinetics), "dense" (Something-Something) or "deep" (the
      paper's for Something-Something), see `PairInteraction`.
    features: Channels kept for each frame of a pair.
    grid: Rows and columns of patches, (H, W); a square by default.
    disturbance: Offset of the disturbed mask centres, in half frames, see
      `ops.alignment_mask`; it may be traced, so that a schedule needs no new
      compilation.
    disturbed: Whether masks are disturbed; by default in training only.
    dtype: Dtype of the computation, by default the dtype of `x`; points, masks
      and loss are float32.

  Source: Tu et al. 2023, https://arxiv.org/abs/2304.10465; the first half of
    class `MultiAxisAttentionBlock` in models/mat.py of Francis-Rings/ILA. As
    there, the keys and values of the block's attention get no further token.
  """

  kind: str = "separable"
  features: int = 128
  grid: tuple[int, int] | None = None
  disturbance: float | jax.Array = 0.2
  disturbed: bool | None = None
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps tokens (B, T, N, D), class token first, to the branch, and aux.

    aux holds "alignment_loss", a scalar; "masks" (B, T - 1, 2, H, W) and
    "points" (B, T - 1, 2, 2) of the first and second frame of each pair, x
    before y in [-1, 1].

    Raises:
      ValueError: If `x` is not floating point of rank 4, or its patches are no
        grid of at least 4 x 4.
    """
    shape_checks.tokens(x)
    dtype, width = self.dtype or x.dtype, x.shape[-1]
    disturbed = train if self.disturbed is None else self.disturbed
    message = nn.Dense(width, kernel_init=torch_default(), dtype=dtype, name="message")(
      x
    )
    message = LayerNorm(dtype=dtype, name="message_norm")(message)
    still = x.shape[1] == 1
    if still:
      message = jnp.concatenate([message, message], axis=1)
    (aligned, interactive), aux = PairAlignment(
      self.features,
      self.kind,
      self.grid,
      self.disturbance if disturbed else 0.0,
      dtype=dtype,
      name="pairs",
    )(message[:, :-1], message[:, 1:], message[:, :, :1], train)
    branch = self._source("from_aligned", dtype, aligned)
    branch += self._source("from_interactive", dtype, interactive)
    if still:
      branch = jnp.mean(branch, axis=1, keepdims=True)
    first, second = jnp.split(aux.pop("pairs"), 2, axis=2)
    return branch, {"alignment_loss": ops.alignment_loss(first, second), **aux}

  def _source(self, name: str, dtype: jax.typing.DTypeLike, x: jax.Array) -> jax.Array:
    """Returns a dense layer of `x` that starts at zero."""
    zeros = nn.initializers.zeros
    return nn.Dense(x.shape[-1], kernel_init=zeros, dtype=dtype, name=name)(x)


OPERATORS = {
  "alignment": {"attention_branch": LearnableAlignment},
  "alignment_dense": {
    "attention_branch": functools.partial(LearnableAlignment, kind="dense")
  },
}
