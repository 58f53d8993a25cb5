"""Assignment problems of a batch against SciPy's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import linear_sum_assignment

from temporal_jax.ops.lowering.batched_assignment import assign

_assign = jax.jit(assign)


def _totals(cost, columns):
  return np.take_along_axis(cost, columns[..., None], axis=2).sum(axis=(1, 2))


def _least(cost):
  return [problem[linear_sum_assignment(problem)].sum() for problem in cost]


def _check(cost):
  columns = np.asarray(_assign(cost))
  assert columns.dtype == np.int32
  rows = np.broadcast_to(np.arange(cost.shape[1]), columns.shape)
  np.testing.assert_array_equal(np.sort(columns), rows)
  cost = np.asarray(cost, np.float64)
  np.testing.assert_allclose(_totals(cost, columns), _least(cost), atol=1e-5)
  return columns


@settings(max_examples=20, deadline=None)
@given(
  problems=st.sampled_from([1, 3]),
  size=st.sampled_from([1, 2, 3, 6, 11]),
  values=st.sampled_from([1, 2, 3, 1000]),
  seed=st.integers(0, 999),
)
def test_ties_do_not_cost_anything(problems, size, values, seed):
  rng = np.random.default_rng(seed)
  cost = rng.integers(-values, values, (problems, size, size), endpoint=True)
  _check(cost.astype(np.float32))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_finds_the_only_cheapest_assignment(scale):
  rng = np.random.default_rng(0)
  cost = (scale * rng.standard_normal((4, 30, 30))).astype(np.float32)
  columns = _check(cost / scale)
  for problem, got in zip(cost, _assign(cost), strict=True):
    np.testing.assert_array_equal(got, linear_sum_assignment(problem)[1])
  np.testing.assert_array_equal(columns, _assign(cost))


def test_problems_are_apart():
  """A problem that ends soon waits for the others unchanged."""
  rng = np.random.default_rng(0)
  cost = rng.standard_normal((3, 12, 12)).astype(np.float32)
  cost[1] = -np.eye(12)[::-1]
  whole = _assign(cost)
  for i in range(3):
    np.testing.assert_array_equal(whole[i], _assign(cost[i : i + 1])[0])
  np.testing.assert_array_equal(whole[1], np.arange(12)[::-1])
  mapped = jax.vmap(assign)(jnp.stack([cost, cost[::-1]]))
  np.testing.assert_array_equal(mapped, jnp.stack([whole, whole[::-1]]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_costs_that_are_not_finite_count_as_zero(value):
  cost = np.array([[[value, -1.0], [-2.0, value]], [[value] * 2] * 2], np.float32)
  np.testing.assert_array_equal(_assign(cost), [[1, 0], [0, 1]])
  np.testing.assert_array_equal(_assign(cost[:0]), np.zeros((0, 2)))
