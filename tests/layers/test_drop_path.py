import jax
import numpy as np
import pytest
from flax import errors

from temporal_jax import layers, ops
from tests.support.examples import layer_example

X = np.random.default_rng(0).standard_normal((12, 3), np.float32)

LAYER_EXAMPLES = {
  "DropPath": layer_example(layers.DropPath, rate=0.3),
}


def test_training_calls_the_operator():
  layer = layers.DropPath(0.5, num_frames=2)
  rngs = {"dropout": jax.random.key(0)}
  got = np.asarray(layer.apply({}, X, train=True, rngs=rngs))
  dropped = ~got.any(axis=1)
  np.testing.assert_array_equal(dropped[::2], dropped[1::2])
  assert 0 < dropped.sum() < len(X)
  np.testing.assert_allclose(got[~dropped], 2 * X[~dropped])
  key = layer.apply({}, rngs=rngs, method=lambda module: module.make_rng("dropout"))
  want = ops.drop_path(key, X, rate=0.5, num_frames=2)
  np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(("rate", "train"), [(0.5, False), (0.0, True)])
def test_nothing_is_dropped_and_no_rng_needed(rate, train):
  got = layers.DropPath(rate).apply({}, X, train=train)
  np.testing.assert_array_equal(got, X)


def test_training_needs_the_dropout_rng():
  with pytest.raises(errors.InvalidRngError, match="dropout"):
    layers.DropPath(0.5).apply({}, X, train=True)
