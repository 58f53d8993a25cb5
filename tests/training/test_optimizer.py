import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from temporal_jax import training
from temporal_jax.training.parameter_groups import parameter_groups

PARAMS = {
  "body": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(3)},
  "head": {"kernel": jnp.ones((3, 2)), "bias": jnp.ones(2)},
}


def _create(name="sgd", rate=1.0, rules=None, **kwargs):
  groups = parameter_groups(PARAMS, **{"weight_decay": 0.0} | (rules or {}))
  schedule = rate if callable(rate) else optax.constant_schedule(rate)
  kwargs = {"momentum": 0.0} | kwargs
  return training.create_optimizer(name, schedule, groups, **kwargs)


def _update(optimizer, grads, steps=1):
  params, state = PARAMS, jax.jit(optimizer.init)(PARAMS)
  update = jax.jit(optimizer.update)
  for _ in range(steps):
    updates, state = update(grads, state, params)
    params = optax.apply_updates(params, updates)
  return updates, state


def test_no_limit_on_the_gradient():
  grads = jax.tree.map(lambda leaf: 100 * leaf, PARAMS)
  updates, _ = _update(_create(), grads)
  np.testing.assert_allclose(updates["head"]["kernel"], -100.0)


def test_the_limit_counts_trained_parameters_alone():
  """Only the head's 8 of 11 ones are trained: their norm is sqrt(8)."""
  grads = dict(PARAMS, body=jax.tree.map(lambda leaf: 1e6 * leaf, PARAMS["body"]))
  optimizer = _create(rules={"frozen": ("body/.*",)}, clip_norm=0.1)
  updates, _ = _update(optimizer, grads)
  for leaf in jax.tree.leaves(updates["head"]):
    np.testing.assert_allclose(leaf, -0.1 / np.sqrt(8), rtol=1e-6)
  for leaf in jax.tree.leaves(updates["body"]):
    np.testing.assert_array_equal(leaf, 0)


@pytest.mark.parametrize(("name", "trees"), [("adamw", 2), ("sgd", 1)])
def test_frozen_parameters_have_no_state(name, trees):
  optimizer = _create(name, rules={"frozen": ("body/.*",)})
  state = jax.eval_shape(optimizer.init, PARAMS)
  paths = [
    jax.tree_util.keystr(path, simple=True, separator="/")
    for path, leaf in jax.tree_util.tree_flatten_with_path(state)[0]
    if leaf.shape
  ]
  assert len(paths) == 2 * trees
  assert all(path.endswith(("head/kernel", "head/bias")) for path in paths)


def test_the_factor_multiplies_the_decay_too():
  """Without a gradient SGD moves a weight by rate x factor x decay."""
  rules = {"weight_decay": 0.1, "lr_factors": (("head/.*", 5.0),)}
  zeros = jax.tree.map(jnp.zeros_like, PARAMS)
  for name in ("sgd", "adamw"):
    updates, _ = _update(_create(name, 0.01, rules), zeros)
    np.testing.assert_allclose(updates["body"]["kernel"], -0.001, rtol=1e-6)
    np.testing.assert_allclose(updates["head"]["kernel"], -0.005, rtol=1e-6)
    np.testing.assert_array_equal(updates["head"]["bias"], 0)


def test_every_step_has_the_rate_of_its_number():
  optimizer = _create(rate=lambda step: 1.0 + step)
  updates, _ = _update(optimizer, PARAMS, steps=3)
  np.testing.assert_allclose(updates["body"]["kernel"], -3.0)


def test_groups_may_have_schedules_of_their_own():
  """As in ILA: factors scale the peak, and all end at the same rate."""

  def scaled(factor):
    return lambda step: jnp.where(step < 2, factor * 1.0, 0.25)

  rules = {"lr_factors": (("head/.*", 5.0),)}
  optimizer = _create(rules=rules, scaled_schedule=scaled)
  first, _ = _update(optimizer, PARAMS)
  last, _ = _update(optimizer, PARAMS, steps=3)
  np.testing.assert_allclose(first["body"]["bias"], -1.0)
  np.testing.assert_allclose(first["head"]["bias"], -5.0)
  np.testing.assert_allclose(last["body"]["bias"], -0.25)
  np.testing.assert_allclose(last["head"]["bias"], -0.25)


@pytest.mark.parametrize(
  ("kwargs", "message"),
  [
    ({"name": "adam"}, r"optimizer must be one of \['adamw', 'sgd'\], got 'adam'"),
    ({"momentum": 1.0}, r"momentum must be in \[0, 1\), got 1.0"),
    ({"betas": (0.9, 1.0)}, r"betas must be in \[0, 1\), got 1.0"),
    ({"clip_norm": -1.0}, "clip_norm must be at least 0, got -1.0"),
    ({"clip_norm": math.nan}, "clip_norm must be at least 0, got nan"),
    ({"betas": (0.9,)}, "betas must be two numbers"),
  ],
)
def test_what_makes_no_sense_is_refused(kwargs, message):
  with pytest.raises(ValueError, match=message):
    _create(**kwargs)


def test_parameters_without_a_group_are_refused():
  with pytest.raises(ValueError, match="parameter 'tail' is in no group"):
    _create().init({"tail": jnp.ones(2)})
