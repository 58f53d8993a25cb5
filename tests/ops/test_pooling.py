import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from temporal_jax import ops
from temporal_jax.ops import pooling
from tests.support.examples import FRAME_MAP, OperatorExample

OPERATOR_EXAMPLES = {
  "average_pool_2d": OperatorExample(
    functools.partial(ops.average_pool_2d, size=3, stride=2), clips=(FRAME_MAP,)
  ),
  "max_pool_2d": OperatorExample(
    functools.partial(ops.max_pool_2d, size=3, stride=2), clips=(FRAME_MAP,)
  ),
}


@pytest.mark.parametrize(
  ("side", "size", "stride", "padding"),
  [(8, 3, 2, 1), (7, 3, 2, 1), (6, 2, 2, 0), (5, 3, 1, 0), (1, 3, 2, 1)],
)
def test_values_and_gradients_match_torch(side, size, stride, padding):
  x = np.random.default_rng(0).standard_normal((2, 3, side, side, 4))
  x = x.astype(np.float32)

  def pool(x):
    return ops.max_pool_2d(x, size=size, stride=stride, padding=padding)

  got = jax.jit(pool)(x)
  grad = jax.grad(lambda x: jnp.sum(pool(x) ** 2))(x)

  x_t = torch.tensor(x.reshape(6, side, side, 4), requires_grad=True)
  want = torch.nn.functional.max_pool2d(
    x_t.permute(0, 3, 1, 2), size, stride, padding
  ).permute(0, 2, 3, 1)
  (want**2).sum().backward()
  np.testing.assert_array_equal(got.reshape(want.shape), want.detach())
  np.testing.assert_allclose(grad.reshape(x_t.shape), x_t.grad, rtol=1e-6)


def test_both_lowerings_agree():
  x = np.random.default_rng(1).standard_normal((2, 9, 7, 3), np.float32)
  kwargs = {"size": 3, "stride": 2, "padding": 1}
  np.testing.assert_array_equal(
    pooling._shifted(jnp.asarray(x), **kwargs),
    pooling._window(jnp.asarray(x), **kwargs),
  )


@pytest.mark.parametrize(
  ("side", "size", "stride", "padding"),
  [(8, 3, 2, 1), (7, 3, 2, 1), (6, 2, 2, 0), (5, 3, 1, 0), (1, 3, 2, 1)],
)
def test_both_means_match_torch(side, size, stride, padding):
  x = np.random.default_rng(2).standard_normal((6, side, side, 4), np.float32)
  x_t = torch.tensor(x, requires_grad=True)
  want = torch.nn.functional.avg_pool2d(
    x_t.permute(0, 3, 1, 2), size, stride, padding
  ).permute(0, 2, 3, 1)
  (want**2).sum().backward()
  for pool in (pooling._mean_of_views, pooling._window_mean):
    pool = functools.partial(pool, size=size, stride=stride, padding=padding)
    got, pull = jax.vjp(pool, jnp.asarray(x))
    np.testing.assert_allclose(got, want.detach(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(pull(2 * got)[0], x_t.grad, rtol=1e-5, atol=1e-6)
    assert pool(jnp.asarray(x, jnp.bfloat16)).dtype == jnp.bfloat16


@pytest.mark.parametrize("shape", [(8, 8, 3), (1, 8, 2, 3)])
def test_rejects_wrong_shapes(shape):
  with pytest.raises(ValueError, match="x must be"):
    ops.max_pool_2d(np.zeros(shape, np.float32), size=3, stride=2)


def test_means_of_large_halves_are_finite():
  x = jnp.full((1, 3, 4, 4, 1), 40000, jnp.float16)
  assert float(ops.average_pool_2d(x, size=2, stride=1).max()) == 40000
  assert float(ops.temporal_pooling(x, size=3)[0, 1].max()) == 40000
  assert float(ops.merge_pairs(x, x).max()) == 40000


@pytest.mark.parametrize("pool", [ops.max_pool_2d, ops.average_pool_2d])
@pytest.mark.parametrize(
  ("settings", "message"),
  [
    ({"size": 2, "stride": 1, "padding": 2}, "padding must be at most half"),
    ({"size": 2, "stride": 0}, "stride must be an integer of at least 1, got 0"),
    ({"size": 0, "stride": 1}, "size must be an integer of at least 1, got 0"),
  ],
)
def test_windows_that_make_no_sense_are_refused(pool, settings, message):
  with pytest.raises(ValueError, match=message):
    pool(jnp.ones((1, 4, 4, 1)), **settings)
