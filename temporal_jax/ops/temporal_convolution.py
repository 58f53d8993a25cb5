"""Convolution along time, as a sum of shifted products."""

import functools

import einops
import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering import materialize
from temporal_jax.ops.lowering.accumulation_dtype import wide_dtype, widen
from temporal_jax.ops.lowering.broadcast_channels import along_channels
from temporal_jax.ops.lowering.moved_frames import move, sum_moved
from temporal_jax.ops.lowering.trace_once import trace_once


def temporal_convolution(
  x: jax.Array, kernel: jax.Array, *, stride: int = 1, groups: int = 1
) -> jax.Array:
  """Convolves along time, all channels of a group into all of its channels.

  out[:, t] = sum_k x[:, stride t + k - K // 2] @ kernel[k]

  Frames outside the clip count as zero.

  Args:
    x: Features (B, T, ..., C), floating point.
    kernel: Weights (K, C / groups, C'). K is odd, in frames. Of C' the first
      C' / groups channels are made of the first C / groups of `x`.
    stride: Step over time, in frames.
    groups: Groups of channels; they divide C and C'.

  Returns:
    Features (B, ceil(T / stride), ..., C'), in the dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point (B, T, ..., C), `kernel` is not
      (odd K, C of `x` / groups, C'), or `stride` or `groups` is not an integer
      of at least 1.

  Source: Tran et al. 2018, https://arxiv.org/abs/1711.11248, section 3.5, the
    1D convolution of (2+1)D; class `Conv1d` of torch.nn.
  """
  shape_checks.frames(x)
  if kernel.ndim != 3 or kernel.shape[0] % 2 == 0:
    raise ValueError(f"kernel must be (odd K, C, C'), got {kernel.shape}.")
  shape_checks.whole(1, stride=stride, groups=groups)
  if groups > 1:
    _check_groups(x, kernel, groups)
    parts = zip(
      jnp.split(x, groups, axis=-1), jnp.split(kernel, groups, axis=-1), strict=True
    )
    outs = [temporal_convolution(*part, stride=stride) for part in parts]
    return jnp.concatenate(outs, axis=-1)
  shape_checks.same_channels(x, kernel, axis=1)
  return jax.lax.platform_dependent(
    x,
    kernel.astype(x.dtype),
    cpu=functools.partial(_convolve_by_one_product, stride=stride),
    default=functools.partial(_convolve_by_products, stride=stride),
  )


def _convolve_by_products(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
  """Sums a product for each tap, of which XLA moves the frames as it reads."""
  views = neighbours(x, len(kernel), stride=stride)
  taps = zip(views, kernel, strict=True)
  return sum(_wide_product(*tap) for tap in taps).astype(x.dtype)


def _wide_product(frames: jax.Array, weights: jax.Array) -> jax.Array:
  """Returns a product that is added to others, in float32 at least."""
  return jnp.matmul(frames, weights, preferred_element_type=wide_dtype(frames))


def _convolve_by_one_product(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
  """Multiplies once, with the taps on the side that has fewer channels.

  For CPU, where XLA writes the moved frames out for every product. With
  gradients 144 -> 64 channels take half as long, 32 -> 8 a tenth.
  """
  taps, channels, features = kernel.shape
  if stride == 1 and features <= channels:
    products = _wide_product(x, einops.rearrange(kernel, "k c f -> c (k f)"))
    return sum_of_taps(products, taps).astype(x.dtype)
  # (B, T', ..., K C)
  views = jnp.concatenate(neighbours(x, taps, stride=stride), axis=-1)
  return views @ einops.rearrange(kernel, "k c f -> (k c) f")


def sum_of_taps(products: jax.Array, taps: int) -> jax.Array:
  """Sums every tap's product with a frame at the place that the tap makes.

  Args:
    products: Products of each frame with the K taps, (B, T, ..., K C').
    taps: Number of taps, K; odd.

  Returns:
    Features (B, T, ..., C').
  """
  parts = jnp.split(products, taps, axis=-1)
  return sum(move(part, taps // 2 - k) for k, part in enumerate(parts))


def _check_groups(x: jax.Array, kernel: jax.Array, groups: int) -> None:
  """Raises ValueError unless groups divide the channels of both arrays."""
  _, channels, features = kernel.shape
  if x.shape[-1] != groups * channels or features % groups:
    raise ValueError(f"{groups} groups do not fit: kernel {kernel.shape}, x {x.shape}.")


@trace_once("causal", "stride")
def depthwise_temporal_convolution(
  x: jax.Array, kernel: jax.Array, *, causal: bool = False, stride: int = 1
) -> jax.Array:
  """Convolves along time, each channel by itself.

  out[:, t, ..., c] = sum_k kernel[k, c] * x[:, stride t + k - before, ..., c]

  with before = K // 2, or K - 1 if it is causal: then no frame needs a later
  one. Frames outside the clip count as zero.

  Args:
    x: Features (B, T, ..., C), floating point.
    kernel: Weights (K, C), in frames. K is odd unless it is causal.
    causal: Whether the taps are the current frame and those before it.
    stride: Step over time, in frames.

  Returns:
    Features (B, ceil(T / stride), ..., C), in the dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point (B, T, ..., C), `kernel` is not
      (K, C of `x`) with K > 0, odd unless causal, or `stride` is not an integer
      of at least 1.

  Source: class `Conv1d` of torch.nn with one group per channel; for bLVNet's
    see `temporal_aggregation`.
  """
  shape_checks.frames(x)
  shape_checks.taps(kernel, causal=causal)
  shape_checks.same_channels(x, kernel, axis=1)
  shape_checks.whole(1, stride=stride)
  kernel = kernel.astype(x.dtype)
  before = len(kernel) - 1 if causal else len(kernel) // 2

  def convolve(x):
    views = neighbours(x, len(kernel), before=before, stride=stride)
    taps = (weigh(k, widen(frames), kernel) for k, frames in enumerate(views))
    return sum(taps).astype(x.dtype)

  # XLA keeps the sums of a fused loop in float32; frames that are widened first
  # would be written out for the gradient.
  def weigh(tap, frames, kernel):
    return frames * along_channels(kernel[tap], frames)

  fused = functools.partial(
    sum_moved, weigh, range(before, before - len(kernel), -1), stride=stride
  )
  return jax.lax.platform_dependent(
    x,
    kernel,
    cpu=lambda x, _: materialize.apart(convolve, x),
    default=fused,
  )


def neighbours(
  x: jax.Array,
  taps: int,
  *,
  stride: int = 1,
  outside: float = 0.0,
  before: int | None = None,
) -> list[jax.Array]:
  """Returns `x` moved along axis 1 by before ... before - taps + 1 frames.

  Element k holds at place t the frame stride t + k - before, or `outside`;
  `before` is taps // 2 by default.
  """
  before = taps // 2 if before is None else before
  views = (move(x, before - k, outside=outside) for k in range(taps))
  return [view if stride == 1 else view[:, ::stride] for view in views]
