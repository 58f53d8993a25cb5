import functools

import numpy as np
import pytest
import torch

from temporal_jax import ops
from tests.support.examples import FRAME_MAP, OperatorExample

OPERATOR_EXAMPLES = {
  "convolution_3d": OperatorExample(
    functools.partial(ops.convolution_3d, padding=1),
    clips=(FRAME_MAP,),
    shared=((3, 3, 3, 6, 2),),
    temporal=True,
    reverse_only=True,
  ),
}


def _draw(*shapes):
  rng = np.random.default_rng(0)
  return [rng.standard_normal(shape, np.float32) for shape in shapes]


@pytest.mark.parametrize(("taps", "features"), [(1, 4), (3, 4), (5, 4), (3, 33)])
@pytest.mark.parametrize(
  ("frames", "stride", "time_stride"), [(5, 1, 1), (6, 2, 2), (2, 1, 3)]
)
def test_is_torchs_convolution(taps, features, frames, stride, time_stride):
  x, kernel = _draw((2, frames, 5, 7, 3), (taps, 3, 3, 3, features))
  got = ops.convolution_3d(x, kernel, stride=stride, time_stride=time_stride, padding=1)
  want = torch.nn.functional.conv3d(
    torch.from_numpy(x).permute(0, 4, 1, 2, 3).double(),
    torch.from_numpy(kernel).permute(4, 3, 0, 1, 2).double(),
    stride=(time_stride, stride, stride),
    padding=(taps // 2, 1, 1),
  ).permute(0, 2, 3, 4, 1)
  assert got.shape == want.shape
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("frames", [1, 4, 5])
def test_steps_over_time_leave_frames_out(frames):
  x, kernel, over_time, calibration = _draw(
    (1, frames, 4, 5, 3), (3, 3, 3, 3, 2), (3, 3, 2), (1, frames, 3)
  )
  strided = ops.temporal_convolution(x, over_time, stride=2)
  whole = ops.temporal_convolution(x, over_time)
  np.testing.assert_allclose(strided, whole[:, ::2], atol=1e-5)
  for weights in (kernel, over_time):
    whole = ops.adaptive_convolution(x, weights, calibration)
    strided = ops.adaptive_convolution(x, weights, calibration, time_stride=2)
    np.testing.assert_allclose(strided, whole[:, ::2], atol=1e-4)


@pytest.mark.parametrize("shape", [(2, 3, 3, 3, 4), (3, 3, 3, 4)])
def test_rejects_other_kernels(shape):
  x, kernel = _draw((1, 2, 4, 4, 3), shape)
  with pytest.raises(ValueError, match="odd KT"):
    ops.convolution_3d(x, kernel)
