"""Compares an exported file with the network it was written from."""

from collections.abc import Callable

import jax
import numpy as np

from temporal_jax.evaluation.predictions import Scores
from temporal_jax.inference.runtime.classifier import Classifier
from temporal_jax.inference.runtime.saved_model import SavedModel

MOST = 1e-4  # Difference of a probability.
_CLIPS = 3


def largest_difference(
  run: Callable[[np.ndarray], Scores],
  saved: SavedModel,
  *,
  batch_size: int | None,
) -> float:
  """Returns the largest difference of a probability, for clips of noise.

  Args:
    run: Maps clips (B, T, H, W, 3) uint8 to the probabilities of the file.
    saved: The network.
    batch_size: B, or None where the file takes any.

  Raises:
    ValueError: If a probability differs by more than 1e-4, or is none.
  """
  size = batch_size or _CLIPS
  clips = np.random.default_rng(0).integers(0, 256, (size, *saved.clip_shape), np.uint8)
  wanted = Classifier(saved, batch_size=size)(clips)
  differences = jax.tree.map(
    lambda one, other: np.abs(one - other).max(), run(clips), wanted
  )
  largest = float(max(jax.tree.leaves(differences)))
  if not largest <= MOST:
    raise ValueError(
      f"nothing is written: the probabilities differ by {largest:.1e} from "
      f"the probabilities of {saved.name}, which is more than {MOST}."
    )
  return largest
