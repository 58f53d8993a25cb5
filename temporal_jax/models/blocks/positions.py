"""Positions of tokens, fitted to clips other than those they were made for."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax import ops

LONGER_CLIPS = ("interpolate", "repeat")
# Kinds of positions of a vision transformer, see `token_embedding.embed`.
KINDS = ("learned", "clip", "sine", "none")


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


def tubelet_padding(tubelet: tuple[int, int]) -> int:
  """Returns the zero frames on either side of a clip that tubelets reach into.

  A tubelet of an odd number of frames is centred on one of the clip's; one of
  an even number begins there.

  Args:
    tubelet: Frames that each spans, and frames from one to the next.
  """
  frames, _ = tubelet
  return frames // 2 if frames % 2 else 0


def count_tubelets(num_frames: int, tubelet: tuple[int, int]) -> int:
  """Returns the number of tubelets in a clip.

  Args:
    num_frames: Frames of the clip, T.
    tubelet: See `tubelet_padding`.

  Raises:
    ValueError: If the clip is shorter than a tubelet.
  """
  frames, stride = tubelet
  count = (num_frames + 2 * tubelet_padding(tubelet) - frames) // stride + 1
  if count < 1:
    raise ValueError(f"tubelets span {frames} frames, got num_frames {num_frames}.")
  return count


def count_places(count: int) -> tuple[int, int]:
  """Returns the number of positions before the patches, and the grid's side.

  Args:
    count: Positions of a square of patches, and of a class token if it has one.

  Raises:
    ValueError: If there is no such square.
  """
  for leading in (0, 1):
    side = math.isqrt(max(count - leading, 0))
    if side and side**2 == count - leading:
      return leading, side
  raise ValueError(
    f"{count} positions are no square of patches, with a class token or without."
  )


def fit_grid(
  positions: jax.Array, grid: tuple[int, int], *, antialias: bool = False
) -> jax.Array:
  """Resizes a square of positions bicubically, where it is another grid.

  Args:
    positions: Positions of a square of patches, (N, D), or of a class token and
      these, (1 + N, D).
    grid: Rows and columns of patches, (H, W).
    antialias: See `fit_clip`.

  Returns:
    Positions (H W, D) or (1 + H W, D).

  Raises:
    ValueError: As `count_places`.
  """
  leading, side = count_places(len(positions))
  size = (1, *grid)
  patches = fit_clip(positions[leading:], (1, side), size, antialias=antialias)[0]
  return jnp.concatenate([positions[:leading], patches])


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


def fit_clip(
  positions: jax.Array,
  made_for: tuple[int, int],
  size: tuple[int, int, int],
  longer_clips: str = "interpolate",
  *,
  antialias: bool = False,
) -> jax.Array:
  """Returns positions of as many patches as a clip has, one for each.

  Frames are fitted as by `fit_frames`, their patches as by `fit_grid`.

  Args:
    positions: Positions of the patches of T squares of side S, (T S S, D).
    made_for: T and S.
    size: Frames, rows and columns of patches in the clip, (T', H, W).
    longer_clips: See `fit_frames`.
    antialias: Whether a smaller grid gets smoothed positions: torch's
      `interpolate(mode="bicubic", antialias=True)`.

  Returns:
    Positions (T', H W, D).
  """
  frames, side = made_for
  width = positions.shape[-1]
  maps = positions.reshape(frames, side, side, width)
  if size[1:] != (side, side):
    maps = _resized(maps, size[1:], antialias)
  fitted = fit_frames(maps.reshape(frames, -1), size[0], longer_clips)
  return fitted.reshape(size[0], -1, width)  # (T', H W, D)


def _resized(maps: jax.Array, size: tuple[int, int], antialias: bool) -> jax.Array:
  """Returns maps (T, H, W, D) of another size."""
  if not antialias:
    return ops.resize_bicubic(maps, size=size)
  # Its kernel has a = -0.5 where it smooths, as torch's has.
  shape = (len(maps), *size, maps.shape[-1])
  return jax.image.resize(maps, shape, "bicubic", antialias=True)


def sines(count: int, width: int) -> np.ndarray:
  """Returns the positions 0, 1, ... as sines and cosines, (count, width).

  Channel 2i is sin(p / 10000^(2i / D)) and channel 2i + 1 the cosine.

  Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.5.
  """
  even = np.arange(width) // 2 * 2
  angles = np.arange(count)[:, None] / 10000.0 ** (even / width)
  return np.where(np.arange(width) % 2, np.cos(angles), np.sin(angles)).astype("f4")
