import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from temporal_jax.ops import correlation
from temporal_jax.ops.lowering import window_selection
from tests.support.examples import FRAME_MAP, OperatorExample

# How each platform computes it, of unit vectors; CPU's own way is among them.
LOWERINGS = {
  "cpu": functools.partial(
    correlation.compare_at_once, select=window_selection.by_gather
  ),
  "tpu": correlation.compare_by_context,
  "others": functools.partial(
    correlation.compare_at_once, select=window_selection.by_slices
  ),
}

OPERATOR_EXAMPLES = {
  "temporal_correlation": OperatorExample(
    functools.partial(ops.temporal_correlation, length=3, window=3),
    clips=(FRAME_MAP,),
    temporal=True,
  ),
}


def _unit(x):
  return x / np.sqrt((x * x).sum(-1, keepdims=True) + 1e-6)


def _correlation(x, length, window):
  """The definition, place by place, in float64."""
  unit = _unit(x.astype(np.float64))
  batch, frames, height, width, _ = x.shape
  out = np.zeros((batch, frames, height, width, length, window, window))
  places = itertools.product(*(range(n) for n in out.shape[1:]))
  for t, h, w, place, u, v in places:
    source = t + place - length // 2
    row, column = h + u - window // 2, w + v - window // 2
    anchor = unit[:, max(t - 1, 0) if length == 1 else t, h, w]
    if 0 <= source < frames and 0 <= row < height and 0 <= column < width:
      other = unit[:, source, row, column]
      out[:, t, h, w, place, u, v] = (anchor * other).sum(-1)
  return out


def _features(shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


@settings(max_examples=10, deadline=None)
@given(
  frames=st.integers(1, 4),
  height=st.integers(1, 9),
  width=st.integers(1, 9),
  channels=st.integers(1, 5),
  length=st.sampled_from((1, 3, 5)),
  window=st.sampled_from((1, 3, 5)),
)
def test_matches_the_definition(frames, height, width, channels, length, window):
  x = _features((2, frames, height, width, channels))
  got = jax.jit(lambda x: ops.temporal_correlation(x, length=length, window=window))(x)
  want = _correlation(x, length, window)
  np.testing.assert_allclose(got, want, atol=1e-6)


def test_several_tiles_match_the_definition():
  x = _features((1, 2, 16, 9, 3))  # 3 x 2 tiles that do not fit evenly.
  got = jax.jit(lambda x: ops.temporal_correlation(x, length=3))(x)
  np.testing.assert_allclose(got, _correlation(x, 3, 9), atol=1e-6)


@pytest.mark.parametrize("platform", LOWERINGS)
@pytest.mark.parametrize(
  ("shape", "length", "window"),
  [((1, 4, 9, 8, 3), 3, 9), ((2, 3, 15, 2, 1), 5, 3), ((1, 1, 1, 1, 2), 1, 5)],
)
def test_every_platforms_way_matches_the_definition(platform, shape, length, window):
  x = _features(shape)
  want = _correlation(x, length, window)
  way = functools.partial(LOWERINGS[platform], length=length, window=window)
  got = jax.jit(way)(_unit(x))
  np.testing.assert_allclose(got, want.reshape(got.shape), atol=1e-6)


def test_every_platforms_way_has_the_same_gradients():
  x = _unit(_features((1, 3, 8, 3, 4)))
  weight = _features((1, 3, 8, 3, 3, 25), 1)

  def slope(way):
    def total(x):
      return jnp.sum(weight * way(x, length=3, window=5) ** 2)

    first = jax.jit(jax.grad(total))(x)
    second = jax.jit(jax.grad(lambda x: jnp.sum(jax.grad(total)(x) ** 2)))(x)
    return first, second

  cpu, *others = (slope(way) for way in LOWERINGS.values())
  for other in others:
    for got, want in zip(other, cpu, strict=True):
      np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("platform", LOWERINGS)
def test_every_platforms_way_maps_and_keeps_the_dtype(platform):
  x = jnp.asarray(_unit(_features((2, 1, 2, 3, 4, 5))), jnp.bfloat16)
  way = functools.partial(LOWERINGS[platform], length=3, window=3)
  got = jax.jit(jax.vmap(way))(x)
  assert got.dtype == jnp.bfloat16
  np.testing.assert_array_equal(got[1], jax.jit(way)(x[1]))


@pytest.mark.parametrize("length", [1, 3])
def test_gradients_match_torch(length):
  x = _features((1, 3, 8, 3, 4))
  weight = _features((1, 3, 8, 3, length, 3, 3), 1)

  def total(x):
    return jnp.sum(weight * ops.temporal_correlation(x, length=length, window=3))

  got = jax.jit(jax.grad(total))(x)

  leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
  unit = leaf / (leaf.square().sum(-1, keepdim=True) + 1e-6).sqrt()
  anchor = unit
  if length == 1:
    anchor = torch.cat([unit[:, :1], unit[:, :-1]], dim=1)
  reach = length // 2
  padded = torch.nn.functional.pad(unit, (0, 0, 1, 1, 1, 1, reach, reach))
  windows = padded.unfold(1, length, 1).unfold(2, 3, 1).unfold(3, 3, 1)
  want = torch.einsum("bthwc,bthwcluv->bthwluv", anchor, windows)
  (want * torch.tensor(weight)).sum().backward()
  np.testing.assert_allclose(got, leaf.grad, rtol=1e-4, atol=1e-5)


def test_is_symmetric():
  """Two places are as similar seen from the one as from the other."""
  got = ops.temporal_correlation(_features((1, 4, 5, 6, 3)), length=3, window=3)
  # t at (2, 3) with t + 1 at (3, 4), and back.
  np.testing.assert_allclose(
    got[0, :-1, 2, 3, 2, 2, 2], got[0, 1:, 3, 4, 0, 0, 0], atol=1e-6
  )


def test_finds_where_a_pattern_went():
  x = np.zeros((1, 2, 7, 7, 8), np.float32)
  x[0, 0, 3, 3] = x[0, 1, 5, 2] = _features((8,))
  got = ops.temporal_correlation(x, length=3, window=5)
  peak = np.argwhere(np.asarray(got[0, 0, 3, 3, 2]) > 0.99)
  np.testing.assert_array_equal(peak, [[4, 1]])  # Two down, one to the left.


def test_features_of_no_length_are_like_nothing():
  x = jnp.zeros((1, 2, 3, 3, 4))
  gradient = jax.grad(lambda x: ops.temporal_correlation(x).sum())(x)
  assert not ops.temporal_correlation(x).any()
  assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
  ("x", "sizes", "message"),
  [
    (np.zeros((2, 4, 4, 3), np.float32), {}, "x must be"),
    (np.zeros((1, 2, 4, 4, 3), np.int32), {}, "floating"),
    (np.zeros((1, 2, 4, 4, 3), np.float32), {"length": 4}, "length .* 4"),
    (np.zeros((1, 2, 4, 4, 3), np.float32), {"window": 8}, "window .* 8"),
  ],
)
def test_rejects_what_does_not_fit(x, sizes, message):
  with pytest.raises(ValueError, match=message):
    ops.temporal_correlation(x, **sizes)
