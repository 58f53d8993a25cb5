"""Maps a function over chunks of frames, so that results fit the cache."""

import jax


def divide(*arrays: jax.Array, numbers: int, most: int) -> tuple[jax.Array, ...]:
  """Divides the frames of arrays (N, ...) into chunks (N / n, n, ...).

  Args:
    *arrays: Each has N frames.
    numbers: Values that are computed from one frame.
    most: Most numbers a chunk may give, if it has more than one frame; `n` is
      the largest divisor of N that keeps to it, of every N of a batch of any
      size.
  """
  frames = arrays[0].shape[0]
  fitting = range(1, max(1, most // numbers) + 1)
  size = max(n for n in fitting if frames % n == 0)
  # (chunks, size, ...)
  return tuple(x.reshape(frames // size, size, *x.shape[1:]) for x in arrays)
