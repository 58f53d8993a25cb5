"""Texts as tokens, for networks that compare clips with texts."""

from collections.abc import Sequence

import numpy as np


def tokenize(texts: Sequence[str], *, context: int = 77) -> np.ndarray:
  """Returns CLIP's tokens of texts: start, text, end, then zeros.

  Args:
    texts: L texts.
    context: Most tokens of a text with start and end, N.

  Returns:
    (L, N) int32.

  Raises:
    ImportError: If the extra "text" is not installed.
    ValueError: If a text is empty or has more tokens than fit.

  Source: byte-pair encoding of Radford et al. 2021,
    https://arxiv.org/abs/2103.00020, by instant-clip-tokenizer.
  """
  try:
    import instant_clip_tokenizer
  except ImportError:
    raise ImportError(
      "texts need the extra 'text': pip install 'temporal-jax[text]'."
    ) from None
  tokenizer = instant_clip_tokenizer.Tokenizer()
  for text in texts:
    length = len(tokenizer.encode(text))
    if not 0 < length <= context - 2:
      raise ValueError(
        f"a text must have 1 to {context - 2} tokens, {text!r} has {length}."
      )
  tokens = tokenizer.tokenize_batch(list(texts), context_length=context)
  return np.asarray(tokens, np.int32)
