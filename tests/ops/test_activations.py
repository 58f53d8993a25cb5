import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import ops
from tests.support.examples import FRAME_MAP, OperatorExample

_X = np.linspace(-8, 8, 41)

OPERATOR_EXAMPLES = {
  "gelu": OperatorExample(ops.gelu, clips=(FRAME_MAP,)),
  "quick_gelu": OperatorExample(ops.quick_gelu, clips=(FRAME_MAP,)),
}


def _quick(x):
  return x / (1 + np.exp(-1.702 * x))


@np.vectorize
def _exact(x):
  return x * (1 + math.erf(x / math.sqrt(2))) / 2


@pytest.mark.parametrize(
  ("function", "definition"), [(ops.gelu, _exact), (ops.quick_gelu, _quick)]
)
def test_is_its_definition(function, definition):
  got = function(jnp.asarray(_X, jnp.float32))
  np.testing.assert_allclose(got, definition(_X), rtol=1e-5, atol=1e-6)
  half = function(jnp.asarray(_X, jnp.bfloat16))
  assert half.dtype == jnp.bfloat16
  np.testing.assert_allclose(
    half.astype(np.float32), definition(_X), rtol=3e-2, atol=1e-2
  )


def test_gradient_of_gelu_is_that_of_jax():
  x = jnp.asarray(_X, jnp.float32)
  got, want = (
    jax.grad(lambda x, f=f: f(x).sum())(x)
    for f in (ops.gelu, lambda x: jax.nn.gelu(x, approximate=False))
  )
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
