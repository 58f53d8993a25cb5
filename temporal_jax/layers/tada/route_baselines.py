"""Route functions that TAdaConv is compared with."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers.batch_norm import BatchNorm
from temporal_jax.layers.initializers import torch_default
from temporal_jax.layers.tada.calibration import (
  calibration,
  clip_descriptors,
  frame_descriptors,
  hidden_width,
)
from temporal_jax.layers.temporal_convolution import TemporalConv
from temporal_jax.ops import shape_checks


class LearnedCalibration(nn.Module):
  """A calibration that is learned and does not look at the clip.

  Attributes:
    features: Calibrated channels, by default all of `x`.
    per_frame: Whether each frame has its own one; the number of frames is then
      fixed by the first clip.
    identity_init: Whether the calibration starts at one, else at random.

  Source: Huang et al. 2023, https://arxiv.org/abs/2308.05787, table 3a.
  """

  features: int | None = None
  per_frame: bool = False
  identity_init: bool = True

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps features (B, T, H, W, C) to a calibration (B, T, features).

    Raises:
      ValueError: If `x` is not floating point of rank 5, or `features` is below
        1.
    """
    del train
    shape_checks.video(x)
    batch, num_frames, channels = x.shape[0], x.shape[1], x.shape[-1]
    features = shape_checks.given_or(channels, features=self.features)
    ones = nn.initializers.ones
    init = ones if self.identity_init else nn.initializers.normal(1.0)
    shape = (num_frames if self.per_frame else 1, features)
    scale = self.param("scale", init, shape, jnp.float32).astype(x.dtype)
    return jnp.broadcast_to(scale[None], (batch, num_frames, features))


class ClipCalibration(nn.Module):
  """A calibration made of the whole clip's mean by a perceptron.

  Shared by the frames it is DynamicFilter's, different for each DDF's.

  Attributes:
    features: Calibrated channels, by default all of `x`.
    per_frame: Whether each frame has its own one; the number of frames is then
      fixed by the first clip.
    ratio: The hidden width is C // ratio.
    identity_init: Whether the calibration starts at one, else at random.
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: Huang et al. 2023, https://arxiv.org/abs/2308.05787, appendix J and
    table A8; De Brabandere et al. 2016, https://arxiv.org/abs/1605.09673
    (DynamicFilter); Zhou et al. 2021, https://arxiv.org/abs/2104.14107 (DDF,
    its channel branch).
  """

  features: int | None = None
  per_frame: bool = False
  ratio: int = 4
  identity_init: bool = True
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps features (B, T, H, W, C) to a calibration (B, T, features).

    Raises:
      ValueError: If `x` is not floating point of rank 5, `ratio` is not in 1 to
        C, or `features` is below 1.
    """
    del train
    dtype = self.dtype or x.dtype
    clip = clip_descriptors(x).astype(dtype)
    batch, num_frames, channels = x.shape[0], x.shape[1], x.shape[-1]
    moments = num_frames if self.per_frame else 1
    features = shape_checks.given_or(channels, features=self.features)
    hidden = nn.Dense(
      hidden_width(channels, self.ratio),
      kernel_init=torch_default(),
      dtype=dtype,
      name="reduce",
    )(clip)
    out = calibration(
      nn.relu(hidden)[:, None],
      moments * features,
      taps=1,
      identity_init=self.identity_init,
      kernel_init=torch_default(),
      name="expand",
    )
    out = out.reshape(batch, moments, features)  # (B, T or 1, features)
    return jnp.broadcast_to(out, (batch, num_frames, features))


class AdaptiveModule(nn.Module):
  """Calibration by TANet's branches, which see the frames' means.

  The global branch maps each channel's course over the T frames to one number,
  by a perceptron along time. The local branch maps each frame's neighbourhood
  to a number between 0 and 1 for each channel, by convolutions along time.

  Attributes:
    features: Calibrated channels, by default all of `x`; if fewer, the first
      ones.
    local: Whether the local branch multiplies the global one, so that each
      frame has a calibration of its own.
    ratio: The local branch's hidden width is features // ratio.
    identity_init: Whether the calibration starts at one, else at random.
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: Liu et al. 2020, https://arxiv.org/abs/2005.06803, section 3.1, with
    one number in place of a kernel and without the softmax over it; used so in
    Huang et al. 2023, https://arxiv.org/abs/2308.05787, table A8.
  """

  features: int | None = None
  local: bool = True
  ratio: int = 4
  identity_init: bool = True
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps features (B, T, H, W, C) to a calibration (B, T, features).

    The number of frames is fixed by the first clip.

    Raises:
      ValueError: If `x` is not floating point of rank 5, `features` is below 1
        or more than its channels, or `ratio` is not in 1 to `features`.
    """
    features = shape_checks.given_or(x.shape[-1], features=self.features)
    if features > x.shape[-1]:
      raise ValueError(
        f"features must be at most the {x.shape[-1]} channels of x {x.shape}, "
        f"got {features}."
      )
    frames = frame_descriptors(x).astype(self.dtype or x.dtype)
    frames = frames[..., :features]
    weight = self._global_branch(frames, train)
    if self.local:
      weight = weight * self._local_branch(frames, train)
    if self.identity_init:
      weight = weight + 1
    return jnp.broadcast_to(weight, frames.shape)

  def _global_branch(self, frames: jax.Array, train: bool) -> jax.Array:
    """Maps (B, T, C) to (B, 1, C)."""
    course = frames.swapaxes(1, 2)  # (B, C, T)
    dense = {"use_bias": False, "dtype": frames.dtype}
    hidden = nn.Dense(
      2 * course.shape[-1],
      kernel_init=torch_default(),
      name="global_expand",
      **dense,
    )(course)
    norm = BatchNorm(dtype=frames.dtype, name="global_norm")
    zeros = nn.initializers.zeros
    out = nn.Dense(
      1,
      kernel_init=zeros if self.identity_init else torch_default(),
      name="global_reduce",
      **dense,
    )(nn.relu(norm(hidden, train)))
    return out.swapaxes(1, 2)  # (B, 1, C)

  def _local_branch(self, frames: jax.Array, train: bool) -> jax.Array:
    """Maps (B, T, C) to (B, T, C), between 0 and 1."""
    channels, dtype = frames.shape[-1], frames.dtype
    settings = {
      "use_bias": False,
      "kernel_init": torch_default(),
      "dtype": dtype,
    }
    hidden = hidden_width(channels, self.ratio)
    y = TemporalConv(hidden, 3, name="local_reduce", **settings)(frames)
    y = nn.relu(BatchNorm(dtype=dtype, name="local_norm")(y, train))
    y = TemporalConv(channels, 1, name="local_expand", **settings)(y)
    return nn.sigmoid(y)
