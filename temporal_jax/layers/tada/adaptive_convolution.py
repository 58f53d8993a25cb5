"""Temporally adaptive convolution with its kernel and its route function."""

import functools
import math
from collections.abc import Callable
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers.initializers import INITIALIZERS
from temporal_jax.layers.tada.route_attention import RouteAttention
from temporal_jax.layers.tada.route_baselines import (
  AdaptiveModule,
  ClipCalibration,
  LearnedCalibration,
)
from temporal_jax.layers.tada.route_mlp import RouteMlp
from temporal_jax.layers.tada.temporal_pooling import StridedTemporalPooling
from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.broadcast_channels import along_channels
from temporal_jax.validation import check_choice

# Factors for the kernel, or for the kernel and the bias.
Calibration = jax.Array | tuple[jax.Array, jax.Array]
# Route functions by the name that an operator's text gives them.
ROUTES = {
  "attention": RouteAttention,
  "clip": ClipCalibration,
  "mlp": RouteMlp,
  "static": LearnedCalibration,
  "tanet": AdaptiveModule,
}


class AdaptiveConv(nn.Module):
  """Convolution whose kernel is calibrated for each frame (TAdaConv).

  Kernel and bias have the names and shapes of `Conv2D`, or of `DepthwiseConv2D`
  if every channel is a group, so that image weights fit; a route function that
  starts at one leaves them as they are.

  Attributes:
    features: Output channels, C'.
    size: Side of the kernel, odd.
    stride: Step over rows and columns.
    taps: Frames the kernel spans, odd. Above 1 they are the kernel's first
      axis, and a `size` of 1 has no axes in it.
    time_stride: Step over time.
    padding: Zeros on every side of H and W; by default as many as keep H and W
      with stride 1.
    dilation: Distance of the taps over space.
    groups: Equal parts of C and C' that do not see one another.
    axis: Calibrated axis, see `ops.adaptive_convolution`.
    share: Share of the channels on `axis` "in" or "out" that is calibrated, in
      (0, 1]; at least one channel is.
    use_bias: Whether a bias is added; by default if the backbone's convolution
      has one, and without a backbone none is.
    route: Makes the route function, (features, name) -> module
      (x, train) -> calibration (B, T, features). One that returns a second
      calibration (B, T, C') calibrates the bias with it; see `ROUTES`. None if
      every call brings its calibration.
    kernel_init: Initialiser of the kernel; by default it and the bias are
      uniform in +-1 / sqrt(number of weights), as the reference has them.
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: as `ops.adaptive_convolution`; for the calibrated bias class
    `TAdaConv2dV2` in module_zoo/ops/tadaconv_v2.py of the same repository.
  """

  features: int
  size: int = 3
  stride: int = 1
  taps: int = 1
  time_stride: int = 1
  padding: int | None = None
  dilation: int = 1
  groups: int = 1
  axis: str = "in"
  share: float = 1.0
  use_bias: bool | None = None
  route: Callable[..., nn.Module] | None = RouteMlp
  kernel_init: nn.initializers.Initializer | None = None
  dtype: jax.typing.DTypeLike | None = None

  CHOICES: ClassVar = {"route": ROUTES, "kernel_init": INITIALIZERS}

  @nn.compact
  def __call__(
    self,
    x: jax.Array,
    train: bool = False,
    *,
    calibration: Calibration | None = None,
  ) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Maps (B, T, H, W, C) to (B, T', H / stride, W / stride, features).

    T' is T / time_stride.

    Args:
      x: Features (B, T, H, W, C).
      train: Handed to the route function.
      calibration: Calibration that is used in place of the route function's.

    Returns:
      Features, and {"calibration": the kernel's calibration}.

    Raises:
      ValueError: If shapes do not fit, `size` or `taps` is even, nothing makes
        a calibration, or as `ops.adaptive_convolution`.
    """
    shape_checks.odd("size", self.size)
    shape_checks.odd("taps", self.taps)
    shape_checks.whole(1, groups=self.groups)
    x = x.astype(self.dtype or x.dtype)
    if calibration is None:
      calibration = self._route(x, train)
    if not isinstance(calibration, tuple):
      calibration = (calibration, None)
    of_kernel, of_bias = calibration
    shape = self._kernel_shape(x.shape[-1])
    uniform = _uniform(1 / math.sqrt(math.prod(shape)))
    kernel = self.param("kernel", self.kernel_init or uniform, shape, jnp.float32)
    keeping = self.dilation * (self.size // 2)
    if self._is_depthwise(x.shape[-1]):
      kernel = kernel[..., None, :]
    out = ops.adaptive_convolution(
      x,
      kernel,
      of_kernel,
      axis=self.axis,
      stride=self.stride,
      time_stride=self.time_stride,
      padding=keeping if self.padding is None else self.padding,
      dilation=self.dilation,
      groups=self.groups,
    )
    if self.use_bias:
      init = nn.initializers.zeros if self.kernel_init else uniform
      bias = self.param("bias", init, (self.features,), jnp.float32)
      bias = along_channels(bias, out)
      if of_bias is not None:
        bias = bias * of_bias.astype(out.dtype)[:, :, None, None]
      out = out + bias
    return out, {"calibration": of_kernel}

  def _is_depthwise(self, channels: int) -> bool:
    return 1 < self.groups == channels == self.features

  def _kernel_shape(self, channels: int) -> tuple[int, ...]:
    """Returns the shape of the kernel for C input channels."""
    if channels % self.groups:
      raise ValueError(f"{self.groups} groups do not divide {channels}.")
    shape = (self.features,)
    if not self._is_depthwise(channels):
      shape = (channels // self.groups, *shape)
    if self.taps == 1 or self.size > 1:
      shape = (self.size, self.size, *shape)
    return shape if self.taps == 1 else (self.taps, *shape)

  def _route(self, x: jax.Array, train: bool) -> Calibration:
    """Returns the calibration that the route function makes of `x`."""
    if self.route is None:
      raise ValueError("without a route function a calibration must be given.")
    if not 0 < self.share <= 1:
      raise ValueError(f"share must be in (0, 1], got {self.share}.")
    counts = {
      "in": max(1, round(self.share * x.shape[-1])),
      "out": max(1, round(self.share * self.features)),
      "both": x.shape[-1] + self.features,
      "spatial": self.size**2,
    }
    check_choice("axis", self.axis, counts)
    made = self.route(features=counts[self.axis], name="route")(x, train=train)
    if self.axis == "spatial":
      return made.reshape(*made.shape[:2], self.size, self.size)  # (B, T, K, K)
    return made


def _uniform(bound: float) -> nn.initializers.Initializer:
  """Returns an initialiser uniform in +-bound."""

  def initializer(key, shape, dtype=float):
    return jax.random.uniform(key, shape, dtype, -bound, bound)

  return initializer


_V2 = functools.partial(
  AdaptiveConv,
  axis="out",
  use_bias=True,
  route=functools.partial(RouteMlp, norm="layer", bias=True),
)
OPERATORS = {
  "adaptive": {
    "convolution": AdaptiveConv,
    "after_convolution": StridedTemporalPooling,
  },
  "adaptive_convolution": {"convolution": AdaptiveConv},
  "adaptive_depthwise": {"convolution": _V2},
  "adaptive_space_and_time": {
    "convolution": AdaptiveConv,
    "temporal_convolution": AdaptiveConv,
  },
}
