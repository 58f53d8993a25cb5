"""The kernel for TPU, run without one."""

import functools

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.ops.lowering import tpu_attention
from temporal_jax.ops.lowering.tpu_attention import Plan, plan_steps
from tests.support.loop_attention import loop_attention


def _draw(batch, queries, keys, heads, width):
  rng = np.random.default_rng(0)
  shapes = [(batch, n, heads, width) for n in (queries, keys, keys, queries)]
  return [jnp.asarray(rng.standard_normal(s), jnp.bfloat16) for s in shapes]


def _near(got, want):
  assert got.dtype == jnp.bfloat16
  error = np.linalg.norm(np.asarray(got, np.float64) - np.asarray(want, np.float64))
  assert error <= 5e-3 * np.linalg.norm(want)


def _attention(q, k, v, scale):
  scores = scale * jnp.einsum("bnmd,bkmd->bmnk", q, k)
  return jnp.einsum("bmnk,bkmd->bnmd", jax.nn.softmax(scores), v)


@pytest.mark.parametrize(
  ("shape", "plan"),
  [
    ((2, 17, 17, 2, 64), None),  # Two heads share a tile.
    ((1, 7, 19, 8, 32), None),  # Four heads, two tiles.
    ((1, 9, 33, 1, 256), None),  # A head wider than the lanes.
    ((6, 8, 8, 2, 64), None),  # Six clips in one step.
    ((5, 8, 8, 2, 64), Plan(entries=1, rows=8, lanes=128, tile=128)),
    ((1, 24, 24, 4, 64), Plan(entries=1, rows=16, lanes=128, tile=128)),
    ((2, 21, 6, 2, 64), Plan(entries=1, rows=8, lanes=128, tile=128)),
  ],
)
def test_matches_float32_with_gradients(shape, plan):
  q, k, v, gradient = _draw(*shape)
  plan = plan or plan_steps(q, k)
  settings = {"scale": 0.3, "plan": plan, "interpret": True}
  wide = [x.astype(jnp.float32) for x in (q, k, v)]
  got = tpu_attention.attend(q, k, v, **settings)
  _near(got, loop_attention(*(np.asarray(x) for x in wide), scale=0.3))
  _, pull = jax.vjp(functools.partial(_attention, scale=0.3), *wide)
  of_arrays = tpu_attention.gradients(q, k, v, gradient, **settings)
  for ours, theirs in zip(of_arrays, pull(gradient.astype(jnp.float32)), strict=True):
    _near(ours, theirs)


@pytest.mark.parametrize("scale", [0.0, -1.0, 40.0])
def test_any_scale(scale):
  q, k, v, _ = _draw(1, 6, 18, 2, 64)
  settings = {"scale": scale, "plan": plan_steps(q, k), "interpret": True}
  got = tpu_attention.attend(q, k, v, **settings)
  wide = (np.asarray(x, np.float32) for x in (q, k, v))
  _near(got, loop_attention(*wide, scale=scale))


def _plan(batch, queries, keys, heads, width):
  return plan_steps(
    *(jnp.zeros((batch, n, heads, width), jnp.bfloat16) for n in (queries, keys))
  )


def test_plans_of_networks():
  spatial, joint = _plan(64, 197, 197, 12, 64), _plan(1, 1568, 1568, 12, 64)
  temporal = _plan(1568, 8, 8, 12, 64)
  assert spatial == Plan(entries=1, rows=197, lanes=768, tile=128)
  assert joint.rows < 1568
  assert joint.lanes % 128 == 0
  assert temporal == Plan(entries=16, rows=8, lanes=768, tile=128)


@pytest.mark.parametrize(
  "shape",
  [
    (0, 8, 8, 2, 64),  # No clip.
    (1, 8, 8, 3, 64),  # One head and a half in a tile.
    (1, 8, 8, 8, 48),
    (1, 8, 8, 1, 192),
    (1, 8, 100_000, 2, 64),
    (64, 4, 4, 2, 64),  # Few tokens.
    (7, 1, 5, 2, 64),
    (1, 8, 8, 2, 64),
  ],
)
def test_what_does_not_fit(shape):
  assert _plan(*shape) is None


def test_sizes_that_are_not_known_do_not_fit():
  (size,) = jax.export.symbolic_shape("b")
  x = jax.ShapeDtypeStruct((size, 8, 2, 64), jnp.bfloat16)
  assert plan_steps(x, x) is None
