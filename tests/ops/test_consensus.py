import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import ops
from tests.support.examples import OperatorExample

OPERATOR_EXAMPLES = {
  "average_consensus": OperatorExample(
    ops.average_consensus, clips=((6,),), laws=False
  ),
}


@pytest.mark.parametrize("shape", [(2, 8, 5), (1, 1, 3)])
def test_is_the_mean_over_frames(shape):
  x = np.random.default_rng(0).standard_normal(shape, np.float32)
  want = sum(x[:, t].astype(np.float64) for t in range(shape[1])) / shape[1]
  for consensus in (ops.average_consensus, jax.jit(ops.average_consensus)):
    np.testing.assert_allclose(consensus(x), want, rtol=1e-5, atol=1e-6)
  mapped = jax.vmap(lambda x: ops.average_consensus(x[None])[0])(x)
  np.testing.assert_allclose(mapped, want, rtol=1e-5, atol=1e-6)


def test_gradient_goes_to_all_frames_alike():
  gradient = jax.grad(lambda x: jnp.sum(ops.average_consensus(x)))
  np.testing.assert_allclose(gradient(np.ones((1, 4, 2), np.float32)), 0.25)


def test_is_added_up_in_float32():
  got = ops.average_consensus(jnp.ones((1, 4096, 2), jnp.bfloat16))
  assert got.dtype == jnp.bfloat16
  np.testing.assert_array_equal(np.asarray(got, np.float32), 1)


@pytest.mark.parametrize(
  "x", [np.zeros((2, 3), np.float32), np.zeros((2, 3, 4), np.int32)]
)
def test_rejects_other_arrays(x):
  with pytest.raises(ValueError, match=r"x must be .*, got"):
    ops.average_consensus(x)
