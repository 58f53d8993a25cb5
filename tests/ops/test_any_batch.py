"""Operators whose way depends on the size of a batch, where it is open."""

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import ops
from tests.support.examples import draw_arrays, operator_examples

EXAMPLES = {
  name: example for name, example in operator_examples().items() if example.laws
}


def _export(function, *shape):
  batch = jax.export.symbolic_shape("b")
  clip = jax.ShapeDtypeStruct((*batch, *shape), jnp.float32)
  return jax.export.export(jax.jit(function))(clip)


def test_convolves_batches_of_any_size():
  rng = np.random.default_rng(0)
  kernel = rng.standard_normal((3, 3, 64, 64), np.float32)
  for side in (4, 20):  # Few places a clip, and enough for Winograd.
    exported = _export(
      lambda x: ops.convolution_2d(x, kernel, padding=1), 3, side, side, 64
    )
    for batch in (1, 3):
      x = rng.standard_normal((batch, 3, side, side, 64), np.float32)
      padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)))
      want = sum(
        padded[:, :, i : i + side, j : j + side] @ kernel[i, j]
        for i in range(3)
        for j in range(3)
      )
      np.testing.assert_allclose(exported.call(x), want, atol=1e-3)


def test_steps_of_streams_of_any_number():
  rng = np.random.default_rng(0)
  kernel = rng.standard_normal((3, 6), np.float32)
  batch = jax.export.symbolic_shape("b")
  frame, cache = (
    jax.ShapeDtypeStruct((*batch, *shape), jnp.float32)
    for shape in ((4, 5, 6), (2, 4, 5, 6))
  )
  step = jax.jit(lambda x, y: ops.temporal_aggregation_step(x, y, kernel))
  exported = jax.export.export(step)(frame, cache)
  for count in (1, 3):
    x = rng.standard_normal((count, 4, 5, 6), np.float32)
    past = rng.standard_normal((count, 2, 4, 5, 6), np.float32)
    seen = np.concatenate([past, x[:, None]], axis=1)
    got, kept = exported.call(x, past)
    want = np.maximum(np.einsum("bkhwc,kc->bhwc", seen, kernel), 0)
    np.testing.assert_allclose(got, want, atol=1e-5)
    np.testing.assert_array_equal(kept, seen[:, 1:])


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_operator_is_traced_for_any_batch(name):
  example = EXAMPLES[name]
  clips, shared = draw_arrays(example)
  batch = jax.export.symbolic_shape("b")
  shapes = [jax.ShapeDtypeStruct((*batch, *x.shape[1:]), x.dtype) for x in clips]
  out = jax.eval_shape(example.op, *shapes, *shared)
  want = jax.eval_shape(example.op, *clips, *shared)
  assert str(out.shape[0]) == "b"
  assert out.shape[1:] == want.shape[1:]
