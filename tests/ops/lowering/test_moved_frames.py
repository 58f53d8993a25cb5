"""Sums and maxima of moved frames, against loops; a CPU takes neither."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.ops import shift
from temporal_jax.ops.lowering.moved_frames import max_moved, move, sum_moved


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _weigh(k, frames, kernel):
  return frames * kernel[k][None, None, None]


def _as_indexed(x, kernel, moves, stride):
  """The sum, frame by frame."""
  frames = []
  for t in range(0, x.shape[1], stride):
    inside = [k for k, by in enumerate(moves) if 0 <= t - by < x.shape[1]]
    frame = jnp.zeros_like(x[:, 0])
    for k in inside:
      frame += kernel[k][None, None] * x[:, t - moves[k]]
    frames.append(frame)
  return jnp.stack(frames, axis=1)


@pytest.mark.parametrize("by", [-9, -1, 0, 2, 9])
def test_moves_fill_with_what_is_outside(by):
  x = _draw(1, 4, 3)
  want = [x[0, t - by] if 0 <= t - by < 4 else np.full(3, 7) for t in range(4)]
  np.testing.assert_array_equal(move(x, by, outside=7.0)[0], np.stack(want))


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("frames", [1, 2, 5])
@pytest.mark.parametrize("moves", [(1, 0, -1), (3, 0), (-2, 7)])
def test_sums_and_gradients_of_any_order(moves, frames, stride):
  x, kernel = _draw(2, frames, 3, 4), _draw(len(moves), 4, seed=1)
  got = functools.partial(sum_moved, _weigh, moves, stride=stride)
  want = functools.partial(_as_indexed, moves=moves, stride=stride)
  directions = _draw(*x.shape, seed=2), _draw(*kernel.shape, seed=3)

  def squares(add, x, kernel):
    return jnp.sum(jnp.tanh(add(x, kernel)))

  def slopes(add, x, kernel):
    found = jax.grad(functools.partial(squares, add), (0, 1))(x, kernel)
    return sum(map(jnp.vdot, found, directions))

  np.testing.assert_allclose(got(x, kernel), want(x, kernel), rtol=1e-5, atol=1e-6)
  for measure in (squares, slopes):
    pairs = [
      jax.jit(jax.grad(functools.partial(measure, add), (0, 1)))(x, kernel)
      for add in (got, want)
    ]
    for found, wanted in zip(*pairs, strict=True):
      np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
  along = [jax.jvp(add, (x, kernel), directions)[1] for add in (got, want)]
  np.testing.assert_allclose(*along, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_folds_are_shifted_channels(fold):
  x, weight = _draw(2, 5, 3, 9), _draw(2, 5, 3, 9, seed=1)
  offsets = (1, -1, 2, -2)
  found, wanted = (
    jax.value_and_grad(lambda x, move=move: jnp.sum(weight * move(x, fold, offsets)))(x)
    for move in (shift.sum_folds, shift.shift_channels)
  )
  np.testing.assert_allclose(found[0], wanted[0], rtol=1e-6)
  np.testing.assert_array_equal(found[1], wanted[1])
  np.testing.assert_array_equal(
    shift.sum_folds(x, fold, offsets), shift.shift_channels(x, fold, offsets)
  )


@pytest.mark.parametrize("reach", [0, 1, 2])
@pytest.mark.parametrize("frames", [1, 2, 6])
def test_maxima_share_gradients_as_autodiff_does(reach, frames):
  # Whole numbers, so that there are ties.
  x = np.round(_draw(2, frames, 3, 4))
  weight = _draw(*x.shape, seed=1)

  def reduced(x):
    views = [move(x, k, outside=-jnp.inf) for k in range(reach, -reach - 1, -1)]
    return functools.reduce(jnp.maximum, views)

  got = functools.partial(max_moved, reach=reach)
  np.testing.assert_array_equal(got(x), reduced(x))
  found, wanted = (
    jax.jit(jax.grad(lambda x, take=take: jnp.sum(weight * take(x) ** 2)))(x)
    for take in (got, reduced)
  )
  np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)
  along = [jax.jvp(take, (x,), (weight,))[1] for take in (got, reduced)]
  np.testing.assert_allclose(*along, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_dtypes_stay(dtype):
  x = jnp.ones((1, 3, 2, 4), dtype)
  kernel = jnp.ones((3, 4), dtype)

  def add(x, kernel):
    total = sum_moved(_weigh, (1, 0, -1), x, kernel) + max_moved(x, 1)
    return jnp.sum(total), total

  gradients, total = jax.grad(add, (0, 1), has_aux=True)(x, kernel)
  dtypes = {total.dtype, *(gradient.dtype for gradient in gradients)}
  assert dtypes == {jnp.dtype(dtype)}


def test_vmap_is_a_loop():
  x, kernels = _draw(3, 1, 4, 2, 5), _draw(3, 3, 5, seed=1)

  def slopes(x, kernel):
    def loss(x, kernel):
      total = sum_moved(_weigh, (1, 0, -1), x, kernel)
      return jnp.sum(total**2) + jnp.sum(max_moved(x, 1) ** 2)

    return jax.grad(loss, (0, 1))(x, kernel)

  mapped = jax.vmap(slopes)(x, kernels)
  for i in range(3):
    for found, wanted in zip(mapped, slopes(x[i], kernels[i]), strict=True):
      np.testing.assert_allclose(found[i], wanted, rtol=1e-5, atol=1e-6)
