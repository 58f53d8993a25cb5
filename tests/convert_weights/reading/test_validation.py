import jax.numpy as jnp
import numpy as np
import pytest

from convert_weights.reading import non_finite


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c8", jnp.bfloat16])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite(dtype, bad):
  good = np.ones((600, 1000), dtype)
  spoilt = good.copy()
  spoilt[-1, -1] = bad
  tensors = {
    "good": good,
    "spoilt": spoilt,
    "strided": spoilt.T[::-1, ::-3],
    "between": spoilt[:, ::2],  # The bad one is left out.
    "scalar": np.array(bad, dtype),
    "none": np.ones((0, 3), dtype),
    "count": np.array(3),
  }
  for tensor in tensors.values():
    tensor.setflags(write=False)
  assert non_finite(tensors) == ["spoilt", "strided", "scalar"]
