"""The network of big-little modules: bLResNet and bLVNet."""

from collections.abc import Mapping, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.layers import BatchNorm, Conv2D
from temporal_jax.models.blocks import heads
from temporal_jax.models.blocks.remat import apply_block
from temporal_jax.models.blocks.residual import BottleneckBlock
from temporal_jax.models.blocks.residual_stages import apply_residual_stage
from temporal_jax.models.network import Network
from temporal_jax.models.slots import Temporal, apply_slot
from temporal_jax.ops import shape_checks
from temporal_jax.validation import check_choice

UPSAMPLING = ("nearest", "bilinear")  # For a big branch, see `BigLittleModule`.


class BigLittleModule(nn.Module):
  """Two branches, over alternate frames or over all of them, summed and fused.

  The big branch is deep and works at half the resolution, the narrow little one
  at the full one. Over alternate frames, the big one sees frames 1, 3, 5, ...
  (from 0), the little one frames 0, 2, 4, ...; each pair is summed and fused,
  and the result is used for both frames.

  Attributes:
    features: Output channels, C'.
    num_blocks: Blocks of the stage, counted with the fusion block; at least 2.
    alpha: The little branch has C' / alpha channels.
    beta: The little branch has max(1, num_blocks // beta - 1) blocks.
    stride: Spatial stride of the fusion block.
    alternate: Whether the branches see alternate frames (bLVNet); otherwise
      both see every frame (bLResNet).
    upsampling: Enlargement of the big branch's maps to the size of the little
      one's: "nearest" as in the released code, or "bilinear" as the paper has
      it.
    temporal: Its `branch_input` sits once, before the branches part.
    dtype: Dtype of the computation.

  Source: Fan et al. 2019, https://arxiv.org/abs/1912.00869, figure 2; class
    `bLModule` in core/models/blvnet_tam_backbone.py of IBM/bLVNet-TAM. Over
    all frames, Chen et al. 2018, https://arxiv.org/abs/1807.03848; class
    `bLModule` in models/blresnet.py of IBM/BigLittleNet.
  """

  features: int
  num_blocks: int
  alpha: int = 2
  beta: int = 4
  stride: int = 2
  alternate: bool = True
  upsampling: str = "nearest"
  temporal: Temporal = Temporal()
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to (B, T, H / stride, W / stride, features).

    Raises:
      ValueError: If T is odd and frames alternate, there are fewer than two
        blocks, or `upsampling` is unknown.
    """
    if self.num_blocks < 2:
      raise ValueError(f"num_blocks must be at least 2, got {self.num_blocks}.")
    x, aux = apply_slot(self.temporal.branch_input, "branch_input", x, train)
    big, little = part(x, self.alternate)
    big = self._branch("big", big, self.num_blocks - 1, 1, train)
    count = max(1, self.num_blocks // self.beta - 1)
    little = self._branch("little", little, count, self.alpha, train)
    little = Conv2D(self.features, 1, dtype=self.dtype, name="little_conv")(little)
    little = BatchNorm(dtype=self.dtype, name="little_norm")(little, train)
    x = nn.relu(enlarge(big, little.shape[2:4], self.upsampling) + little)
    x, _ = self._block("fusion", self.stride)(x, train)
    return double(x, self.alternate), aux

  def _branch(
    self, name: str, x: jax.Array, num_blocks: int, narrower: int, train: bool
  ) -> jax.Array:
    """Runs the blocks of one branch; the big one strides and ends linearly."""
    is_big = name == "big"
    for index in range(num_blocks):
      block = self._block(
        f"{name}{index + 1}",
        stride=2 if is_big and index == 0 else 1,
        narrower=narrower,
        # The reference keeps the ReLU of a big branch of one block.
        final_relu=not is_big or index == 0 or index < num_blocks - 1,
      )
      x, _ = block(x, train)
    return x

  def _block(
    self, name: str, stride: int, narrower: int = 1, final_relu: bool = True
  ) -> BottleneckBlock:
    return BottleneckBlock(
      self.features // narrower // 4,
      stride,
      pooled_shortcut=True,
      final_relu=final_relu,
      dtype=self.dtype,
      name=name,
    )


def part(x: jax.Array, alternate: bool) -> tuple[jax.Array, jax.Array]:
  """Returns the frames of the big branch and of the little one.

  Raises:
    ValueError: If frames (B, T, H, W, C) alternate and T is odd.
  """
  shape_checks.video(x)
  if not alternate:
    return x, x
  if x.shape[1] % 2:
    raise ValueError(f"frames come in pairs, got an odd T in {x.shape}.")
  return x[:, 1::2], x[:, 0::2]


def double(x: jax.Array, alternate: bool) -> jax.Array:
  """Repeats the result of each pair of alternate frames for both frames."""
  return jnp.repeat(x, 2, axis=1) if alternate else x


def enlarge(x: jax.Array, size: tuple[int, int], how: str) -> jax.Array:
  """Resizes (..., H, W, C) to (..., *size, C) with a method of `UPSAMPLING`.

  With "nearest" place i reads i old // new; with "bilinear" corners are not
  aligned, as in torch.
  """
  check_choice("upsampling", how, UPSAMPLING)
  if how == "bilinear":
    shape = (*x.shape[:-3], *size, x.shape[-1])
    return jax.image.resize(x, shape, "linear", antialias=False)
  for axis, new in zip((-3, -2), size, strict=True):
    old = x.shape[axis]
    if new != old:
      x = jnp.take(x, np.arange(new) * old // new, axis=axis)
  return x


class BigLittleNet(Network):
  """A stem and three big-little modules, then a stage of bottlenecks.

  With alternate frames, the last stage and the classifier see only the big
  branch's frames, half of the clip's.

  Attributes:
    num_classes: Outputs of the classifier, L, or a dict with one number per
      task.
    stage_sizes: Blocks of each stage; a module's are counted with its fusion.
    alpha: The little branches are narrower by this factor.
    beta: The little branches have max(1, blocks // beta - 1) blocks.
    width: Channels of the stem; the first stage has four times as many, and
      every later one doubles them.
    alternate: Whether the branches see alternate frames (bLVNet), an even
      number of them; otherwise both see every frame (bLResNet).
    upsampling: Enlargement of the big branch's maps in the modules: "nearest"
      as in the released code, or "bilinear" as in the paper's text.
    temporal: Its `branch_input` sits before the branches of the stem and of
      each module, and in every bottleneck of the last stage. For `where` the
      stem is stage 0, the modules are stages 1 to 3.
    average_first: Whether the frames' features are averaged before dropout
      and head, which then see one (TAda).
    head: Name in `heads.HEADS`, or a factory like those: how the frames'
      features become logits; by default TSN's average of their logits.
    dropout: Rate before the classifier.
    remat: Whether the blocks' results are computed again for the gradients
      instead of being kept.
    dtype: Dtype of the computation; parameters and logits stay float32.

  Source: Fan et al. 2019, https://arxiv.org/abs/1912.00869; class
    `bLVNet_TAM_BACKBONE` in core/models/blvnet_tam_backbone.py of
    IBM/bLVNet-TAM. Over all frames, Chen et al. 2018,
    https://arxiv.org/abs/1807.03848; class `bLResNet` in models/blresnet.py of
    IBM/BigLittleNet.
  """

  num_classes: int | Mapping[str, int]
  stage_sizes: Sequence[int] = (3, 4, 6, 3)
  alpha: int = 2
  beta: int = 4
  width: int = 64
  alternate: bool = True
  upsampling: str = "nearest"
  temporal: Temporal = Temporal()
  average_first: bool = False
  head: str | heads.Factory = "average"
  dropout: float = 0.0
  remat: bool = False
  dtype: jax.typing.DTypeLike = jnp.float32

  SLOTS = ("branch_input",)

  def __post_init__(self) -> None:
    super().__post_init__()
    heads.resolve(self.head)  # An unknown name raises.
    if len(self.stage_sizes) != 4:
      raise ValueError(f"there are four stages, got {self.stage_sizes}.")
    check_choice("upsampling", self.upsampling, UPSAMPLING)
    self.temporal.check("BigLittleNet", self.SLOTS)

  @nn.nowrap
  def stages(self) -> dict[int, int]:
    """Returns the blocks of each stage; the stem is 0, a module one block."""
    return {0: 1, 1: 1, 2: 1, 3: 1, 4: self.stage_sizes[3]}

  @nn.nowrap
  def is_framewise(self) -> bool:
    """Returns whether both branches see every frame and the head averages."""
    return not self.alternate and heads.averages_logits(self.head)

  @nn.nowrap
  def arguments_for(
    self, *, num_frames: int | None, image_size: int | None
  ) -> dict[str, int]:
    """Refuses an odd number of alternate frames."""
    del image_size
    if self.alternate and num_frames is not None and num_frames % 2:
      raise ValueError(f"alternate frames come in pairs, got num_frames {num_frames}.")
    return {}

  @nn.compact
  def __call__(self, clip: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Classifies clips.

    Args:
      clip: Normalised frames (B, T, H, W, 3), floating point.
      train: Whether BatchNorm uses the batch and dropout drops.

    Returns:
      Logits (B, L), float32, and {"features": (B, D), "frame_features":
      (B, T', D)} with T' = T / 2 of alternate frames, plus the temporal
      modules' outputs, under "stem", "stage{i}" and "stage4_block{j}".

    Raises:
      ValueError: If `clip` is not floating point of rank 5, or T is odd and
        frames alternate.
    """
    shape_checks.video(clip)
    stem = _Stem(
      self.width,
      self.alpha,
      self.alternate,
      self.temporal.at(0, 0),
      self.dtype,
      name="stem",
    )
    x, aux = stem(clip.astype(self.dtype), train)
    aux = {"stem": aux} if aux else {}
    for stage, num_blocks in enumerate(self.stage_sizes[:3], start=1):
      module = BigLittleModule(
        self._features(stage),
        num_blocks,
        alpha=self.alpha,
        beta=self.beta,
        stride=1 if stage == 3 else 2,
        alternate=self.alternate,
        upsampling=self.upsampling,
        temporal=self.temporal.at(stage, 0),
        dtype=self.dtype,
        name=f"stage{stage}",
      )
      x, module_aux = apply_block(module, x, train, remat=self.remat)
      if module_aux:
        aux[f"stage{stage}"] = module_aux
    x, _ = part(x, self.alternate)
    x, stage_aux = apply_residual_stage(
      x,
      train,
      name="stage4",
      index=4,
      num_blocks=self.stage_sizes[3],
      block="bottleneck",
      stride=2,
      temporal=self.temporal,
      remat=self.remat,
      features=self._features(4) // 4,
      pooled_shortcut=True,
      dtype=self.dtype,
    )
    logits, head_aux = heads.classify_maps(self, x, train)
    return logits, aux | stage_aux | head_aux

  def _features(self, stage: int) -> int:
    """Output channels of a stage, counted from 1."""
    return 4 * self.width * 2 ** (stage - 1)


class _Stem(nn.Module):
  """A 7 x 7 convolution, then two branches that stride, summed and fused."""

  width: int
  alpha: int
  alternate: bool
  temporal: Temporal
  dtype: jax.typing.DTypeLike

  @nn.compact
  def __call__(self, x: jax.Array, train: bool) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, 3) to (B, T, H / 4, W / 4, width)."""
    x = nn.relu(self._conv(x, self.width, 7, 2, "", train))
    x, aux = apply_slot(self.temporal.branch_input, "branch_input", x, train)
    big, little = part(x, self.alternate)
    big = self._conv(big, self.width, 3, 2, "big_", train)
    narrow = self.width // self.alpha
    little = nn.relu(self._conv(little, narrow, 3, 1, "little1_", train))
    little = nn.relu(self._conv(little, narrow, 3, 2, "little2_", train))
    little = self._conv(little, self.width, 1, 1, "little3_", train)
    x = nn.relu(big + little)
    x = nn.relu(self._conv(x, self.width, 1, 1, "fusion_", train))
    return double(x, self.alternate), aux

  def _conv(
    self,
    x: jax.Array,
    features: int,
    size: int,
    stride: int,
    prefix: str,
    train: bool,
  ) -> jax.Array:
    """Applies a convolution and its norm."""
    name = f"{prefix}conv"
    x = Conv2D(features, size, stride, dtype=self.dtype, name=name)(x)
    return BatchNorm(dtype=self.dtype, name=f"{prefix}norm")(x, train)
