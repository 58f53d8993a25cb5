"""A function of a network's clips, compiled for batches of one shape."""

import abc
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from temporal_jax.inference.runtime.padded_batches import PaddedBatches, check_clips
from temporal_jax.inference.runtime.saved_model import SavedModel


class ClipBatches(abc.ABC):
  """A function of any number of clips, compiled once.

  Clips come in batches of one size, the last one filled with zeros; see `fit`.
  Subclasses say by `_prepare` what the function is.

  Attributes:
    saved: The network.
    clip_shape: (T, H, W, 3) of its clips.
  """

  def __init__(
    self,
    saved: SavedModel,
    *,
    batch_size: int = 8,
    clip_shape: tuple[int, ...] | None = None,
  ):
    """Prepares the function; it is compiled with the first clips.

    Args:
      saved: The network.
      batch_size: Clips computed at once, at most.
      clip_shape: (T, H, W, 3) of the clips; None for the shape that the network
        was made for.

    Raises:
      ImportError: See `prepare_variables`.
      ValueError: If `batch_size` is below 1, or the network does not offer what
        is computed.
    """
    function, variables = self._prepare(saved)
    self.saved = saved
    self.clip_shape = tuple(clip_shape or saved.clip_shape)
    self._function = PaddedBatches(function, batch_size=batch_size)
    self._variables = jax.device_put(variables)

  @abc.abstractmethod
  def _prepare(
    self, saved: SavedModel
  ) -> tuple[Callable[[Any, jax.Array], Any], Mapping[str, Any]]:
    """Returns the function and the variables that it takes first.

    It maps variables and B clips to arrays of B rows.
    """

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
