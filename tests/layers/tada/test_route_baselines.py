import functools

import jax
import numpy as np
import pytest

from temporal_jax import layers
from tests.support.examples import layer_example

# Route function, whether it tells frames apart, whether it sees their order.
BASELINES = {
  "learned": (layers.LearnedCalibration, False, False),
  "learned per frame": (
    functools.partial(layers.LearnedCalibration, per_frame=True),
    True,
    False,
  ),
  "DynamicFilter": (layers.ClipCalibration, False, False),
  "DDF": (
    functools.partial(layers.ClipCalibration, per_frame=True),
    True,
    False,
  ),
  "TANet, global": (
    functools.partial(layers.AdaptiveModule, local=False),
    False,
    True,
  ),
  "TANet": (layers.AdaptiveModule, True, True),
}

LAYER_EXAMPLES = {
  "AdaptiveModule": layer_example(layers.AdaptiveModule),
  "ClipCalibration": layer_example(layers.ClipCalibration),
  "LearnedCalibration": layer_example(layers.LearnedCalibration),
}


def _clip(seed=0):
  rng = np.random.default_rng(seed)
  return rng.standard_normal((2, 4, 3, 2, 32), np.float32)


@pytest.mark.parametrize("name", BASELINES)
def test_starts_at_exactly_one(name):
  route = BASELINES[name][0]
  got, _ = route(6).init_with_output(jax.random.key(0), _clip())
  np.testing.assert_array_equal(got, np.ones((2, 4, 6)))


@pytest.mark.parametrize("name", BASELINES)
def test_without_its_init_it_is_what_table_a8_says(name):
  route, varies, ordered = BASELINES[name]
  x = _clip()
  layer = route(identity_init=False)
  got, variables = layer.init_with_output(jax.random.key(0), x)
  assert got.shape == (2, 4, 32)
  assert np.abs(got - 1).min() > 1e-4
  assert bool(np.abs(got[:, 0] - got[:, 1]).max() > 1e-4) == varies
  backward = layer.apply(variables, x[:, ::-1])
  moved = np.abs(got - backward).max() > 1e-4
  assert bool(moved) == ordered


@pytest.mark.parametrize("name", ["DynamicFilter", "DDF", "TANet"])
def test_depends_on_the_clip(name):
  layer = BASELINES[name][0](identity_init=False)
  got, variables = layer.init_with_output(jax.random.key(0), _clip())
  other = layer.apply(variables, _clip(seed=1))
  assert np.abs(got - other).max() > 1e-4


def test_the_adaptive_module_is_a_product_of_its_branches():
  x = _clip()
  layer = layers.AdaptiveModule(identity_init=False)
  both, variables = layer.init_with_output(jax.random.key(0), x)
  alone = layers.AdaptiveModule(identity_init=False, local=False)
  params = {
    name: leaf
    for name, leaf in variables["params"].items()
    if name.startswith("global")
  }
  shared = alone.apply({**variables, "params": params}, x)
  seen = shared != 0  # Not where no unit of the global branch is active.
  local = both[seen] / shared[seen]
  assert (local > 0).all()
  assert (local < 1).all()


def test_the_adaptive_module_cannot_make_more_than_it_sees():
  with pytest.raises(ValueError, match="at most the 32 channels"):
    layers.AdaptiveModule(33).init(jax.random.key(0), _clip())
