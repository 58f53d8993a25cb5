"""CLIP's tokens."""

import sys

import numpy as np
import pytest

from temporal_jax.text.tokenizer import tokenize


def test_tokens_are_clips():
  tokens = tokenize(["a photo of a dog", "Riding a Bike"], context=9)
  want = [
    [49406, 320, 1125, 539, 320, 1929, 49407, 0, 0],
    [49406, 6765, 320, 3701, 49407, 0, 0, 0, 0],
  ]
  np.testing.assert_array_equal(tokens, want)
  assert tokens.dtype == np.int32


@pytest.mark.parametrize("text", ["", "dog " * 8])
def test_texts_that_do_not_fit(text):
  with pytest.raises(ValueError, match="1 to 7 tokens"):
    tokenize([text], context=9)


def test_a_missing_extra_is_named(monkeypatch):
  monkeypatch.setitem(sys.modules, "instant_clip_tokenizer", None)
  with pytest.raises(ImportError, match=r"temporal-jax\[text\]"):
    tokenize(["dog"])
