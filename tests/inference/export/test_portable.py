import jax
import jax.export
import jax.numpy as jnp
import numpy as np

from temporal_jax import ops
from temporal_jax.inference.export.portable import write_out


@jax.custom_vjp
def _cube(x):
  return x**3


_cube.defvjp(lambda x: (x**3, x), lambda x, gradient: (gradient * x,))


def _steps(jaxpr):
  for step in jaxpr.eqns:
    yield step.primitive.name
    for inner in jax.extend.core.jaxprs_in_params(step.params):
      yield from _steps(inner)


def _function(x):
  pooled = ops.max_pool_2d(x, size=2, stride=2)
  shifted = ops.temporal_shift(pooled, fold_div=2)
  return {"b": _cube(jax.nn.relu(shifted)), "a": x.sum()}


def test_only_plain_steps_are_left():
  batch = jax.export.symbolic_shape("b")
  shape = jax.ShapeDtypeStruct((*batch, 3, 4, 4, 2), jnp.float32)
  program = jax.make_jaxpr(jax.jit(_function))(shape)
  before = set(_steps(program.jaxpr))
  assert {"platform_index", "cond", "reduce_window_max", "jit"} <= before
  after = set(_steps(jax.make_jaxpr(write_out(program))(shape).jaxpr))
  assert not {name for name in after if "custom" in name or "jit" in name}
  assert not after & {"platform_index", "cond", "reduce_window_max", "scan"}


def test_does_the_same():
  x = np.random.default_rng(0).standard_normal((2, 3, 4, 4, 2), np.float32)
  total, got = write_out(jax.make_jaxpr(_function)(x))(x)
  pooled = x.reshape(2, 3, 2, 2, 2, 2, 2).max(axis=(3, 5))
  want = np.zeros_like(pooled)
  want[:, :-1, ..., 0] = pooled[:, 1:, ..., 0]  # From the frame behind,
  want[:, 1:, ..., 1] = pooled[:, :-1, ..., 1]  # and from that before.
  np.testing.assert_allclose(got, np.maximum(want, 0) ** 3, rtol=1e-6)
  np.testing.assert_allclose(total, x.sum(), rtol=1e-5)
