"""Temporally adaptive convolution: one kernel, calibrated frame by frame."""

import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.convolution import convolution_2d
from temporal_jax.ops.space_time_convolution import join_taps
from temporal_jax.ops.temporal_convolution import neighbours
from temporal_jax.validation import check_choice

# Axes of the kernel that a calibration scales: input channels, output channels,
# both, or taps.
AXES = ("in", "out", "both", "spatial")


def adaptive_convolution(
  x: jax.Array,
  kernel: jax.Array,
  calibration: jax.Array,
  *,
  axis: str = "in",
  stride: int = 1,
  time_stride: int = 1,
  padding: int = 0,
  dilation: int = 1,
  groups: int = 1,
) -> jax.Array:
  """Convolves every frame with its own calibration of a shared kernel.

  out_t = (calibration_t * kernel) conv x_t

  No kernel of a frame is ever built: to calibrate the input channels is to
  scale `x`, to calibrate the output channels is to scale the result, and taps
  are scaled one by one. A kernel that spans frames sees zeros outside the clip,
  and the calibration of the frame at its centre holds for all its taps.

  Args:
    x: Features (B, T, H, W, C), floating point.
    kernel: Weights over space (KH, KW, C / groups, C'), over space and time
      (KT, KH, KW, C / groups, C') or over time (KT, C / groups, C'); KT is odd.
    calibration: Factors for each clip and frame, on `axis`
      "in": (B, T, n), of the first n <= C input channels;
      "out": (B, T, n), of the first n <= C' output channels;
      "both": (B, T, C + C'), of the input channels and then of the output's;
      "spatial": (B, T, KH, KW), for the taps over space. Channels after the
      n-th are not calibrated.
    axis: One of `AXES`.
    stride: Step over rows and columns, in pixels.
    time_stride: Step over time, in frames; the first is that around frame 0.
    padding: Zeros on every side of H and W, in pixels.
    dilation: Distance of the taps over space, in pixels.
    groups: Equal parts of C and C' that do not see one another.

  Returns:
    Features (B, ceil(T / time_stride), H', W', C') in the dtype of `x`; H' and
    W' are as in `convolution_2d`.

  Raises:
    ValueError: If `x` is not floating point, a shape is none of the above, KT
      is even, `axis` is unknown, a step, the dilation or the groups are not
      integers of at least 1, or the padding is not one of at least 0.

  Source: Huang et al. 2023, https://arxiv.org/abs/2308.05787, equation 3 and
    table 3b; classes `TAdaConv2d` and `TAdaConv3d` in
    module_zoo/ops/tadaconv.py of alibaba-mmai-research/TAdaConv.
  """
  shape_checks.video(x)
  shape_checks.whole(
    1, stride=stride, time_stride=time_stride, dilation=dilation, groups=groups
  )
  shape_checks.whole(0, padding=padding)
  kernel = _over_space_and_time(x, kernel, groups)
  _check_calibration(x, kernel, calibration, axis)
  calibration = calibration.astype(x.dtype)[:, ::time_stride]
  before, after = None, None  # Factors of input and of output channels.
  if axis == "in":
    before = calibration
  elif axis == "out":
    after = calibration
  elif axis == "both":
    before, after = jnp.split(calibration, (x.shape[-1],), axis=-1)
  frames = neighbours(x, kernel.shape[0], stride=time_stride)
  if before is not None:
    factors = _of_channels(before, x.shape[-1])
    frames = [frame * factors for frame in frames]
  x, kernel = join_taps(frames, kernel, groups)
  settings = {"stride": stride, "padding": padding, "dilation": dilation}
  if axis == "spatial":
    return _by_taps(x, kernel, calibration, groups=groups, **settings)
  out = convolution_2d(x, kernel, groups=groups, **settings)
  return out if after is None else out * _of_channels(after, out.shape[-1])


def _over_space_and_time(x: jax.Array, kernel: jax.Array, groups: int) -> jax.Array:
  """Returns any kernel as (KT, KH, KW, C / groups, C')."""
  if kernel.ndim not in (3, 4, 5):
    raise ValueError(
      "kernel must be (KT, C / groups, C'), (KH, KW, C / groups, C') or "
      f"(KT, KH, KW, C / groups, C'), got shape {kernel.shape}."
    )
  if kernel.shape[-2] * groups != x.shape[-1] or kernel.shape[-1] % groups:
    raise ValueError(
      f"channels differ: kernel {kernel.shape}, x {x.shape}, {groups} groups."
    )
  if kernel.ndim == 4:
    return kernel[None]
  if kernel.shape[0] % 2 == 0:
    raise ValueError(f"kernel must span odd KT frames, got {kernel.shape}.")
  return kernel[:, None, None] if kernel.ndim == 3 else kernel


def _check_calibration(
  x: jax.Array, kernel: jax.Array, calibration: jax.Array, axis: str
) -> None:
  """Raises ValueError if `calibration` does not fit `axis`."""
  check_choice("axis", axis, AXES)
  channels, features = x.shape[-1], kernel.shape[-1]
  fits = calibration.shape[:2] == x.shape[:2]
  if axis == "spatial":
    fits &= calibration.shape[2:] == kernel.shape[1:3]
    allowed = f"(B, T, {kernel.shape[1]}, {kernel.shape[2]})"
  elif axis == "both":
    fits &= calibration.shape[2:] == (channels + features,)
    allowed = f"(B, T, {channels} + {features})"
  else:
    most = channels if axis == "in" else features
    fits &= calibration.ndim == 3 and 1 <= calibration.shape[-1] <= most
    allowed = f"(B, T, 1 to {most})"
  if not fits:
    raise ValueError(
      f"calibration of axis {axis!r} must be {allowed} for x {x.shape}, got "
      f"{calibration.shape}."
    )


def _of_channels(factors: jax.Array, channels: int) -> jax.Array:
  """Returns (B, T, n) as factors (B, T, 1, 1, C), 1 after the n-th."""
  rest = channels - factors.shape[-1]
  factors = jnp.pad(factors, ((0, 0), (0, 0), (0, rest)), constant_values=1)
  return factors[:, :, None, None]


def _by_taps(
  x: jax.Array,
  kernel: jax.Array,
  calibration: jax.Array,
  *,
  stride: int,
  padding: int,
  dilation: int,
  groups: int,
) -> jax.Array:
  """Sums the taps over space, each scaled for each frame."""
  sides, (rows, columns) = (padding, padding), kernel.shape[:2]
  x = jnp.pad(x, ((0, 0), (0, 0), sides, sides, (0, 0)))
  height = x.shape[2] - dilation * (rows - 1)
  width = x.shape[3] - dilation * (columns - 1)
  if height < 1 or width < 1:
    raise ValueError(f"kernel {kernel.shape} does not fit padded x {x.shape}.")
  taps = []
  for i in range(rows):
    for j in range(columns):
      top, left = i * dilation, j * dilation
      seen = x[:, :, top : top + height : stride, left : left + width : stride]
      tap = kernel[i : i + 1, j : j + 1]
      factor = calibration[:, :, i, j, None, None, None]
      taps.append(factor * convolution_2d(seen, tap, groups=groups))
  return sum(taps)
