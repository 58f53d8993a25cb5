import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from tests.support.examples import FRAME_MAP, OperatorExample

KINDS = ("context", "sum", "difference", "log_ratio")
COMBINE = {
  "context": lambda context, anchor: context,
  "sum": lambda context, anchor: context + anchor,
  "difference": lambda context, anchor: context - anchor,
  "log_ratio": lambda context, anchor: np.log((1 + abs(context)) / (1 + abs(anchor))),
}

OPERATOR_EXAMPLES = {
  "arithmetic_cue": OperatorExample(
    functools.partial(ops.arithmetic_cue, kind="difference"),
    clips=(FRAME_MAP,),
    temporal=True,
  ),
}


def _cue(x, kind, length):
  """The definition, frame by frame, in float64."""
  x = x.astype(np.float64)
  batch, frames, *rest = x.shape
  out = np.zeros((batch, frames, length, *rest))
  for t in range(frames):
    for place in range(length):
      source = t + place - length // 2
      anchor = x[:, max(t - 1, 0)] if length == 1 else x[:, t]
      inside = 0 <= source < frames
      context = x[:, source] if inside else np.zeros_like(anchor)
      out[:, t, place] = COMBINE[kind](context, anchor)
  return out


def _features(frames=4, seed=0):
  rng = np.random.default_rng(seed)
  return rng.standard_normal((2, frames, 2, 3, 4), np.float32)


@settings(max_examples=20, deadline=None)
@given(
  kind=st.sampled_from(KINDS),
  frames=st.integers(1, 5),
  reach=st.integers(0, 3),
)
def test_matches_the_definition(kind, frames, reach):
  x, length = _features(frames), 2 * reach + 1
  got = ops.arithmetic_cue(x, kind=kind, length=length)
  np.testing.assert_allclose(got, _cue(x, kind, length), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_later_frames_are_earlier_ones_in_the_reversed_clip(kind):
  x = _features()
  want = ops.arithmetic_cue(x, kind=kind, length=3)
  reverse = ops.arithmetic_cue(x[:, ::-1], kind=kind, length=3)
  np.testing.assert_array_equal(reverse[:, ::-1, ::-1], want)
  assert not np.allclose(reverse[:, ::-1], want)


@pytest.mark.parametrize("kind", KINDS)
def test_keeps_bfloat16(kind):
  x = _features()
  got = ops.arithmetic_cue(jnp.asarray(x, jnp.bfloat16), kind=kind)
  want = _cue(x, kind, 5)
  error = np.linalg.norm(np.asarray(got, np.float64) - want)
  assert got.dtype == jnp.bfloat16
  assert error < 3e-2 * np.linalg.norm(want)


def test_a_frame_differs_from_itself_by_nothing():
  got = ops.arithmetic_cue(_features(), kind="difference")
  assert not got[:, :, 2].any()


def test_the_gradient_at_zero_is_finite():
  def total(x):
    return ops.arithmetic_cue(x, kind="log_ratio").sum()

  assert np.isfinite(jax.grad(total)(jnp.zeros((1, 3, 1, 1, 2)))).all()


def test_rejects_an_unknown_kind():
  with pytest.raises(ValueError, match=r"kind must be one of .* 'ratio'"):
    ops.arithmetic_cue(_features(), kind="ratio")


@pytest.mark.parametrize("kind", KINDS)
def test_rejects_wrong_features(kind):
  with pytest.raises(ValueError, match="x must be"):
    ops.arithmetic_cue(np.zeros((2, 1, 1, 3), np.float32), kind=kind)
  with pytest.raises(ValueError, match="length must be odd"):
    ops.arithmetic_cue(_features(), kind=kind, length=4)
