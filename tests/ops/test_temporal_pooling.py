import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from tests.support.examples import FRAME_MAP, OperatorExample

torch = pytest.importorskip("torch")

OPERATOR_EXAMPLES = {
  "temporal_pooling": OperatorExample(
    ops.temporal_pooling, clips=(FRAME_MAP,), symmetric=True
  ),
}


def _torch(x, size, stride, kind):
  """Output of torch's pooling layers, which refuse clips below their window."""
  series = torch.tensor(x).permute(0, 2, 3, 4, 1).flatten(1, 3)  # B HWC T
  settings = {"stride": stride, "padding": size // 2}
  pooled = 0
  if kind != "max":
    pooled = torch.nn.functional.avg_pool1d(series, size, **settings)
  if kind != "average":
    pooled = pooled + torch.nn.functional.max_pool1d(series, size, **settings)
  shape = (x.shape[0], *x.shape[2:], pooled.shape[-1])
  return pooled.reshape(shape).permute(0, 4, 1, 2, 3).numpy()


@pytest.mark.parametrize("kind", ["average", "max", "mix"])
@pytest.mark.parametrize("size", [1, 3, 5])
@settings(max_examples=8, deadline=None)
@given(st.integers(1, 9), st.integers(1, 3))
def test_is_torchs(kind, size, frames, stride):
  x = np.random.default_rng(0).standard_normal((2, frames, 3, 2, 4), np.float32)
  got = ops.temporal_pooling(x, size=size, stride=stride, kind=kind)
  want = _torch(x, size, stride, kind)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["average", "max", "mix"])
def test_jit_vmap_grad_and_bfloat16(kind):
  x = np.random.default_rng(0).standard_normal((3, 6, 2, 2, 4), np.float32)

  def op(x):
    return ops.temporal_pooling(x, kind=kind)

  eager = op(x)
  np.testing.assert_allclose(jax.jit(op)(x), eager, rtol=1e-6)
  mapped = jax.vmap(lambda clip: op(clip[None])[0])(x)
  np.testing.assert_allclose(mapped, eager, rtol=1e-6)
  assert np.isfinite(jax.grad(lambda x: op(x).sum())(x)).all()
  half = op(jnp.asarray(x, jnp.bfloat16))
  assert half.dtype == jnp.bfloat16
  np.testing.assert_allclose(half.astype(np.float32), eager, atol=3e-2)


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"size": 2}, "size must be odd"),
    ({"stride": 0}, "stride must be an integer of at least 1"),
    ({"kind": "mean"}, "'mean'"),
  ],
)
def test_rejects(options, message):
  with pytest.raises(ValueError, match=message):
    ops.temporal_pooling(np.zeros((1, 2, 3, 3, 4), np.float32), **options)
