import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from tests.support.examples import FRAME_MAP, OperatorExample

AXES = ("in", "out", "both", "spatial")

OPERATOR_EXAMPLES = {
  "adaptive_convolution": OperatorExample(
    lambda x, a, k: ops.adaptive_convolution(x, k, a, padding=1),
    clips=(FRAME_MAP, (6,)),
    shared=((3, 3, 3, 6, 4),),
    temporal=True,
    reverse_only=True,
  ),
  "adaptive_convolution of frames": OperatorExample(
    lambda x, a, k: ops.adaptive_convolution(x, k, a, axis="out", padding=1),
    clips=(FRAME_MAP, (4,)),
    shared=((3, 3, 6, 4),),
    reverse_only=True,
  ),
}


def _calibrated(kernel, factors, axis, groups):
  """Scales a kernel (KT, KH, KW, C / groups, C') for one frame."""
  if axis == "spatial":
    return kernel * factors[None, :, :, None, None]
  inputs, outputs = kernel.shape[3:]
  before, after = {
    "in": (factors, []),
    "out": ([], factors),
    "both": (factors[: inputs * groups], factors[inputs * groups :]),
  }[axis]

  def factor(i, o):
    place = o // (outputs // groups) * inputs + i
    total = torch.ones((), dtype=kernel.dtype)
    if place < len(before):
      total = total * before[place]
    return total * after[o] if o < len(after) else total

  rows = [[factor(i, o) for o in range(outputs)] for i in range(inputs)]
  return kernel * torch.stack([torch.stack(row) for row in rows])


def _naive(x, kernel, calibration, axis, groups=1, **settings):
  """Builds every frame's kernel and convolves the frame with it."""
  if kernel.ndim == 3:
    kernel = kernel[:, None, None]
  elif kernel.ndim == 4:
    kernel = kernel[None]
  reach = kernel.shape[0] // 2
  clips = []
  for clip, factors in zip(x, calibration, strict=True):
    frames = []
    for t in range(len(clip)):
      own = _calibrated(kernel, factors[t], axis, groups)
      total = 0.0
      for k, taps in enumerate(own):
        if 0 <= t + k - reach < len(clip):
          total = total + torch.nn.functional.conv2d(
            clip[t + k - reach].permute(2, 0, 1)[None],
            taps.permute(3, 2, 0, 1),
            groups=groups,
            **settings,
          )
      frames.append(total[0].permute(1, 2, 0))
    clips.append(torch.stack(frames))
  return torch.stack(clips)


def _inputs(shape, kernel, axis, groups=1, count=None):
  """Draws features, a kernel and as many factors as `axis` takes."""
  rng = np.random.default_rng(sum(shape) + sum(kernel))
  channels, features = shape[-1], kernel[-1]
  space = kernel[-4:-2] if len(kernel) > 3 else (1, 1)
  factors = {
    "in": (count or channels,),
    "out": (count or features,),
    "both": (channels + features,),
    "spatial": space,
  }[axis]
  shapes = (shape, kernel, (*shape[:2], *factors))
  return [rng.standard_normal(shape, np.float32) for shape in shapes]


CASES = {
  "plain": ((2, 3, 5, 4, 3), (3, 3, 3, 4), {"padding": 1}),
  "pointwise": ((1, 2, 3, 4, 2), (1, 1, 2, 3), {}),
  "strided": ((1, 2, 6, 7, 2), (3, 3, 2, 3), {"stride": 2, "padding": 1}),
  "dilated": ((1, 2, 6, 7, 2), (3, 3, 2, 3), {"dilation": 2, "padding": 2}),
  "grouped": ((1, 3, 4, 5, 4), (3, 3, 2, 6), {"groups": 2, "padding": 1}),
  "depthwise": ((2, 2, 5, 4, 3), (3, 3, 1, 3), {"groups": 3, "padding": 1}),
  "over time": ((2, 4, 2, 3, 3), (3, 3, 4), {}),
  "over both": ((1, 4, 4, 3, 2), (3, 3, 3, 2, 3), {"padding": 1}),
  "both, grouped": (
    (1, 3, 3, 4, 4),
    (3, 1, 3, 2, 4),
    {"groups": 2, "padding": 1},
  ),
  "longer than the clip": ((1, 2, 2, 2, 2), (7, 2, 3), {}),
  "one frame": ((1, 1, 3, 3, 2), (3, 3, 3, 2, 2), {"padding": 1}),
}


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_match_kernels_per_frame(case, axis):
  shape, kernel, options = CASES[case]
  arrays = _inputs(shape, kernel, axis, options.get("groups", 1))

  def ours(*arrays):
    return ops.adaptive_convolution(*arrays, axis=axis, **options)

  tensors = [torch.tensor(a.astype(np.float64)) for a in arrays]
  tensors = [t.requires_grad_() for t in tensors]
  want = _naive(*tensors, axis, **options)
  (want**2).sum().backward()

  got = ours(*arrays)
  gradients = jax.jit(jax.grad(lambda *arrays: jnp.sum(ours(*arrays) ** 2), (0, 1, 2)))(
    *arrays
  )
  np.testing.assert_allclose(got, want.detach(), rtol=1e-4, atol=1e-4)
  for gradient, tensor in zip(gradients, tensors, strict=True):
    scale = float(tensor.grad.abs().max())
    np.testing.assert_allclose(gradient, tensor.grad, atol=1e-5 * scale)


@settings(max_examples=8, deadline=None)
@given(
  frames=st.integers(1, 4),
  height=st.integers(1, 6),
  width=st.integers(1, 6),
  channels=st.integers(1, 4),
  features=st.integers(1, 4),
  axis=st.sampled_from(AXES),
)
def test_any_shape_matches(frames, height, width, channels, features, axis):
  shape, kernel = (2, frames, height, width, channels), (3, 3, channels)
  arrays = _inputs(shape, (*kernel, features), axis)
  got = ops.adaptive_convolution(*arrays, axis=axis, padding=1)
  want = _naive(*map(torch.tensor, arrays), axis, padding=1)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("axis", ["in", "out"])
@pytest.mark.parametrize("count", [1, 3])
def test_fewer_factors_leave_the_other_channels(axis, count):
  arrays = _inputs((1, 3, 4, 4, 4), (3, 3, 4, 4), axis, count=count)
  x, kernel, calibration = arrays
  ones = np.ones((1, 3, 4 - count), np.float32)
  whole = np.concatenate([calibration, ones], axis=-1)
  got = ops.adaptive_convolution(*arrays, axis=axis, padding=1)
  want = ops.adaptive_convolution(x, kernel, whole, axis=axis, padding=1)
  np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("axis", AXES)
def test_ones_are_the_plain_convolution(axis):
  x, kernel, calibration = _inputs((1, 3, 5, 4, 3), (3, 3, 3, 4), axis)
  ones = np.ones_like(calibration)
  got = ops.adaptive_convolution(x, kernel, ones, axis=axis, padding=1)
  want = ops.convolution_2d(x, kernel, padding=1)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("axis", AXES)
def test_vmap_and_jit_change_nothing(axis):
  clips = [_inputs((1, 3, 4, 4, 2), (3, 3, 2, 3), axis) for _ in range(2)]

  def ours(x, kernel, calibration):
    return ops.adaptive_convolution(x, kernel, calibration, axis=axis, padding=1)

  stacked = [np.stack(arrays) for arrays in zip(*clips, strict=True)]
  got = jax.jit(jax.vmap(ours))(*stacked)
  for one, arrays in zip(got, clips, strict=True):
    np.testing.assert_allclose(one, ours(*arrays), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("axis", AXES)
def test_bfloat16_is_close(axis):
  arrays = _inputs((1, 3, 4, 4, 4), (3, 3, 3, 4, 4), axis)
  want = ops.adaptive_convolution(*arrays, axis=axis, padding=1)
  low = [jnp.asarray(array, jnp.bfloat16) for array in arrays]
  got = ops.adaptive_convolution(*low, axis=axis, padding=1)
  assert got.dtype == jnp.bfloat16
  error = np.linalg.norm(np.asarray(got, np.float32) - np.asarray(want))
  assert error <= 3e-2 * np.linalg.norm(want)


def test_reversing_time_changes_the_result_of_a_kernel_over_time():
  x, kernel, calibration = _inputs((1, 4, 3, 3, 2), (3, 2, 3), "in")
  forward = ops.adaptive_convolution(x, kernel, calibration)
  backward = ops.adaptive_convolution(x[:, ::-1], kernel, calibration[:, ::-1])
  assert np.abs(forward - backward[:, ::-1]).max() > 0.1


@pytest.mark.parametrize(
  ("x", "kernel", "calibration", "options", "message"),
  [
    ((3, 4, 4, 2), (3, 3, 2, 2), (1, 3, 2), {}, "x must be"),
    ((1, 3, 4, 4, 2), (2, 2), (1, 3, 2), {}, "kernel must be"),
    ((1, 3, 4, 4, 2), (3, 3, 3, 2), (1, 3, 2), {}, "channels differ"),
    ((1, 3, 4, 4, 2), (1, 1, 1, 3), (1, 3, 2), {"groups": 2}, "differ"),
    ((1, 3, 4, 4, 2), (2, 2, 2), (1, 3, 2), {}, "odd KT"),
    ((1, 3, 4, 4, 2), (1, 1, 2, 2), (1, 3, 2), {"axis": "x"}, "axis must"),
    ((1, 3, 4, 4, 2), (1, 1, 2, 2), (1, 3, 3), {}, "calibration of axis"),
    ((1, 3, 4, 4, 2), (1, 1, 2, 2), (1, 2, 2), {}, "calibration of axis"),
    ((1, 3, 4, 4, 2), (1, 1, 2, 2), (1, 3, 0), {}, "calibration of axis"),
    ((1, 3, 4, 4, 2), (1, 1, 2, 2), (1, 3, 3), {"axis": "both"}, "2 [+] 2"),
    ((1, 3, 4, 4, 2), (3, 3, 2, 2), (1, 3, 9), {"axis": "spatial"}, "3, 3"),
    ((1, 1, 2, 2, 2), (3, 3, 2, 2), (1, 1, 2), {}, "does not fit"),
    ((1, 1, 2, 2, 2), (3, 3, 2, 2), (1, 1, 3, 3), {"axis": "spatial"}, "fit"),
  ],
)
def test_rejects_what_does_not_fit(x, kernel, calibration, options, message):
  arrays = [np.zeros(shape, np.float32) for shape in (x, kernel, calibration)]
  with pytest.raises(ValueError, match=message):
    ops.adaptive_convolution(*arrays, **options)
