"""CLIP's tokenizer, for networks that compare clips with texts."""

import functools
import gzip
import importlib.resources
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
  import tokenizers

# The 48,894 pairs that CLIP merges, the first ones first: lines 2 to 48,895 of
# bpe_simple_vocab_16e6.txt.gz in github.com/openai/CLIP, of licence MIT.
_MERGES = "clip_merges.txt.gz"
_END_OF_WORD = "</w>"
_SPECIAL = ("<|startoftext|>", "<|endoftext|>")
# Pieces of a text that are merged each for itself; white space parts them.
_PIECES = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


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
    https://arxiv.org/abs/2103.00020.
  """
  tokenizer = _create_tokenizer()
  start, end = map(tokenizer.token_to_id, _SPECIAL)
  tokens = np.zeros((len(texts), context), np.int32)
  # Python's lower case knows the final sigma, unlike tokenizers' lower case.
  encodings = tokenizer.encode_batch([text.lower() for text in texts])
  for row, text, encoding in zip(tokens, texts, encodings, strict=True):
    length = len(encoding.ids)
    if not 0 < length <= context - 2:
      raise ValueError(
        f"a text must have 1 to {context - 2} tokens, {text!r} has {length}."
      )
    row[: length + 2] = [start, *encoding.ids, end]
  return tokens


@functools.cache
def _create_tokenizer() -> "tokenizers.Tokenizer":
  """Returns CLIP's tokenizer of texts in lower case, without start and end."""
  try:
    import tokenizers
  except ImportError:
    raise ImportError(
      "texts need the extra 'text': run `pip install '.[text]'` in a copy of the "
      "repository."
    ) from None
  file = importlib.resources.files(__package__) / _MERGES
  lines = gzip.decompress(file.read_bytes()).decode().splitlines()
  merges = [tuple(line.split(" ")) for line in lines]
  letters = _byte_letters()
  words = [
    *letters,
    *(letter + _END_OF_WORD for letter in letters),
    *(left + right for left, right in merges),
    *_SPECIAL,
  ]
  vocabulary = {word: number for number, word in enumerate(words)}
  tokenizer = tokenizers.Tokenizer(
    tokenizers.models.BPE(vocabulary, merges, end_of_word_suffix=_END_OF_WORD)
  )
  tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
    [
      tokenizers.pre_tokenizers.Split(
        tokenizers.Regex(_PIECES), behavior="removed", invert=True
      ),
      tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
  )
  return tokenizer


def _byte_letters() -> list[str]:
  """Returns a letter that can be printed for each byte, in the order of CLIP.

  Bytes that are letters of Latin-1 come first, and are those letters; the
  others follow as the letters from number 256 on.
  """
  printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
  return [chr(byte) for byte in printed] + [
    chr(256 + i) for i in range(256 - len(printed))
  ]
