"""Tokens of a clip: patches or tubelets, with positions and class tokens."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers import PatchEmbedding
from temporal_jax.models.blocks import positions
from temporal_jax.validation import check_choice, check_whole

POOLINGS = ("class", "mean", "class_and_mean", "attention", "attentive")
_NORMAL = nn.initializers.truncated_normal(0.02)


def embed(network: nn.Module, clip: jax.Array) -> tuple[jax.Array, tuple[int, int]]:
  """Maps a clip (B, T, H, W, C) to tokens, and the grid of its patches.

  Must be called in a compact method of the network, whose parameters it makes.

  Args:
    network: A `VisionTransformer`, whose arguments decide.
    clip: Frames in the dtype of the network.

  Returns:
    Tokens (B, T', N, D), class token first if there is one and registers last,
    with their positions, and rows and columns of patches.

  Source: Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929, equation 1;
    with a shared class token, which is at no frame, class `VisionTransformer`
    in timesformer/models/vit.py of facebookresearch/TimeSformer; with sines
    class `VisionTransformer` in modeling_finetune.py of MCG-NJU/VideoMAE; with
    positions for a clip class `ViViT` in scenic/projects/vivit/model.py of
    google-research/scenic; with registers class `DinoVisionTransformer` in
    dinov2/models/vision_transformer.py of facebookresearch/dinov2.
  """
  frames, stride = network.tubelet
  patches = PatchEmbedding(
    network.width,
    network.patch_size,
    tubelet=frames,
    temporal_stride=stride,
    temporal_padding=positions.tubelet_padding(network.tubelet),
    use_bias=network.patch_bias,
    dtype=network.dtype,
    name="patch_embedding",
  )(clip)
  batch, num_frames, rows, columns, width = patches.shape
  # (B, T', H W, D)
  patches = patches.reshape(batch, num_frames, rows * columns, width)

  def cast(values):  # Positions (T, N, D) for clips, (1, T, N, D).
    return values.astype(network.dtype)[None]

  first, places = _places(network, (num_frames, rows, columns))
  patches = patches + cast(places)
  token = None
  if network.has_class_token:
    token = network.param("class_token", _NORMAL, (width,))
    token = cast(token.reshape(1, 1, width)) + cast(first)
    token = jnp.broadcast_to(token, (batch, num_frames, 1, width))
  if network.num_temporal_positions and network.positions == "learned":
    moments = cast(_moments(network, num_frames))
    patches = patches + moments
    if token is not None and not network.shared_class_token:
      token = token + moments
  parts = [patches] if token is None else [token, patches]
  if network.num_registers:
    shape = (network.num_registers, width)
    registers = cast(network.param("registers", _NORMAL, shape)[None])
    parts.append(jnp.broadcast_to(registers, (batch, num_frames, *shape)))
  return jnp.concatenate(parts, axis=2), (rows, columns)


def _places(
  network: nn.Module, size: tuple[int, int, int]
) -> tuple[jax.Array | None, jax.Array]:
  """Returns positions of class token, (1, 1, D), and patches, (T, N, D).

  T is 1 where they are the same in all frames.

  Args:
    network: See `embed`.
    size: Frames, rows and columns of patches.
  """
  frames, rows, columns = size
  width, grid = network.width, network.grid
  if network.positions == "none":
    return jnp.zeros((1, 1, width)), jnp.zeros((1, 1, width))
  if network.positions == "sine":
    table = jnp.asarray(positions.sines(frames * rows * columns, width))
    return jnp.zeros((1, 1, width)), table.reshape(frames, -1, width)
  is_whole = network.positions == "clip"
  made_for = (network.num_temporal_positions if is_whole else 1), grid
  own = int(network.has_class_token)
  shape = (own + made_for[0] * grid**2, width)
  table = network.param("position_embedding", _NORMAL, shape)
  size = (frames if is_whole else 1), rows, columns
  patches = positions.fit_clip(
    table[own:],
    made_for,
    size,
    network.longer_clips,
    antialias=network.antialias,
  )
  return (table[None, :1] if own else None), patches


def _moments(network: nn.Module, num_frames: int) -> jax.Array:
  """Returns the learned positions of the frames, (T, 1, D)."""
  shape = (network.num_temporal_positions, network.width)
  moments = network.param("temporal_embedding", nn.initializers.zeros, shape)
  return positions.fit_frames(moments, num_frames, network.longer_clips)[:, None]


def check(network: nn.Module) -> None:
  """Raises ValueError unless arguments of a network's tokens fit.

  Args:
    network: A `VisionTransformer`.
  """
  check_choice("positions", network.positions, positions.KINDS)
  check_choice("pooling", network.pooling, POOLINGS)
  if network.pooling_heads is not None:
    check_whole("pooling_heads", network.pooling_heads, 1)
  moments = network.num_temporal_positions
  if (network.positions == "clip" and not moments) or (
    network.positions == "sine" and moments
  ):
    needed = "positive" if network.positions == "clip" else "0"
    raise ValueError(
      f"positions {network.positions!r} need num_temporal_positions to be {needed}, "
      f"got {moments}."
    )
  if network.average_first and network.pooling not in ("class", "mean"):
    raise ValueError(
      f"average_first needs pooling to be 'class' or 'mean', got {network.pooling!r}."
    )
  if network.has_class_token:
    return
  without = ("mean", "attention", "attentive")
  if network.pooling not in without or network.shared_class_token:
    raise ValueError(
      f"has_class_token is False: pooling must be one of {without} and "
      f"shared_class_token False, got {network.pooling!r} and "
      f"{network.shared_class_token}."
    )
