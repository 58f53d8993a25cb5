"""ConvNeXt over the frames of a clip, with temporal slots in its blocks."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers import (
  DepthwiseConv2D,
  DropPath,
  LayerNorm,
  LayerScale,
  Mlp,
  PatchEmbedding,
)
from temporal_jax.layers.tada.temporal_pooling import normalised
from temporal_jax.models.blocks import heads
from temporal_jax.models.blocks.stage import apply_stage
from temporal_jax.models.network import Network
from temporal_jax.models.slots import Factory, Temporal, apply_slot
from temporal_jax.ops import shape_checks
from temporal_jax.ops.activations import Activation, find_activation

_NORMAL = nn.initializers.normal(0.02)


class ConvNeXtBlock(nn.Module):
  """A depthwise 7 x 7 convolution and an MLP, in one residual branch.

  Attributes:
    size: Side of the convolution's kernel, odd.
    activation: Function inside the MLP, or its name, see `layers.Mlp`.
    layer_scale: First value of the factors of the branch's channels.
    drop_path: Rate of stochastic depth, a clip at a time.
    temporal: Layers in the block's temporal slots; the factory of `convolution`
      takes `groups` as well.
    dtype: Dtype of the computation.

  Source: Liu et al. 2022, https://arxiv.org/abs/2201.03545, figure 4; class
    `Block` in models/convnext.py of facebookresearch/ConvNeXt. With
    `AdaptiveConv`, `StridedTemporalPooling` and QuickGELU it is class
    `TAdaConvNeXtV2Block` of alibaba-mmai-research/TAdaConv.
  """

  size: int = 7
  activation: str | Activation = "gelu"
  layer_scale: float = 1e-6
  drop_path: float = 0.0
  temporal: Temporal = Temporal()
  dtype: jax.typing.DTypeLike = jnp.float32

  SLOTS = ("branch_input", "convolution", "after_convolution")

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to the same shape, and the slots' outputs."""
    slots = self.temporal.adapted(use_bias=True, norm="layer")
    y, aux = apply_slot(slots.branch_input, "branch_input", x, train)
    y, more = self._convolve(slots.convolution, y, train)
    aux |= more
    normed, more = normalised(
      y,
      train,
      norm=LayerNorm(epsilon=1e-6, dtype=self.dtype, name="norm"),
      after=slots.after_convolution,
    )
    aux |= more
    mlp = Mlp(
      4 * x.shape[-1],
      activation=self.activation,
      kernel_init=_NORMAL,
      dtype=self.dtype,
      name="mlp",
    )
    y = LayerScale(self.layer_scale, name="scale")(mlp(normed, train))
    return x + DropPath(self.drop_path)(y, train), aux

  def _convolve(
    self, factory: Factory | None, x: jax.Array, train: bool
  ) -> tuple[jax.Array, dict]:
    """Applies the convolution, or the layer in its slot."""
    if factory is None:
      conv = DepthwiseConv2D(
        self.size, kernel_init=_NORMAL, dtype=self.dtype, name="conv"
      )
      return conv(x), {}
    channels = x.shape[-1]
    conv = factory(
      features=channels, size=self.size, stride=1, groups=channels, name="conv"
    )
    return conv(x, train=train)


class ConvNeXt(Network):
  """ConvNeXt on every frame, or every tubelet, then one prediction.

  Attributes:
    num_classes: Outputs of the classifier, L, or a dict with one number per
      task.
    stage_sizes: Blocks of each stage.
    widths: Channels of each stage.
    tubelet: Frames that a patch of the stem spans, an odd number around its
      middle, and frames from one to the next.
    activation: Function inside the MLPs, or its name, see `layers.Mlp`.
    layer_scale: First value of the factors of a branch's channels.
    drop_path: Rate of stochastic depth in the last block; it grows linearly.
    temporal: Layers in the temporal slots.
    average_first: Whether the frames' features are averaged before norm,
      dropout and head, which then see one (TAda).
    head: Name in `heads.HEADS`, or a factory like those: how the frames'
      features become logits; by default TSN's average of their logits.
    dropout: Rate before the classifier.
    remat: Whether the blocks' results are computed again for the gradients
      instead of being kept.
    dtype: Dtype of the computation; parameters and logits stay float32.

  Source: Liu et al. 2022, https://arxiv.org/abs/2201.03545; class `ConvNeXt` in
    models/convnext.py of facebookresearch/ConvNeXt. With TAdaConv, Huang et al.
    2023, https://arxiv.org/abs/2308.05787; class `ConvNeXt` in
    models/base/backbone.py of alibaba-mmai-research/TAdaConv.
  """

  num_classes: int | Mapping[str, int]
  stage_sizes: Sequence[int] = (3, 3, 9, 3)
  widths: Sequence[int] = (96, 192, 384, 768)
  tubelet: tuple[int, int] = (1, 1)
  activation: str | Activation = "gelu"
  layer_scale: float = 1e-6
  drop_path: float = 0.0
  temporal: Temporal = Temporal()
  average_first: bool = False
  head: str | heads.Factory = "average"
  dropout: float = 0.0
  remat: bool = False
  dtype: jax.typing.DTypeLike = jnp.float32

  SLOTS = ("block_input", *ConvNeXtBlock.SLOTS)

  def __post_init__(self) -> None:
    super().__post_init__()
    heads.resolve(self.head)  # An unknown name raises.
    find_activation(self.activation)  # Likewise.
    if len(self.stage_sizes) != len(self.widths):
      raise ValueError(
        f"each stage has a width, got {self.stage_sizes} and {self.widths}."
      )
    self.temporal.check("ConvNeXt", self.SLOTS, given=("groups",))

  @nn.nowrap
  def is_framewise(self) -> bool:
    """Returns whether patches and norms are a frame's own."""
    own = max(self.tubelet) == 1 and not self.average_first
    return own and heads.averages_logits(self.head)

  @nn.nowrap
  def arguments_for(
    self, *, num_frames: int | None, image_size: int | None
  ) -> dict[str, int]:
    """Refuses images too small for the stages."""
    del num_frames
    if image_size is not None:
      self._check_sides(image_size)
    return {}

  @nn.compact
  def __call__(self, clip: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Classifies clips.

    Args:
      clip: Normalised frames (B, T, H, W, 3), floating point. What patches of
        4 pixels, then of 2 at every later stage, do not fill at the right and
        at the bottom is left out, as in torch.
      train: Whether anything is dropped.

    Returns:
      Logits (B, L), float32, and {"features": (B, D), "frame_features":
      (B, T', D)}, the first after the last norm, plus the outputs of the
      temporal modules, under "stage{i}_block{j}".

    Raises:
      ValueError: If `clip` is not floating point of rank 5, or too small.
    """
    shape_checks.video(clip)
    self._check_sides(*clip.shape[2:4])
    x = self._norm("stem_norm")(self._stem(clip.astype(self.dtype)))
    aux = {}
    for stage, num_blocks in enumerate(self.stage_sizes):
      if stage > 0:
        x = self._norm(f"downsample{stage}_norm")(x)
        x = self._patches(x, stage, 2, f"downsample{stage}_conv")
      x, stage_aux = apply_stage(
        x,
        train,
        name=f"stage{stage + 1}",
        index=stage,
        num_blocks=num_blocks,
        make_block=functools.partial(self._block, stage),
        temporal=self.temporal,
        remat=self.remat,
      )
      aux |= stage_aux
    norm = LayerNorm(epsilon=1e-6, name="norm")
    logits, head_aux = heads.classify_maps(self, x, train, norm=norm)
    return logits, aux | head_aux

  def _block(self, stage: int, place: int, **own: Any) -> ConvNeXtBlock:
    """Returns a block; its rate of stochastic depth grows with its place."""
    done, last = sum(self.stage_sizes[:stage]) + place, sum(self.stage_sizes) - 1
    return ConvNeXtBlock(
      activation=self.activation,
      layer_scale=self.layer_scale,
      drop_path=self.drop_path * done / max(last, 1),
      dtype=self.dtype,
      **own,
    )

  @nn.nowrap
  def _check_sides(self, *sides: int) -> None:
    least = 4 * 2 ** (len(self.widths) - 1)
    if min(sides) < least:
      raise ValueError(f"frames must have {least} pixels a side, got {sides}.")

  def _norm(self, name: str) -> LayerNorm:
    return LayerNorm(epsilon=1e-6, dtype=self.dtype, name=name)

  def _stem(self, x: jax.Array) -> jax.Array:
    """Maps (B, T, H, W, 3) to (B, T', H / 4, W / 4, C)."""
    frames, stride = self.tubelet
    return self._patches(
      x,
      0,
      4,
      "stem_conv",
      tubelet=frames,
      temporal_stride=stride,
      temporal_padding=frames // 2,
    )

  def _patches(
    self, x: jax.Array, stage: int, size: int, name: str, **tubelet: int
  ) -> jax.Array:
    """Projects whole patches to the width of a stage."""
    rows, columns = (side - side % size for side in x.shape[2:4])
    embed = PatchEmbedding(
      self.widths[stage],
      size,
      kernel_init=nn.initializers.truncated_normal(0.02),
      dtype=self.dtype,
      name=name,
      **tubelet,
    )
    return embed(x[:, :, :rows, :columns])
