"""Square crops on the host, the same for all frames of a clip."""

import numpy as np


def crop(
  frames: np.ndarray, size: int, rng: np.random.Generator | None = None
) -> np.ndarray:
  """Cuts out a size x size square: a random one, or the middle without `rng`.

  Args:
    frames: (T, H, W, C), H and W at least `size`.
    size: Side of the square, in pixels.
    rng: Source of randomness in training; None in evaluation.

  Returns:
    (T, size, size, C), of the same dtype.

  Raises:
    ValueError: If the frames are smaller than the square.
  """
  height, width = frames.shape[1:3]
  if min(height, width) < size:
    raise ValueError(
      f"a {size} x {size} crop does not fit frames of {height} x {width}."
    )
  if rng is None:
    top, left = (height - size) // 2, (width - size) // 2
  else:
    top = rng.integers(height - size + 1)
    left = rng.integers(width - size + 1)
  return frames[:, top : top + size, left : left + size]
