import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import ops
from tests.support.examples import FRAME_MAP, OperatorExample

OPERATOR_EXAMPLES = {
  "drop_path": OperatorExample(
    lambda x: ops.drop_path(jax.random.key(0), x, rate=0.4),
    clips=(FRAME_MAP,),
    laws=False,
  ),
}


def _branch(*shape):
  return np.random.default_rng(0).standard_normal(shape, np.float32)


def test_keeps_the_expectation():
  x = _branch(3, 2)
  keys = jax.random.split(jax.random.key(0), 8192)
  out = jax.vmap(lambda key: ops.drop_path(key, x, rate=0.3))(keys)
  np.testing.assert_allclose(out.mean(axis=0), x, atol=0.06)
  np.testing.assert_allclose(np.mean(out == 0, axis=0), 0.3, atol=0.03)


def test_a_clip_is_kept_whole_or_dropped_whole():
  x = _branch(64, 5, 3)
  out = np.asarray(ops.drop_path(jax.random.key(0), x, rate=0.25))
  for clip, result in zip(x, out, strict=True):
    if result.any():
      np.testing.assert_allclose(result, clip / 0.75, rtol=1e-6)
  dropped = ~out.any(axis=(1, 2))
  assert 0 < dropped.sum() < len(x)


def test_folded_frames_go_together():
  frames = 4
  x = _branch(32 * frames, 3)
  out = ops.drop_path(jax.random.key(1), x, rate=0.5, num_frames=frames)
  dropped = np.asarray(out == 0).all(axis=1).reshape(-1, frames)
  np.testing.assert_array_equal(dropped, dropped[:, :1].repeat(frames, axis=1))
  assert 0 < dropped[:, 0].sum() < len(dropped)


def test_folding_equals_the_unfolded_clip():
  x = _branch(6, 4, 3)
  key = jax.random.key(2)
  want = ops.drop_path(key, x, rate=0.5)
  got = ops.drop_path(key, x.reshape(-1, 3), rate=0.5, num_frames=4)
  np.testing.assert_array_equal(got.reshape(x.shape), want)


def test_rate_zero_changes_nothing():
  x = _branch(4, 2)
  np.testing.assert_array_equal(ops.drop_path(jax.random.key(0), x, rate=0.0), x)


def test_under_jit_and_with_gradient():
  x = _branch(8, 2)

  def drop(x):
    return ops.drop_path(jax.random.key(3), x, rate=0.5)

  out = jax.jit(drop)(x)
  np.testing.assert_allclose(out, drop(x), rtol=1e-6)
  gradient = jax.grad(lambda x: jnp.sum(drop(x)))(x)
  np.testing.assert_allclose(gradient, np.where(np.asarray(out) == 0, 0, 2.0))


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_keeps_dtype(dtype):
  x = jnp.ones((4, 2), dtype)
  assert ops.drop_path(jax.random.key(0), x, rate=0.5).dtype == dtype


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5])
def test_rejects_wrong_rate(rate):
  with pytest.raises(ValueError, match=f"rate must be .*{rate}"):
    ops.drop_path(jax.random.key(0), np.ones((2, 3), np.float32), rate=rate)


def test_rejects_frames_that_do_not_divide():
  with pytest.raises(ValueError, match="4 frames do not divide"):
    ops.drop_path(
      jax.random.key(0), np.ones((6, 3), np.float32), rate=0.1, num_frames=4
    )
