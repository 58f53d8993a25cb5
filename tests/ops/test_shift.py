import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import ops


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
@pytest.mark.parametrize(
  "shape", [(2, 5, 2, 3, 16), (1, 1, 1, 1, 9), (2, 3, 4, 8)]
)
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
    lambda x: jnp.sum(
      weight * ops.temporal_shift(x, fold_div=1, direction="past")
    )
  )(x)
  want = ops.temporal_shift(weight, fold_div=1, direction="future")
  np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
  ("kwargs", "message"),
  [
    ({"direction": "left"}, "direction must be in"),
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
