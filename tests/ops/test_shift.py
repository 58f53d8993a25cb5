import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import ops
from tests.support.examples import FRAME_MAP, FRAME_TOKENS, OperatorExample

OPERATOR_EXAMPLES = {
  "temporal_shift": OperatorExample(
    functools.partial(ops.temporal_shift, fold_div=3), clips=(FRAME_MAP,), temporal=True
  ),
  "token_shift": OperatorExample(ops.token_shift, clips=(FRAME_TOKENS,), temporal=True),
  "temporal_shift_step": OperatorExample(
    lambda x, cache: ops.temporal_shift_step(x, cache, fold_div=3),
    clips=(FRAME_MAP, (5, 4, 2)),
    laws=False,
  ),
}


def _loop(x, fold_div, direction):
  """The shift, channel by channel and frame by frame."""
  frames, channels = x.shape[1], x.shape[-1]
  fold = channels // fold_div
  out = np.array(x)
  for channel in range(channels):
    if direction == "both":
      step = 1 if channel < fold else -1 if channel < 2 * fold else 0
    else:
      step = 0 if channel >= fold else {"past": -1, "future": 1}[direction]
    for t in range(frames):
      inside = 0 <= t + step < frames
      out[:, t, ..., channel] = x[:, t + step, ..., channel] if inside else 0
  return out


@pytest.mark.parametrize("direction", ["both", "past", "future"])
@pytest.mark.parametrize("fold_div", [2, 3, 8])
@pytest.mark.parametrize("shape", [(2, 5, 2, 3, 16), (1, 1, 1, 1, 9), (2, 3, 4, 8)])
def test_matches_loop(shape, fold_div, direction):
  x = np.random.default_rng(0).standard_normal(shape, np.float32)
  got = jax.jit(
    lambda x: ops.temporal_shift(x, fold_div=fold_div, direction=direction)
  )(x)
  np.testing.assert_array_equal(got, _loop(x, fold_div, direction))


def test_past_never_reads_a_later_frame():
  x = np.random.default_rng(1).standard_normal((1, 6, 2, 2, 8), np.float32)
  changed = x.copy()
  changed[:, 4:] += 1
  before = ops.temporal_shift(x, direction="past")
  after = ops.temporal_shift(changed, direction="past")
  np.testing.assert_array_equal(before[:, :4], after[:, :4])


def test_gradient_is_the_opposite_shift():
  x = np.random.default_rng(2).standard_normal((1, 4, 1, 1, 8), np.float32)
  weight = np.random.default_rng(3).standard_normal(x.shape, np.float32)
  got = jax.grad(
    lambda x: jnp.sum(weight * ops.temporal_shift(x, fold_div=1, direction="past"))
  )(x)
  want = ops.temporal_shift(weight, fold_div=1, direction="future")
  np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
  ("kwargs", "message"),
  [
    ({"direction": "left"}, "direction must be one of"),
    ({"fold_div": 1}, "at least 2"),
    ({"fold_div": 0, "direction": "past"}, "at least 1"),
  ],
)
def test_rejects_wrong_arguments(kwargs, message):
  with pytest.raises(ValueError, match=message):
    ops.temporal_shift(np.zeros((1, 4, 2, 2, 8), np.float32), **kwargs)


@pytest.mark.parametrize("x", [np.zeros((4, 8)), np.zeros((1, 4, 8), np.uint8)])
def test_rejects_wrong_features(x):
  with pytest.raises(ValueError, match=r"x must be .* got"):
    ops.temporal_shift(x)


@pytest.mark.parametrize("fold_div", [1, 3, 8])
def test_online_is_the_past_shift_frame_by_frame(fold_div):
  x = np.random.default_rng(0).standard_normal((2, 5, 3, 4, 9), np.float32)
  cache = np.zeros((2, 3, 4, 9 // fold_div), np.float32)
  frames = []
  for t in range(5):
    shifted, cache = ops.temporal_shift_step(x[:, t], cache, fold_div=fold_div)
    frames.append(shifted)
  want = ops.temporal_shift(x, fold_div=fold_div, direction="past")
  np.testing.assert_array_equal(np.stack(frames, axis=1), want)


def test_online_refuses_a_foreign_cache():
  with pytest.raises(ValueError, match=r"cache must be \(1, 2, 2, 1\)"):
    ops.temporal_shift_step(
      np.zeros((1, 2, 2, 8), np.float32), np.zeros((1, 2, 2, 2), np.float32)
    )


@pytest.mark.parametrize("window", [1, 2, 3])
@pytest.mark.parametrize("frames", [1, 2, 6])
def test_wider_windows_reach_further(window, frames):
  """Fold 2 i reads t + i + 1, fold 2 i + 1 reads t - i - 1."""
  x = np.random.default_rng(0).standard_normal((1, frames, 2, 19), np.float32)
  got = ops.temporal_shift(x, fold_div=6, window=window)
  want = x.copy()
  for fold in range(2 * window):
    offset = (fold // 2 + 1) * (1 if fold % 2 == 0 else -1)
    for t in range(frames):
      inside = 0 <= t + offset < frames
      source = x[:, t + offset] if inside else np.zeros_like(x[:, t])
      want[:, t, :, 3 * fold : 3 * fold + 3] = source[..., 3 * fold : 3 * fold + 3]
  np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(("tokens", "moved"), [("class", [0]), ("patches", [1, 2])])
def test_token_shift_moves_those_tokens_alone(tokens, moved):
  x = np.random.default_rng(0).standard_normal((2, 4, 3, 8), np.float32)
  got = ops.token_shift(x, tokens=tokens)
  want = x.copy()
  want[:, :, moved] = ops.temporal_shift(x[:, :, moved], fold_div=4)
  np.testing.assert_array_equal(got, want)


def test_token_shift_rejects():
  x = np.zeros((1, 2, 3, 8), np.float32)
  with pytest.raises(ValueError, match="'all'"):
    ops.token_shift(x, tokens="all")
  with pytest.raises(ValueError, match=r"\(B, T, N, D\)"):
    ops.token_shift(x[0])
  with pytest.raises(ValueError, match="window must be an integer of at least 1"):
    ops.temporal_shift(x, window=0)
  with pytest.raises(ValueError, match="fold_div must be at least 4"):
    ops.temporal_shift(x, fold_div=3, window=2)
