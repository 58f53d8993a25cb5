"""Scores every clip of a set once."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping

import jax
import numpy as np

Arrays = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Predictions:
  """Scores of N clips, in the order of the source.

  Attributes:
    ids: Names of the clips, N of them.
    labels: (N,) true classes.
    scores: (N, L) class probabilities.
  """

  ids: tuple[str, ...]
  labels: np.ndarray
  scores: np.ndarray

  @property
  def predicted(self) -> np.ndarray:
    """Best class of each clip (N,)."""
    return self.scores.argmax(axis=1)


def evaluate(
  score: Callable[[jax.Array], jax.Array],
  batches: Iterable[Arrays],
  place: Callable[[Arrays], Mapping[str, jax.Array]],
) -> Predictions:
  """Scores all clips of weight above zero; padding and bad videos have zero.

  Args:
    score: uint8 clips (B, T, S, S, 3) -> class probabilities (B, L).
    batches: {"clip", "label", "weight", "id"}, all of one size.
    place: Puts a host batch on the devices.

  Raises:
    ValueError: If no clip is left to score.
  """
  ids, labels, scores = [], [], []
  for batch in batches:
    probabilities = np.asarray(score(place(batch)["clip"]))
    real = batch["weight"] > 0
    ids.extend(str(name) for name in batch["id"][real])
    labels.append(batch["label"][real])
    scores.append(probabilities[real])
  if not ids:
    raise ValueError("there is no clip to evaluate.")
  return Predictions(tuple(ids), np.concatenate(labels), np.concatenate(scores))
