"""Pads batches, so that a function is compiled for one size only."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from temporal_jax.validation import check_at_least


class PaddedBatches:
  """Calls a function on any number of rows, compiled once for their shape.

  Rows go in batches of one size, the last one filled with zeros. It is the
  largest that is allowed, or one chosen by `fit`.

  Attributes:
    batch_size: Rows computed at once, B.
    compilations: Number of compilations of the function so far.
  """

  def __init__(self, function: Callable[[Any, jax.Array], Any], *, batch_size: int):
    """Takes the function; it is compiled with the first rows.

    Args:
      function: `function(variables, rows)` of B rows -> arrays of B rows.
      batch_size: Rows computed at once, at most.

    Raises:
      ValueError: If `batch_size` is below 1.
    """
    check_at_least("batch_size", batch_size, 1)
    self.batch_size = self._most = batch_size
    self.compilations = 0

    def counted(variables, rows):
      self.compilations += 1  # Runs when it is traced.
      return function(variables, rows)

    self._function = jax.jit(counted)

  def fit(self, total: int) -> None:
    """Chooses the size of batches by the rows that are known to come.

    Before the first compilation that is their number, at most the largest size:
    no row is computed that nobody asked for. Later a size is only left for the
    largest one, when more rows come than it holds. Few rows and then many thus
    compile twice, and no more than that.

    Args:
      total: Rows that will come, at least 1.
    """
    if not self.compilations:
      self.batch_size = min(total, self._most)
    elif total > self.batch_size:
      self.batch_size = self._most

  def compile(self, variables: Any, shape: tuple[int, ...], dtype: Any) -> None:
    """Compiles the function before there are values to call it with.

    Args:
      variables: Shapes of the function's first argument, jax.ShapeDtypeStruct;
        on a device if the values are put there explicitly.
      shape: Shape of a row.
      dtype: Dtype of the rows.
    """
    rows = jax.ShapeDtypeStruct((self.batch_size, *shape), dtype)
    # jit keeps the program, and calls it with arrays of these shapes.
    self._function.lower(variables, rows).compile()

  def __call__(self, variables: Any, rows: np.ndarray) -> Any:
    """Returns the function's results for all rows, as NumPy arrays.

    Args:
      variables: First argument of the function.
      rows: (N, ...), N at least 1.
    """
    parts = [
      self.start(variables, rows[first:][: self.batch_size])
      for first in range(0, len(rows), self.batch_size)
    ]
    return jax.tree.map(lambda *values: np.concatenate(values)[: len(rows)], *parts)

  def start(self, variables: Any, rows: np.ndarray) -> Any:
    """Begins with a batch and does not wait for its end.

    Args:
      variables: First argument of the function.
      rows: (N, ...), N in [1, B].

    Returns:
      Arrays of B rows on the device; only the first N are of these.

    Raises:
      ValueError: If there are none or more than fit.
    """
    if not 1 <= len(rows) <= self.batch_size:
      raise ValueError(f"a batch has 1 to {self.batch_size} rows, got {len(rows)}.")
    return self._function(variables, self._filled(rows))

  def _filled(self, rows: np.ndarray) -> np.ndarray:
    """Returns a whole batch."""
    missing = self.batch_size - len(rows)
    if not missing:
      return rows
    blank = np.zeros((missing, *rows.shape[1:]), rows.dtype)
    return np.concatenate([rows, blank])


def check_clips(clips: np.ndarray, clip_shape: Sequence[int]) -> np.ndarray:
  """Returns clips (N, T, H, W, 3) uint8, N at least 1.

  Args:
    clips: To be checked.
    clip_shape: (T, H, W, 3) that each must have; None is any length.

  Raises:
    ValueError: If they have another shape or dtype, or there are none.
  """
  clips = np.asarray(clips)
  wanted = tuple(clip_shape)
  if clips.ndim == 1 + len(wanted):
    wanted = tuple(
      size if side is None else side
      for side, size in zip(wanted, clips.shape[1:], strict=True)
    )
  if clips.shape[1:] != wanted or clips.dtype != np.uint8:
    raise ValueError(
      f"clips must be (N, {', '.join(map(str, clip_shape))}) uint8, got "
      f"{clips.shape} {clips.dtype}."
    )
  if not len(clips):
    raise ValueError("there is no clip.")
  return clips
