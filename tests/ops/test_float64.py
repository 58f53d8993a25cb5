"""Operators in float64: nothing inside has fewer bits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.support.examples import draw_arrays, operator_examples

EVERY = operator_examples()


@pytest.mark.parametrize("name", EVERY)
def test_float64_is_never_narrowed(name):
  """No array of the computation or its gradients is float32.

  The text of a traced function holds what it is on every platform.
  """
  example = EVERY[name]
  clips, shared = draw_arrays(example)

  def loss(*arrays):
    leaves = jax.tree.leaves(example.op(*arrays))
    floats = [x for x in leaves if jnp.issubdtype(x.dtype, jnp.floating)]
    return sum((jnp.sum(jnp.square(x)) for x in floats), jnp.zeros(()))

  with jax.enable_x64(True):
    arrays = [jax.ShapeDtypeStruct(x.shape, jnp.float64) for x in (*clips, *shared)]
    gradient = jax.grad(loss, tuple(range(len(arrays))))
    for function in (example.op, gradient):
      assert "f32" not in str(jax.make_jaxpr(function)(*arrays))
    for leaf in jax.tree.leaves(jax.eval_shape(example.op, *arrays)):
      assert leaf.dtype == (jnp.int32 if name == "match_patches" else float)


@pytest.mark.parametrize("name", ["attention", "convolution_2d by Winograd"])
def test_float64_slopes_are_those_of_small_steps(name):
  """In float32 the steps would leave no digit."""
  example = EVERY[name]
  rng = np.random.default_rng(1)
  clips, shared = draw_arrays(example, 1, 1)
  with jax.enable_x64(True):
    arrays = [jnp.asarray(x, jnp.float64) for x in (*clips, *shared)]
    steps = [jnp.asarray(rng.standard_normal(x.shape)) for x in arrays]
    weights = rng.standard_normal(jax.eval_shape(example.op, *arrays).shape)

    @jax.jit
    def value(*arrays):
      return jnp.sum(jnp.sin(example.op(*arrays)) * weights)

    there, back = (
      value(*(x + sign * 1e-6 * s for x, s in zip(arrays, steps, strict=True)))
      for sign in (1, -1)
    )
    slopes = jax.grad(value, tuple(range(len(arrays))))(*arrays)
    along = sum(jnp.vdot(a, b) for a, b in zip(slopes, steps, strict=True))
    np.testing.assert_allclose((there - back) / 2e-6, along, rtol=1e-6)
