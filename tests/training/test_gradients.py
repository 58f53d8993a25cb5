"""Batches in parts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.training.gradients import accumulate

PARAMS = {"w": jnp.asarray([0.5, -1.0, 2.0])}
BATCH = {
  "x": jnp.asarray(np.random.default_rng(0).normal(size=(12, 3)), jnp.float32),
  "weight": jnp.arange(12, dtype=jnp.float32),
}


def _objective(params, stats, part, number):
  del number
  squares = jnp.square(part["x"] @ params["w"])
  moved = {"mean": 0.5 * stats["mean"] + 0.5 * part["x"].mean()}
  return jnp.sum(squares * part["weight"]), (moved, {"clips": squares.size})


@pytest.mark.parametrize("parts", [1, 2, 3, 12])
def test_parts_add_up_to_the_whole(parts):
  got = jax.jit(
    lambda params: accumulate(
      _objective, params, {"mean": jnp.float32(0)}, BATCH, num_microbatches=parts
    )
  )(PARAMS)
  x, weight = np.asarray(BATCH["x"]), np.asarray(BATCH["weight"])
  products = x @ np.asarray(PARAMS["w"])
  np.testing.assert_allclose(got.value, weight @ products**2, rtol=1e-5)
  want = 2 * (weight * products) @ x
  np.testing.assert_allclose(got.grads["w"], want, rtol=1e-5)
  assert int(got.sums["clips"]) == 12
  mean = 0.0  # Part i holds the clips i, i + parts, ...
  for i in range(parts):
    mean = 0.5 * mean + 0.5 * x[i::parts].mean()
  np.testing.assert_allclose(got.batch_stats["mean"], mean, rtol=1e-5)


def test_parts_are_told_apart():
  def numbered(params, stats, part, number):
    return jnp.sum(params["w"]) * number, (stats, {"number": number})

  got = accumulate(numbered, PARAMS, {}, BATCH, num_microbatches=4)
  assert int(got.sums["number"]) == 0 + 1 + 2 + 3
  np.testing.assert_allclose(got.grads["w"], 6.0)
