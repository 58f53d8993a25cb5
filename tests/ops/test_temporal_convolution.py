import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from tests.support.examples import FRAME_MAP, OperatorExample

SIZES = st.integers(1, 5)

OPERATOR_EXAMPLES = {
  "depthwise_temporal_convolution": OperatorExample(
    ops.depthwise_temporal_convolution,
    clips=(FRAME_MAP,),
    shared=((3, 6),),
    temporal=True,
  ),
  "temporal_convolution": OperatorExample(
    ops.temporal_convolution, clips=(FRAME_MAP,), shared=((3, 6, 4),), temporal=True
  ),
}


def _loop(x, kernel):
  """The definition, in float64, one frame and tap after the other."""
  x, kernel = (np.asarray(a, np.float64) for a in (x, kernel))
  depthwise = kernel.ndim == 2
  features = kernel.shape[-1]
  out = np.zeros((*x.shape[:-1], features))
  for t in range(x.shape[1]):
    for k in range(len(kernel)):
      source = t + k - len(kernel) // 2
      if 0 <= source < x.shape[1]:
        frame = x[:, source]
        out[:, t] += frame * kernel[k] if depthwise else frame @ kernel[k]
  return out


@pytest.mark.parametrize("taps", [1, 3, 7])
@settings(max_examples=10, deadline=None)
@given(SIZES, SIZES, SIZES, SIZES, SIZES)
def test_dense_is_its_definition(taps, batch, frames, width, channels, features):
  rng = np.random.default_rng(0)
  x = rng.standard_normal((batch, frames, width, channels), np.float32)
  kernel = rng.standard_normal((taps, channels, features), np.float32)
  got = ops.temporal_convolution(x, kernel)
  np.testing.assert_allclose(got, _loop(x, kernel), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("taps", [1, 3, 7])
@settings(max_examples=10, deadline=None)
@given(SIZES, SIZES, SIZES, SIZES)
def test_depthwise_is_its_definition(taps, batch, frames, width, channels):
  rng = np.random.default_rng(0)
  x = rng.standard_normal((batch, frames, width, channels), np.float32)
  kernel = rng.standard_normal((taps, channels), np.float32)
  got = ops.depthwise_temporal_convolution(x, kernel)
  np.testing.assert_allclose(got, _loop(x, kernel), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("groups", [2, 3])
def test_groups_are_convolutions_of_their_own(groups):
  rng = np.random.default_rng(0)
  x = rng.standard_normal((2, 5, 6), np.float32)
  kernel = rng.standard_normal((3, 6 // groups, 12), np.float32)
  got = ops.temporal_convolution(x, kernel, groups=groups)
  dense = np.zeros((3, 6, 12), np.float32)
  for group, part in enumerate(np.split(kernel, groups, axis=-1)):
    rows, columns = part.shape[1:]
    rows, columns = (slice(n * group, n * (group + 1)) for n in (rows, columns))
    dense[:, rows, columns] = part
  np.testing.assert_allclose(got, _loop(x, dense), rtol=1e-4, atol=1e-5)


def test_groups_must_divide_both_channels():
  x = np.zeros((1, 4, 6), np.float32)
  for kernel in ((3, 3, 5), (3, 4, 4)):
    with pytest.raises(ValueError, match="2 groups do not fit"):
      ops.temporal_convolution(x, np.zeros(kernel, np.float32), groups=2)


FORMS = [
  (ops.temporal_convolution, (3, 6, 5)),
  (ops.depthwise_temporal_convolution, (3, 6)),
]


@pytest.mark.parametrize(("op", "shape"), FORMS)
def test_jit_vmap_and_bfloat16(op, shape):
  rng = np.random.default_rng(0)
  x = rng.standard_normal((3, 2, 4, 6), np.float32)
  kernel = rng.standard_normal(shape, np.float32)
  eager = op(x, kernel)
  np.testing.assert_allclose(jax.jit(op)(x, kernel), eager, rtol=1e-6, atol=1e-6)
  each = [op(clip[None], kernel)[0] for clip in x]
  mapped = jax.vmap(lambda clip: op(clip[None], kernel)[0])(x)
  np.testing.assert_allclose(mapped, np.stack(each), rtol=1e-6, atol=1e-6)
  half = op(jax.numpy.asarray(x, jax.numpy.bfloat16), kernel)
  assert half.dtype == jax.numpy.bfloat16
  error = np.linalg.norm(half.astype(np.float32) - eager)
  assert error <= 3e-2 * np.linalg.norm(eager)


@pytest.mark.parametrize("frames", [1, 6, 7])
@pytest.mark.parametrize("stride", [2, 3])
@pytest.mark.parametrize(("op", "shape"), FORMS)
def test_strides_leave_frames_out(op, shape, stride, frames):
  rng = np.random.default_rng(0)
  x = rng.standard_normal((2, frames, 6), np.float32)
  kernel = rng.standard_normal(shape, np.float32)
  whole = op(x, kernel)[:, ::stride]
  np.testing.assert_allclose(op(x, kernel, stride=stride), whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("op", "shape"), FORMS)
def test_time_has_a_direction(op, shape):
  rng = np.random.default_rng(0)
  x = rng.standard_normal((1, 5, 2, 6), np.float32)
  kernel = rng.standard_normal(shape, np.float32)
  assert np.abs(op(x[:, ::-1], kernel)[:, ::-1] - op(x, kernel)).max() > 0.1


@pytest.mark.parametrize(("op", "shape"), FORMS)
def test_rejects(op, shape):
  x = np.zeros((1, 4, 2, 6), np.float32)
  with pytest.raises(ValueError, match="odd K"):
    op(x, np.zeros((2, *shape[1:]), np.float32))
  with pytest.raises(ValueError, match="channels differ"):
    op(x[..., :5], np.zeros(shape, np.float32))
  with pytest.raises(ValueError, match="floating point"):
    op(x.astype(int), np.zeros(shape, np.float32))
  with pytest.raises(ValueError, match=r"\(B, T, ..., C\)"):
    op(x[0, 0], np.zeros(shape, np.float32))


@pytest.mark.parametrize(("channels", "features"), [(1, 1), (1, 2), (2, 1)])
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_narrow_dtypes_are_summed_in_float32(channels, features, dtype):
  """256 + 1 - 256 is 0 if the sums are in bfloat16."""
  large = 256 if dtype == jnp.bfloat16 else 2048
  x = (
    jnp.zeros((1, 3, 1, channels), dtype)
    .at[0, :, 0, 0]
    .set(jnp.array([large, 1, -large], dtype))
  )
  dense = ops.temporal_convolution(x, jnp.ones((3, channels, features), dtype))
  assert float(dense[0, 1, 0, 0]) == 1
  depthwise = ops.depthwise_temporal_convolution(x, jnp.ones((3, channels), dtype))
  assert float(depthwise[0, 1, 0, 0]) == 1
  cube = ops.convolution_3d(
    x[:, :, None], jnp.ones((3, 1, 1, channels, features), dtype)
  )
  assert float(cube[0, 1, 0, 0, 0]) == 1


@pytest.mark.parametrize(
  ("settings", "message"),
  [
    ({"stride": 0}, "stride must be an integer of at least 1, got 0"),
    ({"stride": -1}, "stride must be an integer of at least 1, got -1"),
    ({"stride": 1.5}, "stride must be an integer of at least 1, got 1.5"),
    ({"groups": 0}, "groups must be an integer of at least 1, got 0"),
  ],
)
def test_steps_and_groups_are_whole(settings, message):
  with pytest.raises(ValueError, match=message):
    ops.temporal_convolution(jnp.ones((1, 4, 2)), jnp.ones((3, 2, 2)), **settings)
