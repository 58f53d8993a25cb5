"""A network compiled for batches of one shape."""

from collections.abc import Callable, Mapping
from typing import Any

import jax

from temporal_jax.inference.runtime.clip_batches import ClipBatches
from temporal_jax.inference.runtime.clip_to_probabilities import (
  create_forward,
  prepare_variables,
)
from temporal_jax.inference.runtime.saved_model import SavedModel


class Classifier(ClipBatches):
  """Class probabilities of any number of clips, compiled once.

  Calling it with clips (N, T, H, W, 3) gives probabilities (N, L) float32, or a
  dict of those of each task. Batch norms are folded into the convolutions.
  """

  def _prepare(
    self, saved: SavedModel
  ) -> tuple[Callable[[Any, jax.Array], Any], Mapping[str, Any]]:
    return create_forward(saved), prepare_variables(saved)
