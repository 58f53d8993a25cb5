"""Heat on frames: resized maps, and their colours."""

import matplotlib
import numpy as np

COLORS = "inferno"  # Grows evenly from dark to bright.
_OPACITY = (0.4, 0.75)  # The coldest's and the hottest's, over grey frames.


def paint(frames: np.ndarray, maps: np.ndarray) -> np.ndarray:
  """Lays maps over frames; the frames turn grey, so that colour is heat.

  Args:
    frames: (T, H, W, 3) uint8.
    maps: (T, h, w) in [0, 1].

  Returns:
    Frames (T, H, W, 3) uint8.

  Raises:
    ValueError: If there is not one map for each frame.
  """
  if len(maps) != len(frames):
    raise ValueError(f"there are {len(maps)} maps for {len(frames)} frames.")
  heat = np.clip(resize_maps(maps, frames.shape[1:3]), 0, 1)
  colors = matplotlib.colormaps[COLORS](heat)[..., :3]
  opacity = np.interp(heat, (0, 1), _OPACITY)[..., None]
  grey = (frames @ np.array([0.299, 0.587, 0.114]) / 255)[..., None]
  mixed = opacity * colors + (1 - opacity) * grey
  return np.round(255 * mixed).astype(np.uint8)


def resize_maps(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
  """Resizes maps (T, h, w) to (T, *size), linearly between their middles."""
  rows, columns = (
    _weights(old, new) for old, new in zip(maps.shape[1:], size, strict=True)
  )
  return np.einsum("ah,thw,bw->tab", rows, np.asarray(maps), columns, optimize=True)


def _weights(old: int, new: int) -> np.ndarray:
  """Returns the weight of each old place in every new one, (new, old)."""
  places = (np.arange(new) + 0.5) * old / new - 0.5
  return np.stack(
    [np.interp(places, np.arange(old), row) for row in np.eye(old)], axis=1
  )
