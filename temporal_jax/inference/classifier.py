"""A network compiled for batches of one shape."""

import jax
import numpy as np

from temporal_jax.inference.forward import create_forward, prepare_variables
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
    compilations: How often the network was compiled so far.
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
    if batch_size < 1:
      raise ValueError(f"batch_size must be at least 1, got {batch_size}.")
    self.saved = saved
    self.batch_size = batch_size
    self.clip_shape = tuple(clip_shape or saved.clip_shape)
    self.compilations = 0
    self._variables = jax.device_put(prepare_variables(saved))
    forward = create_forward(saved)

    def counted(variables, clip):
      self.compilations += 1  # Runs when it is traced.
      return forward(variables, clip)

    self._forward = jax.jit(counted)

  def __call__(self, clips: np.ndarray) -> Scores:
    """Returns probabilities (N, L) float32, or a dict of those of each task.

    Args:
      clips: (N, T, H, W, 3) uint8, N at least 1.

    Raises:
      ValueError: If the clips have another shape or dtype.
    """
    clips = np.asarray(clips)
    if not len(clips):
      raise ValueError("there is no clip.")
    parts = [
      self.start(clips[first:][: self.batch_size])
      for first in range(0, len(clips), self.batch_size)
    ]
    return jax.tree.map(
      lambda *values: np.concatenate(values)[: len(clips)], *parts
    )

  def start(self, clips: np.ndarray) -> jax.Array | dict[str, jax.Array]:
    """Begins with a batch and does not wait for its end.

    Args:
      clips: (N, T, H, W, 3) uint8, N in [1, B].

    Returns:
      Probabilities (B, L) float32 on the device, or a dict of those of each
      task; only the first N are of the clips.

    Raises:
      ValueError: If the clips have another shape or dtype.
    """
    if clips.shape[1:] != self.clip_shape or clips.dtype != np.uint8:
      raise ValueError(
        f"clips must be (N, {', '.join(map(str, self.clip_shape))}) uint8, got "
        f"{clips.shape} {clips.dtype}."
      )
    if not 1 <= len(clips) <= self.batch_size:
      raise ValueError(
        f"a batch has 1 to {self.batch_size} clips, got {len(clips)}."
      )
    return self._forward(self._variables, self._filled(clips))

  def _filled(self, clips: np.ndarray) -> np.ndarray:
    """Returns a whole batch."""
    missing = self.batch_size - len(clips)
    if not missing:
      return clips
    blank = np.zeros((missing, *clips.shape[1:]), np.uint8)
    return np.concatenate([clips, blank])
