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
    time_first: Whether the ones along time are the first (PyTorchVideo).
    stem_inner_width: Channels between the two of the stem, by default as many
      as `FactorisedConv` has; torchvision has 45.
    shared_width: Whether both convolutions of a basic block have the first
      one's channels between space and time (torchvision).
    factorised_shortcut: Whether the 1 x 1 convolutions of shortcuts are
      factorised as well (mmaction2).
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
    models/base/slowfast.py of alibaba-mmai-research/TAdaConv; `VideoResNet` of
    pytorch/vision, `ResNet2Plus1d` of open-mmlab/mmaction2, and
    `create_r2plus1d` of facebookresearch/pytorchvideo.
  """

  num_classes: int | Mapping[str, int]
  stage_sizes: Sequence[int] = (3, 4, 6, 3)
  block: str = "bottleneck"
  stem_width: int = 64
  widths: Sequence[int] = (64, 128, 256, 512)
  taps: Sequence[int] = (3, 3, 3, 3, 3)
  first_taps: Sequence[int] = (1, 1, 1, 1)
  factorised: bool = False
  time_first: bool = False
  stem_inner_width: int | None = None
  shared_width: bool = False
  factorised_shortcut: bool = False
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
    self._check_factors()
    slots = residual_stages.FACTORISED_SLOTS if self.factorised else self.SLOTS
    self.temporal.check("ResNet3D", slots)

  @nn.nowrap
  def _factors(self) -> dict[str, bool]:
    """Returns the arguments of the blocks' factorised convolutions."""
    names = ["factorised", "time_first", "factorised_shortcut"]
    if self.block == "basic":
      names.append("shared_width")
    return {name: getattr(self, name) for name in names}

  @nn.nowrap
  def _check_factors(self) -> None:
    """Raises ValueError if parts are described that there are not."""
    of_parts = {
      "time_first": self.time_first,
      "stem_inner_width": self.stem_inner_width is not None,
      "shared_width": self.shared_width,
      "factorised_shortcut": self.factorised_shortcut,
    }
    given = [name for name, is_given in of_parts.items() if is_given]
    if given and not self.factorised:
      raise ValueError(f"{given} need factorised=True, got False.")
    if self.shared_width and self.block != "basic":
      raise ValueError(f"only basic blocks have a shared_width, got {self.block!r}.")
    if self.stem_inner_width is not None and self.taps[0] == 1:
      raise ValueError(
        "a stem of one frame is not factorised and has no stem_inner_width, got "
        f"{self.stem_inner_width}."
      )

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
      inner_width=self.stem_inner_width,
      time_first=self.time_first,
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
        **self._factors(),
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
