"""Learned positions, fitted to clips other than those they were made for."""

import jax
import jax.numpy as jnp

from temporal_jax import ops

LONGER_CLIPS = ("interpolate", "repeat")


def grid_side(image_size: int, patch_size: int) -> int:
  """Returns the rows of patches in an image.

  Raises:
    ValueError: If the patches do not divide it.
  """
  if image_size % patch_size:
    raise ValueError(
      f"image_size must be a multiple of the {patch_size} pixels of a patch, "
      f"got {image_size}."
    )
  return image_size // patch_size


def count_tubelets(num_frames: int, tubelet: tuple[int, int]) -> int:
  """Returns the number of tubelets that begin in a clip.

  Args:
    num_frames: Frames of the clip, T.
    tubelet: Frames that each spans, an odd number around its middle, and frames
      from one to the next.
  """
  frames, stride = tubelet
  reach = num_frames + 2 * (frames // 2) - frames
  return reach // stride + 1


def fit_grid(positions: jax.Array, grid: tuple[int, int]) -> jax.Array:
  """Resizes a square of positions bicubically, where it is another grid.

  Args:
    positions: Positions of the class token and of a square of patches, (1 + N,
      D).
    grid: Rows and columns of patches, (H, W).

  Returns:
    Positions (1 + H W, D).
  """
  width = positions.shape[-1]
  side = round((len(positions) - 1) ** 0.5)
  if grid == (side, side):
    return positions
  patches = positions[1:].reshape(side, side, width)  # (side, side, D)
  patches = ops.resize_bicubic(patches, size=grid).reshape(-1, width)  # (H W, D)
  return jnp.concatenate([positions[:1], patches])


def fit_frames(
  positions: jax.Array, num_frames: int, longer_clips: str = "interpolate"
) -> jax.Array:
  """Returns positions of as many frames as a clip has.

  Args:
    positions: Positions of the frames they were made for, (P, D).
    num_frames: Frames of the clip, T.
    longer_clips: "interpolate" between them, linearly and with corners not
      aligned as torch does, for shorter clips too; or "repeat": frame t has
      position t modulo P.

  Returns:
    Positions (T, D).
  """
  made_for, width = positions.shape
  if num_frames == made_for:
    return positions
  if longer_clips == "repeat":
    return positions[jnp.arange(num_frames) % made_for]
  return jax.image.resize(positions, (num_frames, width), "linear", antialias=False)
