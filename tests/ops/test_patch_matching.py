import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import linear_sum_assignment

from temporal_jax import ops
from tests.support.examples import FRAME_TOKENS, OperatorExample


def _reorder(x):
  order = jnp.broadcast_to(jnp.arange(x.shape[2])[::-1], x.shape[:3])
  return ops.permute_patches(x, order)


OPERATOR_EXAMPLES = {
  "match_patches": OperatorExample(
    ops.match_patches, clips=(FRAME_TOKENS,), laws=False
  ),
  "permute_patches": OperatorExample(_reorder, clips=(FRAME_TOKENS,), laws=False),
}


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _followed(x):
  """Paths of the first frame's patches, by SciPy in float64."""
  x = x.astype(np.float64)
  x /= np.linalg.norm(x, axis=-1, keepdims=True)
  out = np.zeros(x.shape[:3], int)
  for b, clip in enumerate(x):
    out[b, 0] = np.arange(x.shape[2])
    for t in range(1, len(clip)):
      similarity = clip[t - 1] @ clip[t].T
      _, partners = linear_sum_assignment(similarity, maximize=True)
      out[b, t] = partners[out[b, t - 1]]
  return out


@settings(max_examples=6, deadline=None)
@given(
  batch=st.integers(1, 3),
  frames=st.integers(1, 4),
  patches=st.integers(1, 8),
  seed=st.integers(0, 99),
)
def test_matches_scipy(batch, frames, patches, seed):
  x = _draw(batch, frames, patches, 5, seed=seed)
  got = ops.match_patches(x)
  assert got.dtype == jnp.int32
  np.testing.assert_array_equal(got, _followed(x))


def test_finds_a_known_motion():
  rng = np.random.default_rng(0)
  objects = rng.standard_normal((2, 9, 6)).astype(np.float32)
  place = np.stack(
    [[rng.permutation(9) for _ in range(5)] for _ in range(2)]
  )  # Place of each object in each frame.
  place[:, 0] = np.arange(9)
  x = np.zeros((2, 5, 9, 6), np.float32)
  for b in range(2):
    for t in range(5):
      brightness = 0.5 + t  # A cosine does not mind.
      x[b, t, place[b, t]] = brightness * objects[b]
  order = ops.match_patches(x)
  np.testing.assert_array_equal(order, place)
  aligned = np.asarray(ops.permute_patches(x, order))
  for t in range(5):
    np.testing.assert_allclose(aligned[:, t] / (0.5 + t), objects, rtol=1e-6)


@pytest.mark.parametrize("patches", [1, 2, 7])
def test_other_platforms_agree(monkeypatch, patches):
  x = _draw(2, 4, patches, 5)
  want = ops.match_patches(x)
  monkeypatch.setattr(
    jax.lax, "platform_dependent", lambda x, *, cpu, default: default(x)
  )
  np.testing.assert_array_equal(ops.match_patches(x), want)


def test_long_clips_are_no_longer_programs():
  def equations(frames):
    x = jax.ShapeDtypeStruct((1, frames, 4, 5), np.float32)
    return len(jax.make_jaxpr(ops.match_patches)(x).eqns)

  assert equations(3) == equations(40)


def test_under_jit_vmap_and_in_bfloat16():
  x = _draw(2, 3, 6, 16)
  want = _followed(x)
  np.testing.assert_array_equal(jax.jit(ops.match_patches)(x), want)
  mapped = jax.vmap(lambda x: ops.match_patches(x[None])[0])(x)
  np.testing.assert_array_equal(mapped, want)
  low = jnp.asarray(x, jnp.bfloat16)
  np.testing.assert_array_equal(
    ops.match_patches(low), _followed(np.asarray(low, np.float32))
  )


def test_no_gradient_flows_through_the_matching():
  x = _draw(1, 3, 4, 5)

  def total(source, x):
    order = ops.match_patches(source)
    weights = np.arange(x.size, dtype=np.float32).reshape(x.shape)
    return jnp.sum(weights * ops.permute_patches(x, order))

  through_matching, through_patches = jax.grad(total, (0, 1))(x, x)
  np.testing.assert_array_equal(through_matching, 0)
  weights = np.arange(x.size, dtype=np.float32).reshape(x.shape)
  back = ops.permute_patches(weights, ops.match_patches(x), inverse=True)
  np.testing.assert_array_equal(through_patches, back)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
@pytest.mark.parametrize("place", [2, slice(None)])
def test_ends_on_patches_without_a_direction(place, value):
  x = _draw(1, 3, 5, 4)
  x[:, 1, place] = value
  order = jax.jit(ops.match_patches)(x)
  np.testing.assert_array_equal(
    np.sort(order), np.broadcast_to(np.arange(5), (1, 3, 5))
  )


def test_inverse_undoes_the_order():
  x = _draw(2, 3, 5, 4)
  rng = np.random.default_rng(1)
  order = rng.permuted(np.tile(np.arange(5), (2, 3, 1)), axis=-1)
  moved = ops.permute_patches(x, order)
  for b, t, n in np.ndindex(2, 3, 5):
    np.testing.assert_array_equal(moved[b, t, n], x[b, t, order[b, t, n]])
  back = ops.permute_patches(moved, order, inverse=True)
  np.testing.assert_array_equal(back, x)
  assert ops.permute_patches(jnp.asarray(x, jnp.bfloat16), order).dtype == (
    jnp.bfloat16
  )


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 2, 3, 4, 5)])
def test_rejects_other_ranks(shape):
  x = np.zeros(shape, np.float32)
  with pytest.raises(ValueError, match="x must be"):
    ops.match_patches(x)
  with pytest.raises(ValueError, match="x must be"):
    ops.permute_patches(x, np.zeros((2, 3, 4), int))


def test_rejects_orders_that_do_not_fit():
  x = np.zeros((2, 3, 4, 5), np.float32)
  with pytest.raises(ValueError, match=r"order must be \(2, 3, 4\), got"):
    ops.permute_patches(x, np.zeros((2, 3, 5), int))
