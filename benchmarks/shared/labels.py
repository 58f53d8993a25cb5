"""Labels as tokens, without torch."""

from collections.abc import Sequence

import numpy as np

from temporal_jax.text.tokenizer import tokenize


def label_tokens(labels: Sequence[str]) -> dict[str, np.ndarray]:
  """Returns inputs of a network that compares clips with labels.

  Args:
    labels: L texts; none for a network that reads none.

  Returns:
    {"text": tokens (L, N)} with N of the longest label, or {}.
  """
  if not labels:
    return {}
  tokens = tokenize(labels)
  return {"text": tokens[:, : np.count_nonzero(tokens, axis=1).max()]}
