import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import ops
from temporal_jax.ops.lowering import materialize


def _twice(x):
  return x + 2 * x[::-1]


def test_apart_is_the_function_its_gradient_and_its_map():
  x = jnp.arange(6.0).reshape(2, 3)
  apart = jax.tree_util.Partial(materialize.apart, _twice)
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


@pytest.mark.skipif(
  jax.default_backend() != "cpu", reason="Other backends fuse as they like."
)
def test_gradients_of_a_residual_stream_are_added_up_once():
  def loss(kernels, x, hold):
    for kernel in kernels:
      x = hold(x)
      middle = x - x.mean(axis=-1, keepdims=True)
      scale = jnp.sqrt(jnp.square(middle).mean(axis=-1, keepdims=True) + 1e-5)
      x = x + jnp.tanh((middle / scale) @ kernel)
    return jnp.sum(jnp.square(x))

  kernels = list(jax.random.normal(jax.random.key(0), (12, 64, 64)) / 8)
  x = jax.random.normal(jax.random.key(1), (200, 64))
  most, results = [], []
  for hold in (lambda x: x, materialize.written_out):
    step = jax.jit(jax.value_and_grad(lambda k, x, h=hold: loss(k, x, h)))
    compiled = step.lower(kernels, x).compile()
    operands = re.findall(r"fusion\((.*?)\), kind", compiled.as_text())
    most.append(max(words.count(",") + 1 for words in operands))
    results.append(compiled(kernels, x))
  assert most[0] > 1.5 * most[1]
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3),
    *results,
  )
