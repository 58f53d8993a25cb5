import numpy as np
import pytest

from temporal_jax import evaluation


def _batch(ids, weights):
  count = len(ids)
  return {
    "clip": np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1, 1),
    "label": np.zeros(count, np.int32),
    "weight": np.array(weights, np.float32),
    "id": np.array(ids),
  }


def _score(clip):
  value = clip.reshape(len(clip), 1).astype(np.float32)
  return np.concatenate([value, 1 - value], 1)


def test_only_real_clips_are_scored():
  batches = [_batch(["a", "b"], [1, 0]), _batch(["c", ""], [1, 0])]
  got = evaluation.evaluate(_score, batches, lambda batch: batch)
  assert got.ids == ("a", "c")
  assert got.labels.shape == (2,)
  np.testing.assert_array_equal(got.predicted, [1, 1])


def test_nothing_to_score_says_so():
  with pytest.raises(ValueError, match="no clip to evaluate"):
    evaluation.evaluate(_score, [_batch(["a"], [0])], lambda batch: batch)
