"""Clips as vectors of the space that a network shares with texts."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax import data, models, ops
from temporal_jax.inference.padded import PaddedBatches, check_clips
from temporal_jax.inference.saved_model import SavedModel
from temporal_jax.inference.text_encoder import check_reads_texts


class VideoEncoder:
  """Features of clips, of length 1, compiled once.

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
      saved: A network that reads texts.
      batch_size: Clips computed at once.
      clip_shape: (T, H, W, 3) of its clips; what it was made for, by default.

    Raises:
      ValueError: If the network reads no texts, or `batch_size` is below 1.
    """
    self.saved = saved
    self.batch_size = batch_size
    self.clip_shape = tuple(clip_shape or saved.clip_shape)
    self._encode = PaddedBatches(
      create_video_encoder(saved), batch_size=batch_size
    )
    self._variables = jax.device_put(models.fold_batch_norm(saved.variables))

  @property
  def compilations(self) -> int:
    """How often the network was compiled so far."""
    return self._encode.compilations

  def __call__(self, clips: np.ndarray) -> np.ndarray:
    """Returns features (N, D) float32.

    Args:
      clips: (N, T, H, W, 3) uint8, N at least 1.

    Raises:
      ValueError: If the clips have another shape or dtype.
    """
    clips = check_clips(clips, self.clip_shape)
    return self._encode(self._variables, clips)

  def start(self, clips: np.ndarray) -> jax.Array:
    """Begins with up to B clips and returns features (B, D) on the device.

    Args:
      clips: (N, T, H, W, 3) uint8, N in [1, B].

    Raises:
      ValueError: If the clips have another shape or dtype, or are too many.
    """
    clips = check_clips(clips, self.clip_shape)
    return self._encode.start(self._variables, clips)


def create_video_encoder(
  saved: SavedModel,
) -> Callable[[Mapping[str, Any], jax.Array], jax.Array]:
  """Returns `encode(variables, clip) -> features`, a pure function.

  It takes clips (B, T, H, W, 3) uint8 and gives features (B, D) float32 of
  length 1, those whose cosine with the features of texts tells how well they
  fit.

  Args:
    saved: The network; batch norms may be folded in the variables.

  Raises:
    ValueError: If the network reads no texts.
  """
  check_reads_texts(saved)
  network = saved.network

  def encode(variables: Mapping[str, Any], clip: jax.Array) -> jax.Array:
    pixels = data.normalize(clip, saved.pixels["mean"], saved.pixels["std"])
    unused = jnp.zeros((1, network.projection))  # In place of a text.
    _, aux = network.apply(variables, pixels, unused, train=False)
    return ops.l2_normalize(aux["features"])

  return encode
