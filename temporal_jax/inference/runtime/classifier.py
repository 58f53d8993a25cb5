"""A network compiled for batches of one shape."""

from temporal_jax.inference.runtime.clip_batches import ClipBatches
from temporal_jax.inference.runtime.clip_to_probabilities import (
  create_forward,
  prepare_shapes,
  prepare_variables,
)
from temporal_jax.inference.runtime.saved_model import (
  PendingModel,
  SavedModel,
  outline_of,
)


class Classifier(ClipBatches):
  """Class probabilities of any number of clips, compiled once.

  Calling it with clips (N, T, H, W, 3) gives probabilities (N, L) float32, or a
  dict with one entry per task. Batch norms are folded into the convolutions.
  """

  def __init__(
    self,
    model: SavedModel | PendingModel,
    *,
    batch_size: int = 8,
    clip_shape: tuple[int, ...] | None = None,
    expected: int | None = None,
  ):
    """Prepares the network; it is compiled with the first clips or before.

    Args:
      model: The network. If its variables are still being read, see
        `begin_loading`, it is compiled meanwhile for the clips that are
        expected.
      batch_size: Clips computed at once.
      clip_shape: (T, H, W, 3) of its clips; by default the network's own.
      expected: Clips that will come, if that is known.

    Raises:
      ImportError: See `prepare_variables`.
      ValueError: If `batch_size` is below 1, the network gives features, or see
        `prepare_variables` and `PendingModel.wait`.
    """
    outline = outline_of(model)
    outline.check_classifies()
    super().__init__(
      model,
      create_forward(outline),
      prepare_variables,
      batch_size=batch_size,
      clip_shape=clip_shape,
      expected=expected,
      prepare_shapes=prepare_shapes,
    )
