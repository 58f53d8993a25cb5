"""CLIP's tokens."""

import gzip
import importlib.resources
import itertools
import random
import re
import sys

import numpy as np
import pytest

from temporal_jax.text import tokenizer
from temporal_jax.text.tokenizer import tokenize


def test_tokens_are_clips():
  tokens = tokenize(["a photo of a dog", "Riding a Bike"], context=9)
  want = [
    [49406, 320, 1125, 539, 320, 1929, 49407, 0, 0],
    [49406, 6765, 320, 3701, 49407, 0, 0, 0, 0],
  ]
  np.testing.assert_array_equal(tokens, want)
  assert tokens.dtype == np.int32


# Tokens of instant-clip-tokenizer 0.1.1.
@pytest.mark.parametrize(
  ("text", "want"),
  [
    ("it's WE'LL they'RE", [585, 568, 649, 1342, 889, 982]),
    # Two words whose last sigma is another letter than the others.
    (
      "\u039f\u0394\u039f\u03a3 \u1f48\u0394\u03a5\u03a3\u03a3\u0395\u038e\u03a3",
      [138, 123, 138, 112, 138, 123, 139, 480, 157, 121, 222, 138, 112, 139]
      + [227, 139, 225, 139, 225, 138, 113, 139, 235, 139, 480],
    ),
    ("\u0130stanbul", [328, 16384, 11231]),  # Its dot is a letter of its own.
    ("\ufb01ne \ufb02ow", [171, 105, 223, 1422, 171, 105, 224, 2250]),
    ("e\u0301t\xe9", [324, 136, 479, 39694]),  # Not composed.
    ("x\u200by\xa0z", [343, 9844, 344, 345]),
    ("a\x85b\x1cc", [320, 321, 472, 322]),
    (
      "\u6253\u5f00\u95e8 12\xbd",
      [162, 231, 241, 161, 120, 222, 165, 245, 357, 272, 273, 33613],
    ),
    ("\U0001f3c3\U0001f3fd\u200d\u2640\ufe0f running", [16820, 37036, 2761]),
    # A text that looks like a mark of the start is a text like any other.
    ("<|startoftext|> dog", [27, 347, 993, 6659, 4160, 91, 285, 1929]),
  ],
)
def test_unusual_texts(text, want):
  tokens = tokenize([text])[0]
  np.testing.assert_array_equal(tokens[: len(want) + 2], [49406, *want, 49407])
  assert not tokens[len(want) + 2 :].any()


def test_pairs_are_merged_in_their_order():
  """The byte-pair encoding written out, on words of drawn letters."""
  file = importlib.resources.files("temporal_jax.text") / "clip_merges.txt.gz"
  merges = gzip.decompress(file.read_bytes()).decode().splitlines()
  assert len(merges) == 49408 - 2 - 2 * 256  # CLIP's vocabulary.
  order = {tuple(line.split()): number for number, line in enumerate(merges)}
  numbers = {"".join(pair): 512 + number for pair, number in order.items()}
  letters = [chr(byte) for byte in range(ord("!"), ord("~") + 1)]
  rng = random.Random(0)
  words = ["".join(rng.choices("etaoinshrdlu", k=9)) for _ in range(200)]
  for word, tokens in zip(words, tokenize(words, context=12), strict=True):
    parts = [*word[:-1], f"{word[-1]}</w>"]
    while pairs := [p for p in itertools.pairwise(parts) if p in order]:
      left, right = min(pairs, key=order.__getitem__)
      i = next(i for i, p in enumerate(parts) if p == left and parts[i + 1] == right)
      parts[i : i + 2] = [left + right]
    want = []
    for part in parts:
      if (letter := part.removesuffix("</w>")) in letters:
        want.append(letters.index(letter) + 256 * part.endswith("</w>"))
      else:
        want.append(numbers[part])
    assert [*tokens[1 : len(want) + 2]] == [*want, 49407]


@pytest.mark.parametrize("text", ["", " \n", "dog " * 8])
def test_texts_that_do_not_fit(text):
  words = re.escape(f"1 to 7 tokens, {text!r}")
  with pytest.raises(ValueError, match=words):
    tokenize([text], context=9)


def test_a_missing_extra_is_named(monkeypatch):
  monkeypatch.setitem(sys.modules, "tokenizers", None)
  tokenizer._create_tokenizer.cache_clear()
  with pytest.raises(ImportError, match=r"'\.\[text\]'"):
    tokenize(["dog"])
