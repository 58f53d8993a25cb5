"""Texts as vectors of the space that a network shares with clips."""

from collections.abc import Sequence

import numpy as np

from temporal_jax import models
from temporal_jax.inference.runtime.padded_batches import PaddedBatches
from temporal_jax.inference.runtime.prompts import PLAIN, write_prompts
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.text.tokenizer import tokenize

# Texts are cut to a multiple of this, in tokens: few shapes are compiled, and
# short texts do not cost as much as the longest.
_STEP = 16


def check_reads_texts(saved: SavedModel) -> None:
  """Refuses a network that compares no clips with texts.

  Raises:
    ValueError: If it does not; the networks of the catalog that do are listed.
  """
  if saved.network.reads_text:
    return
  names = [
    name
    for name, entry in models.MODELS.items()
    if entry.module(num_classes=1, **entry.kwargs).reads_text
  ]
  raise ValueError(
    f"{saved.name} reads no texts as it is; these networks of the catalog do, "
    f"if their head is 'text': {', '.join(sorted(names))}."
  )


class TextEncoder:
  """Features of texts, which no clip has changed yet.

  Attributes:
    network: A network with head "text".
  """

  def __init__(self, saved: SavedModel, *, batch_size: int = 16):
    """Takes the network.

    Args:
      saved: The network.
      batch_size: Texts computed at once.

    Raises:
      ValueError: If the network reads no texts, or `batch_size` is below 1.
    """
    check_reads_texts(saved)
    self.network = saved.network
    self._variables = saved.variables
    self._encode = PaddedBatches(
      lambda variables, tokens: saved.network.apply(
        variables, tokens, method="encode_text"
      ),
      batch_size=batch_size,
    )

  def __call__(
    self, labels: Sequence[str], templates: Sequence[str] = PLAIN
  ) -> np.ndarray:
    """Returns features (L, D) float32 of labels.

    Of several templates the direction is the mean of their directions, as
    CLIP's authors average, and the length the mean of their lengths: the
    part that a clip adds to a text's features then weighs as much as with one.

    Args:
      labels: L texts.
      templates: Each with {} where the label goes.

    Raises:
      ImportError: If the extra "text" is not installed.
      ValueError: If a text is empty or too long.
    """
    texts = write_prompts(labels, templates)
    tokens = _cut(tokenize(texts, context=self.network.context))
    features = self._encode(self._variables, tokens)
    return _average(features.reshape(len(templates), len(labels), -1))


def _cut(tokens: np.ndarray) -> np.ndarray:
  """Returns tokens (L, N) without most of the zeros that end all texts."""
  longest = np.flatnonzero(tokens.any(axis=0))[-1] + 1
  return tokens[:, : -(-longest // _STEP) * _STEP]


def _average(features: np.ndarray) -> np.ndarray:
  """Returns features (L, D) of those in each template (P, L, D)."""
  lengths = np.linalg.norm(features, axis=-1, keepdims=True)
  mean = np.mean(features / lengths, axis=0)
  direction = mean / np.linalg.norm(mean, axis=-1, keepdims=True)
  return direction * np.mean(lengths, axis=0)
