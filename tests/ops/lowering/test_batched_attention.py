import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.ops.lowering import batched_attention
from temporal_jax.ops.lowering.batched_attention import flat_attention


@pytest.mark.parametrize("masked", [False, True])
def test_turns_of_heads_give_the_same(monkeypatch, masked):
  rng = np.random.default_rng(0)
  draw = functools.partial(rng.standard_normal, dtype=np.float32)
  q, k, v = draw((2, 5, 6, 4)), draw((2, 7, 6, 4)), draw((2, 7, 6, 3))
  mask = rng.random((2, 6, 5, 7)) < 0.7 if masked else None

  def value(q, k, v):
    return flat_attention(q, k, v, mask, scale=0.5)

  whole = jax.jit(value)(q, k, v)
  gradients = jax.grad(lambda *x: jnp.sum(value(*x) ** 2), argnums=(0, 1, 2))
  expected = gradients(q, k, v)
  # 35 scores of a head, 12 heads: four turns of three.
  monkeypatch.setattr(batched_attention, "_FEWEST", 35)
  monkeypatch.setattr(batched_attention, "_MOST", 4 * 35 - 1)
  in_turns = jax.jit(lambda *x: value(*x))  # Traced anew.
  assert "tensor<4x3x5x4xf32>" in in_turns.lower(q, k, v).as_text()
  np.testing.assert_allclose(in_turns(q, k, v), whole, atol=1e-6)
  for found, wanted in zip(gradients(q, k, v), expected, strict=True):
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_scores_of_many_tokens_are_never_all_in_memory():
  shape = jax.ShapeDtypeStruct((1, 1024, 12, 64), jnp.float32)
  attend = jax.jit(functools.partial(flat_attention, scale=0.125))
  memory = attend.lower(shape, shape, shape).compile().memory_analysis()
  assert memory.temp_size_in_bytes < 12 * 1024**2 * 4
