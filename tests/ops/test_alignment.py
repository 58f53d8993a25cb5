import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from tests.support.examples import FRAME_TOKENS, OperatorExample

OPERATOR_EXAMPLES = {
  "l2_normalize": OperatorExample(ops.l2_normalize, clips=(FRAME_TOKENS,)),
  "align_frames": OperatorExample(
    ops.align_frames, clips=((7, 6), (7, 6), (2, 2, 3)), laws=False
  ),
  "alignment_loss": OperatorExample(
    ops.alignment_loss, clips=(FRAME_TOKENS, FRAME_TOKENS), laws=False
  ),
  "alignment_mask": OperatorExample(
    functools.partial(ops.alignment_mask, size=(3, 5)), clips=((2, 2),), laws=False
  ),
  "merge_pairs": OperatorExample(
    ops.merge_pairs, clips=(FRAME_TOKENS, FRAME_TOKENS), laws=False
  ),
}


def _weight(distance):
  distance = abs(distance)
  if distance <= 0.25:
    return 1.0
  return max(0.0, 1 - 1.5 * (distance - 0.25))


def _mask(x, y, height, width):
  """One mask, a place at a time."""
  mask = np.zeros((height, width))
  for i in range(height):
    for j in range(width):
      row, column = 2 * i / (height - 1) - 1, 2 * j / (width - 1) - 1
      mask[i, j] = _weight(row - y) * _weight(column - x)
  return mask


def _disturbed(x, y, height, width, offset):
  """Mean over the nine masks around a point."""
  nine = [
    _mask(x + i * offset, y + j * offset, height, width)
    for i in (-1, 0, 1)
    for j in (-1, 0, 1)
  ]
  return np.mean(nine, axis=0)


def _aligned(x, y, masks):
  """Masked frames, pair by pair, and each frame's mean of them."""
  batch, pairs, tokens, width = x.shape
  left = [np.array(x), np.array(y)]
  pooled = np.zeros((batch, pairs, 2, width))
  for b in range(batch):
    for p in range(pairs):
      for side in (0, 1):
        weights = masks[b, p, side].reshape(-1)
        for n in range(tokens - 1):
          left[side][b, p, n + 1] *= weights[n]
          pooled[b, p, side] += left[side][b, p, n + 1]
  frames = np.zeros((batch, pairs + 1, tokens, width))
  for t in range(pairs + 1):
    versions = [left[0][:, t]] if t < pairs else []
    versions += [left[1][:, t - 1]] if t > 0 else []
    frames[:, t] = np.mean(versions, axis=0)
  return frames, pooled


def _draw(shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _pairs(pairs=3, size=(2, 3), width=4):
  tokens = 1 + size[0] * size[1]
  x, y = _draw((2, pairs, tokens, width)), _draw((2, pairs, tokens, width), 1)
  masks = np.random.default_rng(2).random((2, pairs, 2, *size), np.float32)
  return x, y, masks


@settings(max_examples=10, deadline=None)
@given(
  x=st.floats(-1.25, 1.25, width=32),
  y=st.floats(-1.25, 1.25, width=32),
  size=st.tuples(st.integers(2, 9), st.integers(2, 9)),
  offset=st.sampled_from([0.0, 0.05, 0.2]),
)
def test_masks_match_a_loop_over_places(x, y, size, offset):
  points = jnp.array([[x, y]], jnp.float32)
  got = ops.alignment_mask(points, size=size, disturbance=offset)
  want = _disturbed(x, y, *size, offset)
  np.testing.assert_allclose(got[0], want, rtol=1e-5, atol=1e-6)


def test_mask_is_whole_at_its_centre_and_nothing_far_away():
  mask = ops.alignment_mask(jnp.array([0.0, 0.0]), size=(5, 9))
  assert mask[2, 4] == 1
  assert mask[2, 0] == 0  # A whole half frame away.
  np.testing.assert_allclose(mask[2, 6], 0.625, rtol=1e-6)  # |d| = 0.5.


def test_first_coordinate_of_a_point_is_its_column():
  mask = ops.alignment_mask(jnp.array([1.0, -1.0]), size=(7, 6))
  assert np.unravel_index(np.argmax(mask), mask.shape) == (0, 5)


def test_gradient_moves_a_mask_towards_the_light():
  def seen(point):
    mask = ops.alignment_mask(point, size=(8, 8))
    return jnp.sum(mask * jnp.arange(8.0)[None, :])

  gradient = jax.grad(seen)(jnp.array([0.1, 0.1]))
  assert gradient[0] > 0.1
  # For a row exactly at the plateau's end, the plateau's gradient counts.
  flat = jax.grad(lambda p: ops.alignment_mask(p, size=(9, 9))[4, 3])
  np.testing.assert_array_equal(flat(jnp.zeros(2)), 0)


def test_disturbance_may_be_traced():
  points = jnp.array([[0.3, -0.4]])
  masks = jax.jit(lambda s: ops.alignment_mask(points, size=(5, 6), disturbance=s))
  want = ops.alignment_mask(points, size=(5, 6), disturbance=0.1)
  np.testing.assert_allclose(masks(0.1), want, rtol=1e-6)
  assert not np.allclose(masks(0.0), want)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_masks_keep_the_dtype(dtype):
  points = jnp.array([[0.3, -0.4]], dtype)
  got = ops.alignment_mask(points, size=(5, 6))
  want = ops.alignment_mask(points.astype(jnp.float32), size=(5, 6))
  assert got.dtype == dtype
  np.testing.assert_allclose(got.astype(jnp.float32), want, atol=1e-2)


@pytest.mark.parametrize("pairs", [1, 2, 5])
def test_aligned_frames_match_a_loop(pairs):
  x, y, masks = _pairs(pairs)
  frames, pooled = jax.jit(ops.align_frames)(x, y, masks)
  want_frames, want_pooled = _aligned(x, y, masks)
  np.testing.assert_allclose(frames, want_frames, rtol=1e-5, atol=1e-6)
  np.testing.assert_allclose(pooled, want_pooled, rtol=1e-5, atol=1e-6)


def test_alignment_of_a_batch_is_that_of_its_clips():
  x, y, masks = _pairs()
  frames, pooled = ops.align_frames(x, y, masks)
  one = jax.vmap(lambda *clip: ops.align_frames(*(value[None] for value in clip)))
  got_frames, got_pooled = one(x, y, masks)
  np.testing.assert_allclose(got_frames[:, 0], frames, rtol=1e-6)
  np.testing.assert_allclose(got_pooled[:, 0], pooled, rtol=1e-5, atol=1e-6)


def test_bfloat16_alignment_is_close():
  x, y, masks = _pairs(size=(6, 5))
  want, want_pooled = ops.align_frames(x, y, masks)
  small = (v.astype(jnp.bfloat16) for v in (x, y, masks))
  got, pooled = ops.align_frames(*small)
  assert got.dtype == pooled.dtype == jnp.bfloat16
  for low, high in ((got, want), (pooled, want_pooled)):
    error = np.linalg.norm(low.astype(jnp.float32) - high)
    assert error < 3e-2 * np.linalg.norm(high)


def test_merging_pairs_backwards_reverses_the_frames():
  x, y, _ = _pairs()
  forward = ops.merge_pairs(x, y)
  backward = ops.merge_pairs(y[:, ::-1], x[:, ::-1])
  np.testing.assert_allclose(forward, backward[:, ::-1], rtol=1e-6)
  assert not np.allclose(forward, ops.merge_pairs(y, x))


def test_pairs_of_a_clip_merge_into_the_clip():
  clip = _draw((2, 5, 3, 4))
  np.testing.assert_array_equal(ops.merge_pairs(clip[:, :-1], clip[:, 1:]), clip)


def test_loss_and_gradient_match_torch():
  x, y = _draw((2, 3, 8)), _draw((2, 3, 8), 1)
  loss, gradients = jax.value_and_grad(ops.alignment_loss, (0, 1))(x, y)
  x_t, y_t = (torch.tensor(v, requires_grad=True) for v in (x, y))
  want = torch.nn.functional.cosine_embedding_loss(
    x_t.reshape(-1, 8), y_t.reshape(-1, 8), torch.ones(6)
  )
  want.backward()
  np.testing.assert_allclose(loss, want.item(), rtol=1e-5)
  np.testing.assert_allclose(gradients[0], x_t.grad, rtol=1e-4, atol=1e-6)
  np.testing.assert_allclose(gradients[1], y_t.grad, rtol=1e-4, atol=1e-6)


def test_loss_of_nothing_is_one_and_has_a_finite_gradient():
  zeros = jnp.zeros((2, 4))
  loss, gradient = jax.value_and_grad(ops.alignment_loss)(zeros, zeros + 1)
  assert loss == 1
  assert np.isfinite(gradient).all()


def test_normalized_vectors_have_length_one():
  x = _draw((3, 5)) * 100
  got = ops.l2_normalize(x)
  want = torch.nn.functional.normalize(torch.tensor(x), dim=-1).numpy()
  np.testing.assert_allclose(got, want, rtol=1e-5)
  assert ops.l2_normalize(x.astype(jnp.bfloat16)).dtype == jnp.bfloat16
  gradient = jax.grad(lambda x: ops.l2_normalize(x).sum())(jnp.zeros(4))
  assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
  ("points", "size", "message"),
  [
    (np.zeros((4, 3), np.float32), (4, 4), "points must be"),
    (np.zeros((4, 2), np.int32), (4, 4), "points must be"),
    (np.zeros((4, 2), np.float32), (1, 4), "size must be"),
  ],
)
def test_masks_reject(points, size, message):
  with pytest.raises(ValueError, match=message):
    ops.alignment_mask(points, size=size)


def test_alignment_rejects_what_does_not_fit():
  x, y, masks = _pairs()
  with pytest.raises(ValueError, match="masks must be"):
    ops.align_frames(x, y, masks[..., :-1])
  with pytest.raises(ValueError, match="one shape"):
    ops.align_frames(x, y[..., :-1], masks)
  with pytest.raises(ValueError, match="at least one pair"):
    ops.merge_pairs(x[:, :0], y[:, :0])
  with pytest.raises(ValueError, match="x must be floating"):
    ops.l2_normalize(np.zeros(3, np.int32))
