"""ResNet over time and space: R3D, R(2+1)D, SlowOnly."""

from collections.abc import Mapping, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.models.blocks import heads, residual_stages
from temporal_jax.models.network import Network
from temporal_jax.models.slots import Temporal
from temporal_jax.ops import shape_checks


class ResNet3D(Network):
  """ResNet whose convolutions see several frames.

  `taps`, `strides` and `time_strides` have a number for the stem and one for
  every stage.

  Attributes:
    num_classes: Outputs of the classifier, L, or a dict with one number per
      task.
    stage_sizes: Blocks of each stage.
    block: "basic" (18 and 34 layers) or "bottleneck" (50 and more).
    stem_width: Channels of the stem.
    widths: Channels of each stage's 3 x 3 convolutions.
    taps: Frames that the 7 x 7 convolution of the stem and the 3 x 3
      convolutions of each stage span.
    first_taps: Frames that the first 1 x 1 convolutions of each stage's
      bottlenecks span.
    factorised: Whether the convolutions of `taps` are ones over space, norm,
      ReLU and ones along time: R(2+1)D. A stem of one frame stays whole.
    strides: Spatial strides.
    time_strides: Temporal strides.
    stem_pool: Whether max pooling of stride 2 ends the stem.
    temporal: Layers in the temporal slots.
    dropout: Rate before the classifier.
    remat: Whether the blocks' results are computed again for the gradients
      instead of being kept.
    dtype: Dtype of the computation; parameters and logits stay float32.

  Source: Tran et al. 2018, https://arxiv.org/abs/1711.11248; Feichtenhofer et
    al. 2019, https://arxiv.org/abs/1812.03982; class `ResNet3D` in
    models/base/backbone.py and `Slowfast` of mode "slowonly" in
    models/base/slowfast.py of alibaba-mmai-research/TAdaConv.
  """

  num_classes: int | Mapping[str, int]
  stage_sizes: Sequence[int] = (3, 4, 6, 3)
  block: str = "bottleneck"
  stem_width: int = 64
  widths: Sequence[int] = (64, 128, 256, 512)
  taps: Sequence[int] = (3, 3, 3, 3, 3)
  first_taps: Sequence[int] = (1, 1, 1, 1)
  factorised: bool = False
  strides: Sequence[int] = (2, 1, 2, 2, 2)
  time_strides: Sequence[int] = (1, 1, 1, 1, 1)
  stem_pool: bool = True
  temporal: Temporal = Temporal()
  dropout: float = 0.0
  remat: bool = False
  dtype: jax.typing.DTypeLike = jnp.float32

  SLOTS = residual_stages.SLOTS

  def __post_init__(self) -> None:
    super().__post_init__()
    residual_stages.check_block(self.block, self.first_taps)
    stages = len(self.stage_sizes)
    for name in ("taps", "strides", "time_strides", "widths", "first_taps"):
      least = stages + (name in ("taps", "strides", "time_strides"))
      if len(getattr(self, name)) < least:
        raise ValueError(
          f"{name} must have {least} numbers, got {getattr(self, name)}."
        )
    slots = residual_stages.FACTORISED_SLOTS if self.factorised else self.SLOTS
    self.temporal.check("ResNet3D", slots)

  @nn.compact
  def __call__(self, clip: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Classifies clips.

    Args:
      clip: Normalised frames (B, T, H, W, 3), floating point.
      train: Whether BatchNorm uses the batch and dropout drops.

    Returns:
      Logits (B, L), float32, and {"features": (B, D)} plus the outputs of
      the temporal modules, under "stage{i}_block{j}".

    Raises:
      ValueError: If `clip` is not floating point of rank 5.
    """
    shape_checks.video(clip)
    x = residual_stages.Stem(
      self.stem_width,
      self.taps[0],
      self.strides[0],
      self.time_strides[0],
      factorised=self.factorised,
      pool=self.stem_pool,
      dtype=self.dtype,
      name="stem",
    )(clip.astype(self.dtype), train)
    aux = {}
    for stage, num_blocks in enumerate(self.stage_sizes):
      x, stage_aux = residual_stages.apply_residual_stage(
        x,
        train,
        name=f"stage{stage + 1}",
        index=stage,
        num_blocks=num_blocks,
        block=self.block,
        stride=self.strides[stage + 1],
        time_stride=self.time_strides[stage + 1],
        first_taps=self.first_taps[stage],
        temporal=self.temporal,
        remat=self.remat,
        features=self.widths[stage],
        taps=self.taps[stage + 1],
        factorised=self.factorised,
        dtype=self.dtype,
      )
      aux |= stage_aux
    features = residual_stages.clip_features(x)
    logits, head_aux = heads.classify(
      features[:, None],
      self.num_classes,
      head="average",
      dropout=self.dropout,
      train=train,
    )
    return logits, aux | head_aux
