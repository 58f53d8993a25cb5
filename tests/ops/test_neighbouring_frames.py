import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from tests.support.examples import FRAME_MAP, OperatorExample

OPERATOR_EXAMPLES = {
  "context_frames": OperatorExample(
    ops.context_frames, clips=(FRAME_MAP,), temporal=True
  ),
  "anchor_frames": OperatorExample(
    functools.partial(ops.anchor_frames, length=1), clips=(FRAME_MAP,), laws=False
  ),
}


def _context(x, length):
  """The definition, frame by frame."""
  batch, frames, *rest = x.shape
  out = np.zeros((batch, frames, length, *rest))
  for t in range(frames):
    for place in range(length):
      source = t + place - length // 2
      if 0 <= source < frames:
        out[:, t, place] = x[:, source]
  return out


@settings(max_examples=10, deadline=None)
@given(frames=st.integers(1, 6), reach=st.integers(0, 3))
def test_gathers_the_frames_around(frames, reach):
  x = np.random.default_rng(0).standard_normal((2, frames, 2, 3, 4), np.float32)
  length = 2 * reach + 1
  got = jax.jit(lambda x: ops.context_frames(x, length=length))(x)
  np.testing.assert_array_equal(got, _context(x, length))


def test_the_anchor_of_several_contexts_is_the_frame():
  x = np.random.default_rng(0).standard_normal((1, 3, 2, 1, 4), np.float32)
  np.testing.assert_array_equal(ops.anchor_frames(x, length=3), x)


@pytest.mark.parametrize("frames", [1, 4])
def test_the_anchor_of_one_context_is_the_frame_before(frames):
  x = np.arange(frames, dtype=np.float32).reshape(1, frames, 1, 1, 1)
  got = ops.anchor_frames(x, length=1).ravel()
  np.testing.assert_array_equal(got, [0, 0, 1, 2][:frames])


@pytest.mark.parametrize("function", [ops.context_frames, ops.anchor_frames])
def test_keeps_dtype(function):
  assert function(jnp.ones((1, 2, 1, 1, 3), jnp.bfloat16)).dtype == jnp.bfloat16


@pytest.mark.parametrize("function", [ops.context_frames, ops.anchor_frames])
@pytest.mark.parametrize("length", [0, 2, -1])
def test_rejects_an_even_length(function, length):
  with pytest.raises(ValueError, match=f"length must be odd .* {length}"):
    function(np.zeros((1, 2, 1, 1, 3), np.float32), length=length)


@pytest.mark.parametrize("function", [ops.context_frames, ops.anchor_frames])
@pytest.mark.parametrize(
  "x", [np.zeros((2, 1, 1, 3)), np.zeros((1, 2, 1, 1, 3), np.int32)]
)
def test_rejects_wrong_features(function, x):
  with pytest.raises(ValueError, match=r"x must be .* got"):
    function(x)
