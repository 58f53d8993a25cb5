import jax
import jax.numpy as jnp
import jax.test_util
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from temporal_jax.ops.space_time_attention import _over_heads, _over_places
from tests.support.examples import FRAME_HEADS, OperatorExample
from tests.support.loop_attention import loop_attention

PATTERNS = [ops.spatial_attention, ops.temporal_attention, ops.joint_attention]

OPERATOR_EXAMPLES = {
  "joint_attention": OperatorExample(
    ops.joint_attention, clips=(FRAME_HEADS,) * 3, symmetric=True, reverse_only=True
  ),
  "spatial_attention": OperatorExample(
    ops.spatial_attention, clips=(FRAME_HEADS,) * 3, reverse_only=True
  ),
  "temporal_attention": OperatorExample(
    ops.temporal_attention, clips=(FRAME_HEADS,) * 3, symmetric=True, reverse_only=True
  ),
}


def test_time_on_tpu_is_time_elsewhere():
  q, k, v = _draw((2, 3, 4, 2, 5), (2, 6, 4, 2, 5), (2, 6, 4, 2, 3))
  got, want = _over_places(q, k, v), _over_heads(q, k, v)
  np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)


def _draw(*shapes, seed=0):
  rng = np.random.default_rng(seed)
  return [rng.standard_normal(shape, np.float32) for shape in shapes]


def _masked_loop(q, k, v, sees):
  """Attention over all tokens, where only some are in sight.

  sees(t, n, t', n') tells whether token n of frame t sees n' of frame t'.
  """
  batch, frames, tokens, heads, _ = q.shape
  flat = [x.reshape(batch, -1, heads, x.shape[-1]) for x in (q, k, v)]
  places = [(t, n) for t in range(frames) for n in range(tokens)]
  mask = np.array([[sees(*a, *b) for b in places] for a in places])
  mask = np.broadcast_to(mask, (batch, heads, *mask.shape))
  return loop_attention(*flat, mask=mask).reshape(*q.shape[:-1], v.shape[-1])


@settings(max_examples=5, deadline=None)
@given(
  frames=st.integers(1, 3),
  tokens=st.integers(1, 4),
  heads=st.integers(1, 2),
  depth=st.integers(1, 3),
)
def test_patterns_match_masked_loop(frames, tokens, heads, depth):
  q, k, v = _draw(
    (2, frames, tokens, heads, 3),
    (2, frames, tokens, heads, 3),
    (2, frames, tokens, heads, depth),
  )
  sights = {
    ops.spatial_attention: lambda t, n, s, m: t == s,
    ops.temporal_attention: lambda t, n, s, m: n == m,
    ops.joint_attention: lambda t, n, s, m: True,
  }
  for pattern, sees in sights.items():
    want = _masked_loop(q, k, v, sees)
    np.testing.assert_allclose(pattern(q, k, v), want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_jit_vmap_and_dtype(pattern):
  q, k, v = _draw(*[(3, 4, 5, 2, 4)] * 3)
  eager = pattern(q, k, v)
  np.testing.assert_allclose(jax.jit(pattern)(q, k, v), eager, rtol=1e-6, atol=1e-6)
  one_by_one = jax.vmap(lambda *x: pattern(*(y[None] for y in x))[0])(q, k, v)
  np.testing.assert_allclose(one_by_one, eager, rtol=1e-6, atol=1e-6)
  small = pattern(*(jnp.asarray(x, jnp.bfloat16) for x in (q, k, v)))
  assert small.dtype == jnp.bfloat16
  error = np.linalg.norm(np.asarray(small, np.float32) - eager)
  assert error <= 3e-2 * np.linalg.norm(eager)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_gradients_are_those_of_finite_differences(pattern):
  q, k, v = _draw(*[(1, 2, 3, 1, 2)] * 3)
  jax.test_util.check_grads(pattern, (q, k, v), 1, modes=["rev"], rtol=2e-2)


@pytest.mark.parametrize("pattern", PATTERNS[1:])
def test_reversing_time_of_keys_and_values_changes_nothing(pattern):
  q, k, v = _draw(*[(1, 4, 3, 2, 4)] * 3)
  got = pattern(q, k[:, ::-1], v[:, ::-1])
  np.testing.assert_allclose(got, pattern(q, k, v), rtol=1e-5, atol=1e-5)
  shuffled = pattern(q, k[:, ::-1], v)
  assert not np.allclose(shuffled, pattern(q, k, v), atol=1e-3)


@pytest.mark.parametrize("pattern", PATTERNS[1:])
def test_keys_may_have_other_frames(pattern):
  q, k, v = _draw((2, 3, 4, 2, 5), (2, 6, 4, 2, 5), (2, 6, 4, 2, 5))
  assert pattern(q, k, v).shape == q.shape


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 2, 3, 4, 5, 6)])
def test_rejects_other_ranks(pattern, shape):
  x = np.zeros(shape, np.float32)
  with pytest.raises(ValueError, match=r"\(B, T, N, M, d\), got"):
    pattern(x, x, x)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_rejects_other_heads(pattern):
  q, k = np.zeros((1, 2, 3, 4, 5)), np.zeros((1, 2, 3, 2, 5))
  with pytest.raises(ValueError, match="got shapes"):
    pattern(q, k, k)
