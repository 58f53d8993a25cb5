"""A function of a network's clips, compiled for batches of one shape."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from temporal_jax.inference.runtime.padded_batches import PaddedBatches, check_clips
from temporal_jax.inference.runtime.saved_model import SavedModel


class ClipBatches:
  """A function of any number of clips, compiled once.

  Clips come in batches of one size, the last one filled with zeros; see `fit`.

  Attributes:
    saved: The network.
    clip_shape: (T, H, W, 3) of its clips.
  """

  def __init__(
    self,
    saved: SavedModel,
    function: Callable[[Any, jax.Array], Any],
    variables: Mapping[str, Any],
    *,
    batch_size: int,
    clip_shape: tuple[int, ...] | None,
  ):
    """Prepares the function; it is compiled with the first clips.

    Args:
      saved: The network.
      function: `function(variables, clips)` of B clips -> arrays of B rows.
      variables: What it takes first.
      batch_size: Clips computed at once, at most.
      clip_shape: (T, H, W, 3) of the clips; None for what the network was made
        for.

    Raises:
      ValueError: If `batch_size` is below 1.
    """
    self.saved = saved
    self.clip_shape = tuple(clip_shape or saved.clip_shape)
    self._function = PaddedBatches(function, batch_size=batch_size)
    self._variables = jax.device_put(variables)

  @property
  def batch_size(self) -> int:
    """Clips computed at once, B."""
    return self._function.batch_size

  def fit(self, total: int) -> None:
    """Chooses B by the number of clips to come; see `PaddedBatches.fit`."""
    self._function.fit(total)

  @property
  def compilations(self) -> int:
    """How often the function was compiled so far."""
    return self._function.compilations

  def __call__(self, clips: np.ndarray) -> Any:
    """Returns what the function gives for all clips, as NumPy arrays.

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
