"""ResNet over the frames of a clip, with temporal slots in its blocks."""

from collections.abc import Mapping, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers import BatchNorm, Conv2D
from temporal_jax.models.blocks import heads, residual_stages
from temporal_jax.models.network import Network
from temporal_jax.models.slots import Temporal
from temporal_jax.ops import shape_checks

_STEMS = ("7x7_pool", "7x7", "3x3")


class ResNet(Network):
  """ResNet on every frame, then one prediction for the clip.

  Attributes:
    num_classes: Outputs of the classifier, L, or a dict with one number per
      task.
    stage_sizes: Blocks of each stage.
    block: "basic" (18 and 34 layers) or "bottleneck" (50 and more).
    width: Channels of the stem and of the first stage's 3 x 3 convolutions;
      every later stage doubles them.
    stem: "7x7_pool" (torchvision: stride 2, then max pooling), "7x7" (stride 2)
      or "3x3" (stride 1, for frames of 64 pixels or less).
    strides: Spatial stride of every stage; TAda2D, whose stem does not pool,
      begins with 2.
    temporal: Layers in the temporal slots.
    average_first: Whether the frames' features are averaged before dropout
      and head, which then see one (TAda).
    head: Name in `heads.HEADS`, or a factory like those: how the frames'
      features become logits; by default TSN's average of their logits.
    dropout: Rate before the classifier.
    remat: Whether the blocks' results are computed again for the gradients
      instead of being kept.
    dtype: Dtype of the computation; parameters and logits stay float32.

  Source: He et al. 2015, https://arxiv.org/abs/1512.03385; class `ResNet` of
    pytorch/vision. Wang et al. 2016, https://arxiv.org/abs/1608.00859 (TSN).
    With TAdaConv, Huang et al. 2021, https://arxiv.org/abs/2110.06178; class
    `ResNet3D` in models/base/backbone.py of alibaba-mmai-research/TAdaConv.
  """

  num_classes: int | Mapping[str, int]
  stage_sizes: Sequence[int] = (2, 2, 2, 2)
  block: str = "basic"
  width: int = 64
  stem: str = "7x7_pool"
  strides: Sequence[int] = (1, 2, 2, 2)
  temporal: Temporal = Temporal()
  average_first: bool = False
  head: str | heads.Factory = "average"
  dropout: float = 0.0
  remat: bool = False
  dtype: jax.typing.DTypeLike = jnp.float32

  SLOTS = ("block_input", *residual_stages.SLOTS)

  def __post_init__(self) -> None:
    super().__post_init__()
    heads.resolve(self.head)  # An unknown name raises.
    residual_stages.check_block(self.block)
    if self.stem not in _STEMS:
      raise ValueError(f"stem must be in {_STEMS}, got {self.stem!r}.")
    if len(self.stage_sizes) > len(self.strides):
      raise ValueError(
        f"strides {self.strides} are fewer than stages, {self.stage_sizes}."
      )
    self.temporal.check("ResNet", self.SLOTS)

  @nn.nowrap
  def is_framewise(self) -> bool:
    """Returns whether the head averages."""
    return heads.averages_logits(self.head)

  @nn.compact
  def __call__(self, clip: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Classifies clips.

    Args:
      clip: Normalised frames (B, T, H, W, 3), floating point.
      train: Whether BatchNorm uses the batch and dropout drops.

    Returns:
      Logits (B, L), float32, and {"features": (B, D), "frame_features":
      (B, T, D)} plus the temporal modules' outputs, under
      "stage{i}_block{j}".

    Raises:
      ValueError: If `clip` is not floating point of rank 5.
    """
    shape_checks.video(clip)
    x = self._stem(clip.astype(self.dtype), train)
    aux = {}
    for stage, num_blocks in enumerate(self.stage_sizes):
      x, stage_aux = residual_stages.apply_residual_stage(
        x,
        train,
        name=f"stage{stage + 1}",
        index=stage,
        num_blocks=num_blocks,
        block=self.block,
        stride=self.strides[stage],
        temporal=self.temporal,
        remat=self.remat,
        features=self.width * 2**stage,
        dtype=self.dtype,
      )
      aux |= stage_aux
    logits, head_aux = heads.classify_maps(self, x, train)
    return logits, aux | head_aux

  def _stem(self, x: jax.Array, train: bool) -> jax.Array:
    """Maps (B, T, H, W, 3) to (B, T, H', W', width)."""
    size, stride = (3, 1) if self.stem == "3x3" else (7, 2)
    conv = Conv2D(self.width, size, stride, dtype=self.dtype, name="stem_conv")
    x = conv(x)
    x = nn.relu(BatchNorm(dtype=self.dtype, name="stem_norm")(x, train))
    if self.stem == "7x7_pool":
      x = ops.max_pool_2d(x, size=3, stride=2, padding=1)
    return x
