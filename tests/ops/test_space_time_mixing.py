import functools

import jax
import jax.numpy as jnp
import jax.test_util
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from tests.support.examples import FRAME_HEADS, FRAME_TOKENS, OperatorExample
from tests.support.loop_attention import loop_attention

OPERATOR_EXAMPLES = {
  "append_summaries": OperatorExample(
    # The summaries stand in the order of their frames.
    lambda x, y: ops.append_summaries(x, y).sum(axis=2),
    clips=(FRAME_TOKENS, FRAME_TOKENS),
    symmetric=True,
  ),
  "space_time_mixing_attention": OperatorExample(
    functools.partial(ops.space_time_mixing_attention, fold_div=3),
    clips=(FRAME_HEADS,) * 3,
    temporal=True,
    reverse_only=True,
  ),
}


def _draw(*shapes, seed=0):
  rng = np.random.default_rng(seed)
  return [rng.standard_normal(shape, np.float32) for shape in shapes]


def _mixed(x, window, fold_div):
  """Keys or values with channels of other frames, channel by channel."""
  _, frames, _, heads, width = x.shape
  fold = heads * width // fold_div
  out = np.array(x)
  for channel in range(heads * width):
    head, rest = divmod(channel, width)
    share = channel // fold if fold else 2 * window
    if share >= 2 * window:
      continue
    step = (share // 2 + 1) * (1 if share % 2 == 0 else -1)
    for t in range(frames):
      inside = 0 <= t + step < frames
      out[:, t, :, head, rest] = x[:, t + step, :, head, rest] if inside else 0
  return out


@settings(max_examples=6, deadline=None)
@given(
  frames=st.integers(1, 5),
  heads=st.integers(1, 3),
  width=st.integers(1, 6),
  window=st.integers(1, 3),
  spare=st.integers(0, 3),
)
def test_mixing_matches_loop(frames, heads, width, window, spare):
  q, k, v = _draw(*[(2, frames, 3, heads, width)] * 3)
  fold_div = 2 * window + spare
  got = ops.space_time_mixing_attention(q, k, v, window=window, fold_div=fold_div)
  want = loop_attention(q, _mixed(k, window, fold_div), _mixed(v, window, fold_div))
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_mixing_of_too_few_channels_is_spatial_attention():
  q, k, v = _draw(*[(1, 3, 4, 1, 5)] * 3)
  got = ops.space_time_mixing_attention(q, k, v, fold_div=8)
  np.testing.assert_array_equal(got, ops.spatial_attention(q, k, v))


def test_mixing_reads_the_neighbours_and_no_further():
  q, k, v = _draw(*[(1, 7, 3, 2, 8)] * 3)
  changed = v.copy()
  changed[:, 3] += 1
  mix = functools.partial(ops.space_time_mixing_attention, fold_div=4)
  differs = np.any(mix(q, k, changed) != mix(q, k, v), axis=(0, 2, 3, 4))
  np.testing.assert_array_equal(np.flatnonzero(differs), [2, 3, 4])


def test_reversing_time_changes_the_result():
  q, k, v = _draw(*[(1, 4, 3, 2, 8)] * 3)
  forward = ops.space_time_mixing_attention(q, k, v)
  backward = ops.space_time_mixing_attention(*(x[:, ::-1] for x in (q, k, v)))
  assert not np.allclose(forward, backward[:, ::-1], atol=1e-2)


def _flops(attend, frames):
  x = jax.ShapeDtypeStruct((1, frames, 16, 2, 16), jnp.float32)
  return jax.jit(attend).lower(x, x, x).compile().cost_analysis()["flops"]


def test_cost_grows_linearly_with_the_frames():
  mixing = [_flops(ops.space_time_mixing_attention, t) for t in (4, 16)]
  joint = [_flops(ops.joint_attention, t) for t in (4, 16)]
  assert mixing[1] / mixing[0] == pytest.approx(4, rel=0.1)
  assert joint[1] / joint[0] == pytest.approx(16, rel=0.1)
  within = _flops(ops.spatial_attention, 16)
  x = jax.ShapeDtypeStruct((1, 16, 16, 32), jnp.float32)
  shift = jax.jit(ops.temporal_shift).lower(x).compile().cost_analysis()
  # Attention within frames, and the choices that shift keys and values.
  assert mixing[1] == pytest.approx(within + 2 * shift["flops"], rel=0.05)


def test_mixing_under_jit_vmap_grad_and_in_bfloat16():
  q, k, v = _draw(*[(2, 3, 4, 2, 8)] * 3)
  mix = ops.space_time_mixing_attention
  eager = mix(q, k, v)
  np.testing.assert_allclose(jax.jit(mix)(q, k, v), eager, rtol=1e-6, atol=1e-6)
  mapped = jax.vmap(lambda *x: mix(*(y[None] for y in x))[0])(q, k, v)
  np.testing.assert_allclose(mapped, eager, rtol=1e-6, atol=1e-6)
  small = mix(*(jnp.asarray(x, jnp.bfloat16) for x in (q, k, v)))
  assert small.dtype == jnp.bfloat16
  error = np.linalg.norm(np.asarray(small, np.float32) - eager)
  assert error <= 3e-2 * np.linalg.norm(eager)
  jax.test_util.check_grads(mix, (q, k, v), 1, modes=["rev"], rtol=2e-2)


@settings(max_examples=5, deadline=None)
@given(frames=st.integers(1, 4), tokens=st.integers(1, 4))
def test_summaries_match_loop(frames, tokens):
  x, source = _draw((2, frames, tokens, 3), (2, frames, tokens + 1, 3))
  got = ops.append_summaries(x, source)
  assert got.shape == (2, frames, tokens + frames, 3)
  np.testing.assert_array_equal(got[:, :, :tokens], x)
  for t in range(frames):
    for s in range(frames):
      want = source[:, s, 1:].astype(np.float64).mean(axis=1)
      np.testing.assert_allclose(got[:, t, tokens + s], want, rtol=1e-5, atol=1e-6)


def test_summaries_let_every_frame_see_all():
  q, k, v = _draw(*[(1, 4, 5, 6)] * 3)

  def heads(x):
    return x.reshape(*x.shape[:-1], 2, 3)

  def attend(q, k, v):
    k, v = ops.append_summaries(k, k), ops.append_summaries(v, v)
    return ops.spatial_attention(heads(q), heads(k), heads(v))

  order = np.array([2, 0, 3, 1])
  got = attend(*(x[:, order] for x in (q, k, v)))
  np.testing.assert_allclose(got, attend(q, k, v)[:, order], rtol=1e-5, atol=1e-5)
  changed = v.copy()
  changed[:, 3, 1:] += 1
  differs = np.any(attend(q, k, changed) != attend(q, k, v), axis=(0, 2, 3, 4))
  assert differs.all()


def test_summaries_ignore_the_class_token_and_the_order_of_patches():
  (x,) = _draw((2, 3, 6, 4))
  shuffled = np.concatenate([-x[:, :, :1], x[:, :, :0:-1]], axis=2)
  got, want = ops.append_summaries(x, shuffled), ops.append_summaries(x, x)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_summaries_are_added_up_in_float32():
  x = jnp.full((1, 2, 4097, 1), 1.0, jnp.bfloat16)
  got = ops.append_summaries(x[:, :, :1], x)
  assert got.dtype == jnp.bfloat16
  np.testing.assert_array_equal(np.asarray(got, np.float32), 1)


@pytest.mark.parametrize(
  "source", [(2, 3, 1, 4), (2, 2, 5, 4), (1, 3, 5, 4), (2, 3, 5, 6)]
)
def test_rejects_sources_that_do_not_fit(source):
  with pytest.raises(ValueError, match=r"source must be .* got"):
    ops.append_summaries(
      np.zeros((2, 3, 5, 4), np.float32), np.zeros(source, np.float32)
    )


@pytest.mark.parametrize(
  ("options", "match"),
  [({"window": 0}, "window must be"), ({"fold_div": 1}, "fold_div must be")],
)
def test_rejects_wrong_options(options, match):
  x = np.zeros((1, 2, 3, 2, 4), np.float32)
  with pytest.raises(ValueError, match=match):
    ops.space_time_mixing_attention(x, x, x, **options)


def test_rejects_wrong_ranks():
  x = np.zeros((2, 3, 2, 4), np.float32)
  with pytest.raises(ValueError, match=r"\(B, T, N, M, d\)"):
    ops.space_time_mixing_attention(x, x, x)
  with pytest.raises(ValueError, match="x must be"):
    ops.append_summaries(x[0], x[0])
