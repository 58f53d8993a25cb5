"""Attention in windows, one query after the other."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.localization.networks import local_attention


def _arrays(length, batch=2, heads=2, width=4):
  rng = np.random.default_rng(0)
  return rng.standard_normal((3, batch, length, heads, width), np.float32)


def _mask(*lengths, size):
  return jnp.asarray(np.arange(size) < np.array(lengths)[:, None])


def _loop(q, k, v, mask, window, bias):
  """The definition, in float64."""
  out = np.zeros_like(q, np.float64)
  reach = window // 2
  for b, t, m in np.ndindex(q.shape[:3]):
    if mask[b, t]:
      places = range(max(t - reach, 0), min(t + reach + 1, q.shape[1]))
      places = [s for s in places if mask[b, s]]
      scores = [float(q[b, t, m] @ k[b, s, m]) * q.shape[3] ** -0.5 for s in places]
      if bias is not None:
        scores += np.array([bias[m, s - t + reach] for s in places])
      weights = np.exp(scores - np.max(scores))
      out[b, t, m] = weights @ [v[b, s, m] for s in places] / weights.sum()
  return out


@pytest.mark.parametrize(
  ("length", "window", "has_bias"),
  [(7, 3, False), (70, 19, True), (33, 1, False), (5, 15, True)],
)
def test_is_its_definition(length, window, has_bias):
  q, k, v = _arrays(length)
  mask = _mask(length, length // 2 + 1, size=length)
  rng = np.random.default_rng(1)
  bias = rng.standard_normal((2, window), np.float32) if has_bias else None
  attend = jax.jit(functools.partial(local_attention.local_attention, window=window))
  got = attend(q, k, v, mask, bias=bias)
  wanted = _loop(q, k, v, np.asarray(mask), window, bias)
  np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_gradients_are_those_of_one_masked_softmax():
  length, window = 40, 5
  q, k, v = _arrays(length, batch=1)
  mask = _mask(30, size=length)
  place = np.arange(length)
  seen = (abs(place[:, None] - place) <= window // 2) & np.asarray(mask)
  weights = np.random.default_rng(1).standard_normal(q.shape, np.float32)

  def dense(q, k, v):
    scores = jnp.einsum("bqmd,bkmd->bmqk", q, k) * q.shape[3] ** -0.5
    scores = jnp.where(seen[None, None], scores, -1e9)
    out = jnp.einsum("bmqk,bkmd->bqmd", jax.nn.softmax(scores), v)
    return jnp.sum(jnp.where(mask[:, :, None, None], out, 0) * weights)

  def blocks(q, k, v):
    out = local_attention.local_attention(q, k, v, mask, window=window)
    return jnp.sum(out * weights)

  got = jax.jit(jax.grad(blocks, (0, 1, 2)))(q, k, v)
  wanted = jax.jit(jax.grad(dense, (0, 1, 2)))(q, k, v)
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5), got, wanted
  )


def test_an_empty_sequence_gives_zeros_and_finite_gradients():
  q, k, v = _arrays(6)
  mask = _mask(6, 0, size=6)
  attend = functools.partial(local_attention.local_attention, window=3)

  @jax.jit
  def attend_and_pull(q):
    out, pull = jax.vjp(lambda q: attend(q, k, v, mask), q)
    return out, pull(jnp.ones_like(out))[0]

  out, gradient = attend_and_pull(q)
  assert not out[1].any()
  assert np.isfinite(gradient).all()


def test_even_windows_are_refused():
  q, k, v = _arrays(4)
  with pytest.raises(ValueError, match="window must be odd and positive, got 4"):
    local_attention.local_attention(q, k, v, _mask(4, 4, size=4), window=4)
