"""A network compiled for batches of one shape."""

import jax
import numpy as np

from temporal_jax.inference.forward import create_forward, prepare_variables
from temporal_jax.inference.padded import PaddedBatches, check_clips
from temporal_jax.inference.saved_model import SavedModel

Scores = np.ndarray | dict[str, np.ndarray]


class Classifier:
  """Class probabilities of any number of clips, compiled once.

  Clips come in batches of one size, the last one filled with zeros. Batch norms
  are folded into the convolutions.

  Attributes:
    saved: The network.
    batch_size: Clips computed at once, B.
    clip_shape: (T, H, W, 3) of its clips.
  """

  def __init__(
    self,
    saved: SavedModel,
    *,
    batch_size: int = 8,
    clip_shape: tuple[int, ...] | None = None,
  ):
    """Prepares the network; it is compiled with the first clips.

    Args:
      saved: The network.
      batch_size: Clips computed at once.
      clip_shape: (T, H, W, 3) of its clips; what it was made for, by default.

    Raises:
      ImportError: See `prepare_variables`.
      ValueError: If `batch_size` is below 1, or see `prepare_variables`.
    """
    self.saved = saved
    self.batch_size = batch_size
    self.clip_shape = tuple(clip_shape or saved.clip_shape)
    self._forward = PaddedBatches(create_forward(saved), batch_size=batch_size)
    self._variables = jax.device_put(prepare_variables(saved))

  @property
  def compilations(self) -> int:
    """How often the network was compiled so far."""
    return self._forward.compilations

  def __call__(self, clips: np.ndarray) -> Scores:
    """Returns probabilities (N, L) float32, or a dict of those of each task.

    Args:
      clips: (N, T, H, W, 3) uint8, N at least 1.

    Raises:
      ValueError: If the clips have another shape or dtype.
    """
    return self._forward(self._variables, check_clips(clips, self.clip_shape))

  def start(self, clips: np.ndarray) -> jax.Array | dict[str, jax.Array]:
    """Begins with a batch and does not wait for its end.

    Args:
      clips: (N, T, H, W, 3) uint8, N in [1, B].

    Returns:
      Probabilities (B, L) float32 on the device, or a dict of those of each
      task; only the first N are of the clips.

    Raises:
      ValueError: If the clips have another shape or dtype, or are too many.
    """
    clips = check_clips(clips, self.clip_shape)
    return self._forward.start(self._variables, clips)
