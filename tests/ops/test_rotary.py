import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from tests.support.examples import OperatorExample

OPERATOR_EXAMPLES = {
  "rotary_embedding": OperatorExample(
    functools.partial(ops.rotary_embedding, grid=(1, 3)), clips=((4, 2, 4),)
  ),
  "space_time_rotary_embedding": OperatorExample(
    functools.partial(ops.space_time_rotary_embedding, grid=(1, 2, 2)),
    clips=((4, 2, 6),),
  ),
}


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _by_hand(x, grid, extent, base):
  """The definition, one complex number at a time."""
  out = np.array(x, np.float64)
  first = x.shape[-3] - grid[0] * grid[1]
  half = x.shape[-1] // 2
  for token in range(first, x.shape[-3]):
    place = divmod(token - first, grid[1])
    for axis in (0, 1):
      step = 1 if extent is None else extent / grid[axis]
      for i in range(half // 2):
        angle = place[axis] * step * base ** (-2 * i / half)
        channel = axis * half + 2 * i
        real, imaginary = (
          np.array(x[..., token, :, channel + j], np.float64) for j in (0, 1)
        )
        turned = (real + 1j * imaginary) * np.exp(1j * angle)
        out[..., token, :, channel] = turned.real
        out[..., token, :, channel + 1] = turned.imag
  return out


@settings(max_examples=10, deadline=None)
@given(
  rows=st.integers(1, 4),
  columns=st.integers(1, 4),
  before=st.integers(0, 2),
  quarters=st.integers(1, 3),
  extent=st.sampled_from([None, 16, 3.5]),
  base=st.sampled_from([10000.0, 10.0]),
)
def test_is_the_definition(rows, columns, before, quarters, extent, base):
  grid = (rows, columns)
  x = _draw(2, before + rows * columns, 3, 4 * quarters)
  got = ops.rotary_embedding(x, grid=grid, extent=extent, base=base)
  want = _by_hand(x, grid, extent, base)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_products_depend_on_the_distance_alone():
  q, key = (np.tile(_draw(1, 1, 8, seed=i), (12, 1, 1)) for i in range(2))
  q, key = (ops.rotary_embedding(x, grid=(3, 4)) for x in (q, key))
  products = np.einsum("qmd,kmd->qk", q, key).reshape(3, 4, 3, 4)
  np.testing.assert_allclose(products[0, 0, 1, 2], products[1, 1, 2, 3], rtol=1e-4)
  assert abs(products[0, 0, 1, 2] - products[0, 0, 2, 1]) > 1e-2
  assert abs(products[0, 0, 1, 0] - products[1, 0, 0, 0]) > 1e-2


def test_a_finer_grid_is_interpolated():
  x = np.tile(_draw(1, 1, 8), (64, 1, 1))
  coarse = ops.rotary_embedding(x[:16], grid=(4, 4), extent=16)
  fine = ops.rotary_embedding(x, grid=(8, 8), extent=16)
  np.testing.assert_allclose(
    np.reshape(fine, (8, 8, 8))[::2, ::2],
    np.reshape(coarse, (4, 4, 8)),
    atol=1e-5,
  )


def test_class_token_stays_and_lengths_too():
  x = _draw(2, 7, 3, 8)
  got = jax.jit(lambda x: ops.rotary_embedding(x, grid=(2, 3)))(x)
  np.testing.assert_array_equal(got[:, 0], x[:, 0])
  assert np.abs(got[:, 2:] - x[:, 2:]).max() > 0.1
  np.testing.assert_allclose(
    np.linalg.norm(got, axis=-1), np.linalg.norm(x, axis=-1), rtol=1e-5
  )


@pytest.mark.parametrize("shape", [(5, 2, 4), (6, 2, 6), (6, 4)])
def test_rejects(shape):
  with pytest.raises(ValueError, match=r"grid \(2, 3\), got shape"):
    ops.rotary_embedding(np.zeros(shape, np.float32), grid=(2, 3))


@pytest.mark.parametrize(
  ("kwargs", "message"),
  [
    ({"extent": 0.0}, "extent must be a finite number above 0, got 0.0"),
    ({"base": math.inf}, "base must be a finite number above 0, got inf"),
    ({"grid": (-2, -3)}, "each side of grid must be an integer of at least 1, got -2"),
  ],
)
def test_rejects_angles_that_make_no_sense(kwargs, message):
  x = jnp.zeros((6, 2, 4))
  with pytest.raises(ValueError, match=message):
    ops.rotary_embedding(x, **({"grid": (2, 3)} | kwargs))


def _centred_by_hand(x, grid, extent, base):
  """Positions from the middle of the frame; numbers are of the halves."""
  out = np.array(x, np.float64)
  half = x.shape[-1] // 2
  for token in range(grid[0] * grid[1]):
    place = divmod(token, grid[1])
    for axis in (0, 1):
      # The middle of a patch, with the frame from -extent / 2 to extent / 2.
      middle = ((place[axis] + 0.5) / grid[axis] - 0.5) * extent
      for i in range(half // 2):
        channel = axis * (half // 2) + i
        number = (
          x[..., 1 + token, :, channel] + 1j * x[..., 1 + token, :, half + channel]
        )
        turned = number * np.exp(1j * middle * base ** (-2 * i / half))
        out[..., 1 + token, :, channel] = turned.real
        out[..., 1 + token, :, half + channel] = turned.imag
  return out


@pytest.mark.parametrize("grid", [(3, 4), (1, 2), (2, 2)])
def test_centred_halves_before_other_tokens(grid):
  x = _draw(2, 1 + grid[0] * grid[1] + 2, 3, 16)
  got = ops.rotary_embedding(
    x,
    grid=grid,
    extent=4 * math.pi,
    base=100.0,
    centred=True,
    pairing="halves",
    leading=1,
  )
  want = _centred_by_hand(x, grid, 4 * math.pi, 100.0)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
  np.testing.assert_array_equal(got[:, 0], x[:, 0])
  np.testing.assert_array_equal(got[:, -2:], x[:, -2:])


def test_rejects_an_unknown_pairing_and_too_few_tokens():
  x = jnp.zeros((6, 2, 4))
  with pytest.raises(ValueError, match=r"pairing must be one of .*, got 'odd'"):
    ops.rotary_embedding(x, grid=(2, 3), pairing="odd")
  with pytest.raises(ValueError, match=r"grid \(2, 3\), got shape"):
    ops.rotary_embedding(x, grid=(2, 3), leading=1)


def _clip_by_hand(x, grid, base, leading):
  """One channel at a time; channel c of a part has the frequency c mod half."""
  out = np.array(x, np.float64)
  width = x.shape[-1] // 3 // 2 * 2
  half = width // 2
  for token, place in enumerate(np.ndindex(*grid), start=leading):
    for axis in range(3):
      for c in range(width):
        angle = place[axis] * base ** (-(c % half) / half)
        channel = axis * width + c
        sign, partner = (1, -1) if c % 2 else (-1, 1)
        out[..., token, :, channel] = x[..., token, :, channel] * np.cos(
          angle
        ) + sign * x[..., token, :, channel + partner] * np.sin(angle)
  return out


@settings(max_examples=10, deadline=None)
@given(
  frames=st.integers(1, 3),
  rows=st.integers(1, 3),
  columns=st.integers(1, 4),
  leading=st.integers(0, 2),
  after=st.integers(0, 1),
  channels=st.sampled_from([6, 8, 12, 16, 22]),
  base=st.sampled_from([10000.0, 10.0]),
)
def test_clip_is_the_definition(frames, rows, columns, leading, after, channels, base):
  grid = (frames, rows, columns)
  x = _draw(2, leading + math.prod(grid) + after, 3, channels)
  got = ops.space_time_rotary_embedding(x, grid=grid, base=base, leading=leading)
  np.testing.assert_allclose(
    got, _clip_by_hand(x, grid, base, leading), rtol=1e-5, atol=1e-5
  )


def test_a_frame_by_itself_is_the_first_of_a_clip():
  x = _draw(2, 6, 3, 16)
  got = ops.space_time_rotary_embedding(x, grid=(2, 3))
  want = ops.space_time_rotary_embedding(x, grid=(1, 2, 3))
  np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
  ("shape", "kwargs", "message"),
  [
    ((7, 2, 6), {}, r"grid \(2, 2, 2\), got shape \(7, 2, 6\)"),
    ((8, 2, 6), {"leading": 1}, "at least the patches"),
    ((8, 2, 4), {}, "d even and at least 6"),
    ((8, 2, 9), {}, "d even and at least 6"),
    ((8, 2, 6), {"grid": (8,)}, r"rows and columns, got \(8,\)"),
    ((8, 2, 6), {"grid": (2, 0, 4)}, "each side of grid must be .*, got 0"),
    ((8, 2, 6), {"base": 0.0}, "base must be a finite number above 0, got 0.0"),
  ],
)
def test_clip_rejects(shape, kwargs, message):
  with pytest.raises(ValueError, match=message):
    ops.space_time_rotary_embedding(jnp.zeros(shape), **({"grid": (2, 2, 2)} | kwargs))


def test_positions_of_a_frame_refuse_a_clip():
  with pytest.raises(ValueError, match="do not fit attention over several frames"):
    ops.rotary_embedding(jnp.zeros((8, 2, 4)), grid=(2, 2, 2))
