"""Square crops on the host, the same for all frames of a clip."""

from collections.abc import Sequence

import numpy as np


def crop(
  frames: Sequence[np.ndarray],
  size: int,
  rng: np.random.Generator | None = None,
) -> np.ndarray:
  """Cuts out a size x size square: a random one, or the middle without `rng`.

  Args:
    frames: T frames (H, W, C), H and W at least `size`.
    size: Side of the square, in pixels.
    rng: Source of randomness in training; None in evaluation.

  Returns:
    (T, size, size, C), of the same dtype.

  Raises:
    ValueError: If the frames are smaller than the square, or differ in size.
  """
  sizes = {frame.shape[:2] for frame in frames}
  if len(sizes) > 1:
    raise ValueError(f"frames of one clip differ in size: {sorted(sizes)}.")
  height, width = sizes.pop()
  if min(height, width) < size:
    raise ValueError(
      f"a {size} x {size} crop does not fit frames of {height} x {width}; "
      "resize them first, by short_side."
    )
  if rng is None:
    top, left = (height - size) // 2, (width - size) // 2
  else:
    top = rng.integers(height - size + 1)
    left = rng.integers(width - size + 1)
  rows, columns = slice(top, top + size), slice(left, left + size)
  return np.stack([frame[rows, columns] for frame in frames])
