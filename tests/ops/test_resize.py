import functools

import jax
import numpy as np
import pytest

from temporal_jax import ops
from tests.support.examples import FRAME_MAP, OperatorExample

torch = pytest.importorskip("torch")

OPERATOR_EXAMPLES = {
  "resize_bicubic": OperatorExample(
    functools.partial(ops.resize_bicubic, size=(7, 3)), clips=(FRAME_MAP,)
  ),
}


@pytest.mark.parametrize("size", [(7, 7), (16, 16), (14, 14), (5, 23), (1, 2)])
def test_matches_torchs_bicubic(size):
  x = np.random.default_rng(0).standard_normal((2, 14, 12, 5), np.float32)
  got = jax.jit(ops.resize_bicubic, static_argnames="size")(x, size=size)
  want = torch.nn.functional.interpolate(
    torch.tensor(x).permute(0, 3, 1, 2), size=size, mode="bicubic"
  )
  want = want.permute(0, 2, 3, 1).numpy()
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_same_size_changes_nothing():
  x = np.random.default_rng(0).standard_normal((6, 4, 3), np.float32)
  np.testing.assert_array_equal(ops.resize_bicubic(x, size=(6, 4)), x)


def test_rejects_other_axes():
  with pytest.raises(ValueError, match=r"x must be \(\.\.\., H, W, C\), got"):
    ops.resize_bicubic(np.zeros((4, 4), np.float32), size=(2, 2))
