"""Tokens of a clip: patches or tubelets, with positions and class tokens."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers import PatchEmbedding
from temporal_jax.models.blocks import positions
from temporal_jax.validation import check_choice

POOLINGS = ("class", "mean")


class TokenEmbedding(nn.Module):
  """Embeds the patches of every frame, or of tubelets.

  Attributes:
    width: Channels of a token, D.
    patch_size: Side of a patch, in pixels.
    patch_bias: Whether the patch embedding has a bias.
    tubelet: See `positions.tubelet_padding`.
    has_class_token: Whether every frame has a class token.
    shared_class_token: Whether it is a copy of the clip's.
    kind: Kind of the positions, in `positions.KINDS`; see `VisionTransformer`.
    grid: Rows and columns of the learned positions.
    num_temporal_positions: Frames, or tubelets, with a learned position.
    longer_clips: See `positions.fit_frames`.
    dtype: Dtype of the computation.

  Source: Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929, equation 1;
    with a shared class token, which is at no frame, class `VisionTransformer`
    in timesformer/models/vit.py of facebookresearch/TimeSformer; with sines
    class `VisionTransformer` in modeling_finetune.py of MCG-NJU/VideoMAE; with
    positions for a clip class `ViViT` in scenic/projects/vivit/model.py of
    google-research/scenic.
  """

  width: int
  patch_size: int
  patch_bias: bool = True
  tubelet: tuple[int, int] = (1, 1)
  has_class_token: bool = True
  shared_class_token: bool = False
  kind: str = "learned"
  grid: int = 14
  num_temporal_positions: int = 0
  longer_clips: str = "interpolate"
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, clip: jax.Array) -> tuple[jax.Array, tuple[int, int]]:
    """Maps a clip (B, T, H, W, C) to tokens, and the grid of its patches.

    Returns:
      Tokens (B, T', N, D), class token first if there is one, with their
      positions, and rows and columns of patches.
    """
    frames, stride = self.tubelet
    patches = PatchEmbedding(
      self.width,
      self.patch_size,
      tubelet=frames,
      temporal_stride=stride,
      temporal_padding=positions.tubelet_padding(self.tubelet),
      use_bias=self.patch_bias,
      dtype=self.dtype,
      name="patch_embedding",
    )(clip)
    batch, num_frames, rows, columns, width = patches.shape
    # (B, T', H W, D)
    patches = patches.reshape(batch, num_frames, rows * columns, width)
    first, places = self._places((num_frames, rows, columns))
    patches = patches + self._cast(places)
    token = None
    if self.has_class_token:
      token = self.param("class_token", _normal(), (width,))
      token = self._cast(token.reshape(1, 1, width)) + self._cast(first)
      token = jnp.broadcast_to(token, (batch, num_frames, 1, width))
    if self.num_temporal_positions and self.kind == "learned":
      moments = self._cast(self._moments(num_frames))
      patches = patches + moments
      if token is not None and not self.shared_class_token:
        token = token + moments
    x = patches if token is None else jnp.concatenate([token, patches], axis=2)
    return x, (rows, columns)

  def _cast(self, values: jax.Array) -> jax.Array:
    """Returns positions (T, N, D) for clips, (1, T, N, D)."""
    return values.astype(self.dtype)[None]

  def _places(self, size: tuple[int, int, int]) -> tuple[jax.Array | None, jax.Array]:
    """Returns positions of class token, (1, 1, D), and patches, (T, N, D).

    T is 1 where they are the same in all frames.

    Args:
      size: Frames, rows and columns of patches.
    """
    frames, rows, columns = size
    if self.kind == "sine":
      table = jnp.asarray(positions.sines(frames * rows * columns, self.width))
      return jnp.zeros((1, 1, self.width)), table.reshape(frames, -1, self.width)
    made_for = (self.num_temporal_positions if self.kind == "clip" else 1), self.grid
    own = int(self.has_class_token)
    shape = (own + made_for[0] * self.grid**2, self.width)
    table = self.param("position_embedding", _normal(), shape)
    size = (frames if self.kind == "clip" else 1), rows, columns
    patches = positions.fit_clip(table[own:], made_for, size, self.longer_clips)
    return (table[None, :1] if own else None), patches

  def _moments(self, num_frames: int) -> jax.Array:
    """Returns the learned positions of the frames, (T, 1, D)."""
    shape = (self.num_temporal_positions, self.width)
    moments = self.param("temporal_embedding", nn.initializers.zeros, shape)
    return positions.fit_frames(moments, num_frames, self.longer_clips)[:, None]


def _normal() -> nn.initializers.Initializer:
  return nn.initializers.truncated_normal(0.02)


def check(network: Any) -> None:
  """Raises ValueError unless arguments of a network's tokens fit.

  Args:
    network: A `VisionTransformer`.
  """
  check_choice("positions", network.positions, positions.KINDS)
  check_choice("pooling", network.pooling, POOLINGS)
  moments = network.num_temporal_positions
  if (network.positions == "clip" and not moments) or (
    network.positions == "sine" and moments
  ):
    needed = "positive" if network.positions == "clip" else "0"
    raise ValueError(
      f"positions {network.positions!r} need num_temporal_positions to be {needed}, "
      f"got {moments}."
    )
  if network.has_class_token:
    return
  if network.pooling == "class" or network.shared_class_token:
    raise ValueError(
      "has_class_token is False: pooling must be 'mean' and shared_class_token "
      f"False, got {network.pooling!r} and {network.shared_class_token}."
    )
