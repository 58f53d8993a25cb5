"""Parts of networks of residual blocks: stem and stages."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers import BatchNorm, Conv3D, FactorisedConv
from temporal_jax.models.blocks.residual import BasicBlock, BottleneckBlock
from temporal_jax.models.blocks.stage import apply_stage
from temporal_jax.models.slots import Temporal

BLOCKS = {"basic": BasicBlock, "bottleneck": BottleneckBlock}
# Slots of a stage; with factorised convolutions those along time are one too.
SLOTS = ("branch_input", "convolution", "after_convolution")
FACTORISED_SLOTS = (*SLOTS, "temporal_convolution")


class Stem(nn.Module):
  """7 x 7 convolution over some frames, norm, ReLU, and max pooling.

  Attributes:
    width: Output channels.
    taps: Frames that the convolution spans.
    stride: Spatial stride of the convolution.
    time_stride: Its temporal stride.
    factorised: Whether the convolution is one over space, norm, ReLU and one
      along time, where it spans several frames.
    inner_width: Channels between these two; see `FactorisedConv.width`.
    time_first: Whether the one along time is the first.
    pool: Whether 3 x 3 max pooling follows, of stride 2.
    dtype: Dtype of the computation.
  """

  width: int
  taps: int = 1
  stride: int = 2
  time_stride: int = 1
  factorised: bool = False
  inner_width: int | None = None
  time_first: bool = False
  pool: bool = True
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps (B, T, H, W, C) to (B, T', H', W', width)."""
    settings = {
      "features": self.width,
      "size": 7,
      "stride": self.stride,
      "taps": self.taps,
      "time_stride": self.time_stride,
      "dtype": self.dtype,
      "name": "conv",
    }
    if self.factorised and self.taps > 1:
      inner = {"width": self.inner_width, "time_first": self.time_first}
      x, _ = FactorisedConv(**settings, **inner)(x, train)
    else:
      x = Conv3D(**settings)(x)
    x = nn.relu(BatchNorm(dtype=self.dtype, name="norm")(x, train))
    return ops.max_pool_2d(x, size=3, stride=2, padding=1) if self.pool else x


def apply_residual_stage(
  x: jax.Array,
  train: bool,
  *,
  name: str,
  index: int,
  num_blocks: int,
  block: str,
  stride: int,
  time_stride: int = 1,
  first_taps: int = 1,
  temporal: Temporal,
  remat: bool,
  **kwargs: Any,
) -> tuple[jax.Array, dict]:
  """Runs a stage of residual blocks, the first of which has the stride.

  See `apply_stage`, also for the arguments that are not listed here.

  Args:
    x: Features (B, T, H, W, C).
    train: Whether BatchNorm uses the batch.
    name: Start of the blocks' names.
    index: Number of the stage, from 0.
    num_blocks: Number of its blocks.
    block: A key of `BLOCKS`.
    stride: Spatial stride of the stage.
    time_stride: Temporal stride of the stage.
    first_taps: Frames that the first convolutions of bottlenecks span.
    temporal: Layers in the temporal slots of the network.
    remat: See `apply_block`.
    **kwargs: Other arguments of the block.
  """
  if block == "bottleneck":
    kwargs["first_taps"] = first_taps

  def make_block(place: int, **own: Any) -> BasicBlock | BottleneckBlock:
    strides = {"stride": stride, "time_stride": time_stride} if place == 0 else {}
    return BLOCKS[block](**strides, **own, **kwargs)

  return apply_stage(
    x,
    train,
    name=name,
    index=index,
    num_blocks=num_blocks,
    make_block=make_block,
    temporal=temporal,
    remat=remat,
  )


def check_block(block: str, first_taps: Sequence[int] = ()) -> None:
  """Raises ValueError if there is no such block, or it lacks `first_taps`."""
  if block not in BLOCKS:
    raise ValueError(f"block must be in {list(BLOCKS)}, got {block!r}.")
  if block == "basic" and any(taps != 1 for taps in first_taps):
    raise ValueError(f"basic blocks have no first_taps, got {first_taps}.")


def clip_features(x: jax.Array) -> jax.Array:
  """Returns the mean (B, C) of features (B, T, H, W, C) in float32."""
  return jnp.mean(x.astype(jnp.float32), axis=(1, 2, 3))
