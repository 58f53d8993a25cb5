"""Properties of every operator."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import ops
from tests.support.examples import draw_arrays, operator_examples
from tests.support.public_names import public_names

EVERY = operator_examples()
EXAMPLES = {
  name: example
  for name, example in EVERY.items()
  if example.laws and not example.lowering
}
REVERSE_ONLY = [name for name, example in EXAMPLES.items() if example.reverse_only]


@pytest.fixture(params=EXAMPLES, ids=str)
def example(request):
  return EXAMPLES[request.param]


def _near(got, want, tolerance):
  got, want = (np.asarray(x, np.float64) for x in (got, want))
  assert np.linalg.norm(got - want) <= tolerance * np.linalg.norm(want)


def test_no_operator_is_missing():
  whole = {name for name, example in EVERY.items() if not example.lowering}
  assert {name.split()[0] for name in whole} == set(public_names(ops))


@pytest.mark.parametrize("batch", [1, 2])  # XLA drops axes of one.
def test_jit_is_eager(example, batch):
  clips, shared = draw_arrays(example, batch)
  _near(jax.jit(example.op)(*clips, *shared), example.op(*clips, *shared), 1e-6)


def test_clips_are_apart(example):
  """A batch is its clips one by one, also under vmap."""
  clips, shared = draw_arrays(example)
  whole = example.op(*clips, *shared)
  each = [
    example.op(*(clip[i : i + 1] for clip in clips), *shared)[0] for i in range(2)
  ]
  _near(np.stack(each), whole, 1e-6)
  mapped = jax.vmap(lambda *clips: example.op(*(c[None] for c in clips), *shared)[0])
  _near(mapped(*clips), whole, 1e-6)


@pytest.mark.parametrize("frames", [1, 2])
def test_short_clips_work(example, frames):
  clips, shared = draw_arrays(example, frames=frames)
  assert np.isfinite(example.op(*clips, *shared)).all()


def test_bfloat16_stays_near_and_keeps_its_dtype(example):
  clips, shared = draw_arrays(example)
  halves = [jnp.asarray(array, jnp.bfloat16) for array in (*clips, *shared)]
  half = example.op(*halves)
  assert half.dtype == jnp.bfloat16
  _near(half, example.op(*clips, *shared), 3e-2)


def test_gradients_are_finite(example):
  clips, shared = draw_arrays(example)

  def loss(*arrays):
    return jnp.sum(jnp.square(example.op(*arrays)))

  count = len(clips) + len(shared)
  for gradient in jax.grad(loss, argnums=tuple(range(count)))(*clips, *shared):
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


def test_reversing_time_changes_temporal_operators_alone(example):
  """Backwards in is backwards out, unless past and future are told apart."""
  clips, shared = draw_arrays(example)
  forth = np.asarray(example.op(*clips, *shared))
  back = example.op(*(clip[:, ::-1] for clip in clips), *shared)
  back = np.asarray(back)[:, ::-1]
  change = np.linalg.norm(forth - back) / np.linalg.norm(forth)
  assert change > 0.1 if example.temporal else change < 1e-5


@pytest.mark.parametrize("name", [n for n in EXAMPLES if n not in REVERSE_ONLY])
def test_forward_mode_agrees_with_reverse_mode(name):
  clips, shared = draw_arrays(EXAMPLES[name])
  arrays = (*clips, *shared)
  tangents = [np.roll(array, 1).astype(np.float32) for array in arrays]
  out, along = jax.jvp(EXAMPLES[name].op, arrays, tuple(tangents))
  weights = np.random.default_rng(1).standard_normal(out.shape, np.float32)
  gradients = jax.vjp(EXAMPLES[name].op, *arrays)[1](weights)
  found = sum(map(np.vdot, gradients, tangents))
  np.testing.assert_allclose(np.vdot(weights, along), found, rtol=1e-4)


@pytest.mark.parametrize("name", REVERSE_ONLY)
def test_second_derivatives_are_symmetric(name):
  clips, shared = draw_arrays(EXAMPLES[name])
  arrays = (*clips, *shared)

  def loss(*arrays):
    return jnp.sum(jnp.tanh(EXAMPLES[name].op(*arrays)))

  everything = tuple(range(len(arrays)))

  @jax.jit
  def hessian_times(direction):
    def slope(*arrays):
      gradients = jax.grad(loss, everything)(*arrays)
      return sum(map(jnp.vdot, gradients, direction))

    return jax.grad(slope, everything)(*arrays)

  rng = np.random.default_rng(1)
  one, other = (
    tuple(rng.standard_normal(x.shape, np.float32) for x in arrays) for _ in range(2)
  )
  found, wanted = (
    sum(map(np.vdot, hessian_times(x), y)) for x, y in ((one, other), (other, one))
  )
  np.testing.assert_allclose(found, wanted, rtol=1e-3)


@pytest.mark.parametrize("name", REVERSE_ONLY)
def test_forward_mode_is_refused(name):
  clips, shared = draw_arrays(EXAMPLES[name])
  with pytest.raises(TypeError, match="forward-mode"):
    jax.jvp(EXAMPLES[name].op, (*clips, *shared), (*clips, *shared))
