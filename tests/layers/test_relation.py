import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers
from temporal_jax.layers.relation import _tuples
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "TemporalRelation": layer_example(
    layers.TemporalRelation, (4, 8), features=3, hidden=5
  ),
}


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


@pytest.mark.parametrize("frames", [2, 3, 5, 8])
def test_tuples_are_those_in_the_middle_of_equal_parts(frames):
  for scale in range(2, frames + 1):
    every = list(itertools.combinations(range(frames), scale))
    for count in (1, 3, 1000):
      parts = np.array_split(np.arange(len(every)), min(count, len(every)))
      got = [tuple(row) for row in _tuples(frames, scale, count)]
      assert len(set(got)) == len(got) == len(parts)
      assert got == sorted(got)
      if len(every) % len(parts) == 0:
        assert got == [every[part[len(part) // 2]] for part in parts]
      else:
        assert set(got) <= set(every)


def test_many_frames_are_no_matter():
  got = _tuples(64, 32, 3)  # Drawn out of 1.8e18.
  assert got.shape == (3, 32)
  assert (np.diff(got) > 0).all()


@pytest.mark.parametrize("frames", [2, 4])
def test_matches_loop(frames):
  x = _draw(2, frames, 5)
  layer = layers.TemporalRelation(3, hidden=7)
  params = layer.init(jax.random.key(0), x)
  params = jax.tree.map(
    lambda leaf: leaf + 0.1 * _draw(*leaf.shape, seed=leaf.size), params
  )
  want = np.zeros((2, 3))
  for scale in range(2, frames + 1):
    weights = params["params"][f"scale{scale}"]
    expand, contract = weights["expand"], weights["contract"]
    for chosen in _tuples(frames, scale, 3):
      for b in range(2):
        joined = np.concatenate([x[b, t] for t in chosen]).astype(np.float64)
        hidden = np.maximum(joined, 0) @ expand["kernel"] + expand["bias"]
        want[b] += np.maximum(hidden, 0) @ contract["kernel"] + contract["bias"]
  assert len(params["params"]) == frames - 1
  for apply in (layer.apply, jax.jit(layer.apply)):
    np.testing.assert_allclose(apply(params, x), want, rtol=1e-4, atol=1e-5)


def test_reversing_time_changes_the_result():
  x = _draw(1, 4, 5)
  layer = layers.TemporalRelation(3)
  params = layer.init(jax.random.key(0), x)
  forward, backward = layer.apply(params, x), layer.apply(params, x[:, ::-1])
  assert not np.allclose(forward, backward, atol=1e-2)


def test_computes_in_its_dtype():
  layer = layers.TemporalRelation(3, dtype=jnp.bfloat16)
  got, params = layer.init_with_output(jax.random.key(0), _draw(2, 3, 4))
  assert got.dtype == jnp.bfloat16
  assert params["params"]["scale2"]["expand"]["kernel"].dtype == jnp.float32


@pytest.mark.parametrize("shape", [(2, 1, 4), (3, 4), (2, 3, 4, 5)])
def test_rejects_other_shapes(shape):
  with pytest.raises(ValueError, match="at least 2 frames"):
    layers.TemporalRelation(3).init(jax.random.key(0), _draw(*shape))
