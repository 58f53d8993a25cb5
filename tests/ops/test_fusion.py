import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import ops
from temporal_jax.ops import fusion


def _twice(x):
  return x + 2 * x[::-1]


def test_apart_is_the_function_its_gradient_and_its_map():
  x = jnp.arange(6.0).reshape(2, 3)
  apart = jax.tree_util.Partial(fusion.apart, _twice)
  np.testing.assert_array_equal(jax.jit(apart)(x), _twice(x))
  np.testing.assert_array_equal(apart(x), _twice(x))
  np.testing.assert_array_equal(jax.vmap(apart)(x), jax.vmap(_twice)(x))
  got, want = (
    jax.grad(lambda x, f=f: jnp.square(f(x)).sum())(x) for f in (apart, _twice)
  )
  np.testing.assert_array_equal(got, want)


@pytest.mark.skipif(
  jax.default_backend() != "cpu", reason="Other backends fuse as they like."
)
@pytest.mark.parametrize(
  "operator",
  [
    ops.temporal_shift,
    lambda x: ops.temporal_aggregation(x, jnp.ones((3, x.shape[-1]))),
  ],
)
def test_what_makes_the_input_is_not_fused_with_the_operator(operator):
  x = jnp.ones((1, 4, 14, 14, 64))
  compiled = jax.jit(lambda x: operator(jnp.minimum(x, 0.5))).lower(x).compile()
  computations = compiled.as_text().split("\n\n")
  moves = [text for text in computations if " pad(" in text]
  assert moves
  assert not any(" minimum(" in text for text in moves)
