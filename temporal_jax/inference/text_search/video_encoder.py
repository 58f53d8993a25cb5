"""Clips as vectors of the space that a network shares with texts."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from temporal_jax import data, models, ops
from temporal_jax.inference.runtime.clip_batches import ClipBatches
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.runtime.text_encoder import check_reads_texts


class VideoEncoder(ClipBatches):
  """Features of any number of clips, of length 1, compiled once.

  Calling it with clips (N, T, H, W, 3) gives features (N, D) float32.
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
      clip_shape: (T, H, W, 3) of its clips; by default the network's own.

    Raises:
      ValueError: If the network reads no texts, or `batch_size` is below 1.
    """
    super().__init__(
      saved,
      create_video_encoder(saved),
      lambda saved: models.fold_batch_norm(saved.variables),
      batch_size=batch_size,
      clip_shape=clip_shape,
    )


def create_video_encoder(
  saved: SavedModel,
) -> Callable[[Mapping[str, Any], jax.Array], jax.Array]:
  """Returns `encode(variables, clip) -> features`, a pure function.

  It takes clips (B, T, H, W, 3) uint8 and gives features (B, D) float32 of
  length 1, whose cosine with the features of a text measures how well they fit.

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
