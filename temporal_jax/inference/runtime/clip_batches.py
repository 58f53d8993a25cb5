"""A function of a network's clips, compiled for batches of one shape."""

import contextlib
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from temporal_jax.inference.runtime.padded_batches import PaddedBatches, check_clips
from temporal_jax.inference.runtime.saved_model import (
  PendingModel,
  SavedModel,
  outline_of,
)

Variables = Mapping[str, Any]


class ClipBatches:
  """A function of any number of clips, compiled once.

  Clips come in batches of one size, the last one filled with zeros; see `fit`.

  Attributes:
    saved: The network.
    clip_shape: (T, H, W, 3) of its clips; None is any length.
  """

  def __init__(
    self,
    model: SavedModel | PendingModel,
    function: Callable[[Any, jax.Array], Any],
    prepare: Callable[[SavedModel], Variables],
    *,
    batch_size: int,
    clip_shape: tuple[int | None, ...] | None,
    expected: int | None = None,
    prepare_shapes: Callable[[SavedModel], Variables] | None = None,
  ):
    """Prepares the function; it is compiled with the first clips or before.

    Args:
      model: The network. If its variables are still being read, the function is
        compiled meanwhile for the clips that are expected.
      function: `function(variables, clips)` of B clips -> arrays of B rows.
      prepare: Returns the first argument of the function.
      batch_size: Clips computed at once, at most.
      clip_shape: (T, H, W, 3) of the clips; None for the network's own. A
        None in it is any length: each is compiled for when it comes.
      expected: Clips that will come, at least 1; see `fit`. None if that is not
        known: nothing is compiled in advance.
      prepare_shapes: Returns the shapes of the results of `prepare`, for a
        network whose variables are shapes; by default `prepare` is traced.

    Raises:
      ValueError: If `batch_size` is below 1, or see `PendingModel.wait`.
    """
    outline = outline_of(model)
    self.clip_shape = tuple(clip_shape or outline.clip_shape)
    self._function = PaddedBatches(function, batch_size=batch_size)
    if expected is not None:
      self.fit(expected)
    if not isinstance(model, PendingModel):
      self.saved = model
      self._variables = jax.device_put(prepare(model))
      return
    place = next(leaf.sharding for leaf in jax.tree.leaves(outline.variables))
    if expected is not None and None not in self.clip_shape:
      # The first call raises the same error, in its own place.
      with contextlib.suppress(Exception):
        shapes = (prepare_shapes or functools.partial(_trace, prepare))(outline)
        self._function.compile(_put(shapes, place), self.clip_shape, np.uint8)
    self.saved = model.wait()
    self._variables = jax.device_put(prepare(self.saved), place)

  @property
  def batch_size(self) -> int:
    """Clips computed at once, B."""
    return self._function.batch_size

  def fit(self, total: int) -> None:
    """Chooses B by the number of clips to come; see `PaddedBatches.fit`."""
    self._function.fit(total)

  @property
  def compilations(self) -> int:
    """Number of compilations of the function so far."""
    return self._function.compilations

  def __call__(self, clips: np.ndarray) -> Any:
    """Returns the function's results for all clips, as NumPy arrays.

    Args:
      clips: (N, T, H, W, 3) uint8, N at least 1.

    Raises:
      ValueError: If the clips have another shape or dtype.
    """
    return self._function(self._variables, check_clips(clips, self.clip_shape))

  def start(self, clips: np.ndarray) -> Any:
    """Begins with a batch and does not wait for its end.

    Args:
      clips: (N, T, H, W, 3) uint8, N in [1, B].

    Returns:
      Arrays of B rows on the device; only the first N are of the clips.

    Raises:
      ValueError: If the clips have another shape or dtype, or are too many.
    """
    clips = check_clips(clips, self.clip_shape)
    return self._function.start(self._variables, clips)


def _trace(
  prepare: Callable[[SavedModel], Variables], outline: SavedModel
) -> Variables:
  """Returns the shapes of the results of `prepare`."""
  return jax.eval_shape(
    lambda variables: prepare(outline._replace(variables=variables)),
    outline.variables,
  )


def _put(shapes: Variables, place: jax.sharding.Sharding) -> Variables:
  """Returns shapes of arrays that are on a device."""
  return jax.tree.map(
    lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place), shapes
  )
