"""SlowFast: a wide pathway over few frames, a narrow one over many."""

from collections.abc import Mapping, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.layers import BatchNorm, Conv3D
from temporal_jax.models.blocks import heads, residual_stages
from temporal_jax.models.network import Network, VisualLayers
from temporal_jax.models.slots import Temporal
from temporal_jax.ops import shape_checks

_STRIDES = (1, 2, 2, 2)
SLOW_SAMPLINGS = ("stride", "linspace")


class SlowFast(Network):
  """Two ResNets over one clip; the slow one also sees the fast one's features.

  Before each stage features of the fast pathway, brought to the slow one's
  frames by a strided convolution along time, join the slow one's channels.

  Attributes:
    num_classes: Outputs of the classifier, L, or a dict with one number per
      task.
    stage_sizes: Blocks of each stage.
    block: "basic" (18 and 34 layers) or "bottleneck" (50 and more).
    stem_width: Channels of the slow pathway's stem.
    widths: Channels of the 3 x 3 convolutions of its stages.
    alpha: Frames of the fast pathway for one of the slow one.
    slow_sampling: Frames of the slow pathway. "stride": every alpha-th from the
      first (TAda). "linspace": T / alpha frames from the first to the last,
      rounded down (PySlowFast, PyTorchVideo); alpha must divide T.
    beta: Channels of the slow pathway for one of the fast one.
    stem_taps: Frames that the stems span, slow and fast.
    first_taps: Frames that the first 1 x 1 convolutions of each stage's
      bottlenecks span, slow and fast.
    lateral_taps: Frames that the convolutions from fast to slow span.
    lateral_ratio: Their output channels for each input channel.
    lateral_norm: Whether a norm and ReLU follow them; most of mmaction2's
      weights have none.
    temporal: Layers in the temporal slots of both pathways.
    dropout: Rate before the classifier.
    remat: Whether the blocks' results are computed again for the gradients
      instead of being kept.
    dtype: Dtype of the computation; parameters and logits stay float32.

  Source: Feichtenhofer et al. 2019, https://arxiv.org/abs/1812.03982; class
    `Slowfast` in models/base/slowfast.py of alibaba-mmai-research/TAdaConv.
  """

  num_classes: int | Mapping[str, int]
  stage_sizes: Sequence[int] = (3, 4, 6, 3)
  block: str = "bottleneck"
  stem_width: int = 64
  widths: Sequence[int] = (64, 128, 256, 512)
  alpha: int = 4
  slow_sampling: str = "stride"
  beta: int = 8
  stem_taps: tuple[int, int] = (1, 5)
  first_taps: tuple[Sequence[int], Sequence[int]] = (
    (1, 1, 3, 3),
    (3, 3, 3, 3),
  )
  lateral_taps: int = 7
  lateral_ratio: int = 2
  lateral_norm: bool = True
  temporal: Temporal = Temporal()
  dropout: float = 0.0
  remat: bool = False
  dtype: jax.typing.DTypeLike = jnp.float32

  SLOTS = residual_stages.SLOTS

  def __post_init__(self) -> None:
    super().__post_init__()
    if self.slow_sampling not in SLOW_SAMPLINGS:
      raise ValueError(
        f"slow_sampling must be in {SLOW_SAMPLINGS}, got {self.slow_sampling!r}."
      )
    for taps in self.first_taps:
      residual_stages.check_block(self.block, taps)
    for width in (self.stem_width, *self.widths):
      if width % self.beta:
        raise ValueError(f"beta {self.beta} must divide the width {width}.")
    self.temporal.check("SlowFast", self.SLOTS)

  @nn.nowrap
  def visual_layers(self) -> VisualLayers:
    """Returns the end of the slow pathway, which has the most channels."""
    last = r"slow_stage\d+_block\d+"
    return VisualLayers(features=(last,), gradients=(last,))

  @nn.compact
  def __call__(
    self,
    clip: jax.Array,
    train: bool = False,
    *,
    slow: jax.Array | None = None,
  ) -> tuple[jax.Array, dict]:
    """Classifies clips.

    Args:
      clip: Normalised frames (B, T, H, W, 3) of the fast pathway.
      train: Whether BatchNorm uses the batch and dropout drops.
      slow: Frames (B, ceil(T / alpha), H, W, 3) of the slow pathway; by default
        the frames of `clip` that `slow_sampling` takes.

    Returns:
      Logits (B, L), float32, and {"features": (B, D)}, slow before fast, plus
      the temporal modules' outputs, under "slow_stage{i}_block{j}" and
      "fast_stage{i}_block{j}".

    Raises:
      ValueError: If `clip` is not floating point of rank 5, or `slow` is not
        its alpha-th part, or alpha does not divide T with "linspace".
    """
    shape_checks.video(clip)
    if slow is None:
      slow = self._slow_frames(clip)
    count = -(-clip.shape[1] // self.alpha)
    want = (clip.shape[0], count, *clip.shape[2:])
    if slow.shape != want:
      raise ValueError(
        f"slow must be {want} for clip {clip.shape} and alpha {self.alpha}, "
        f"got {slow.shape}."
      )
    slow, fast = (
      residual_stages.Stem(width, taps, dtype=self.dtype, name=f"{name}_stem")(
        frames.astype(self.dtype), train
      )
      for name, frames, width, taps in (
        ("slow", slow, self.stem_width, self.stem_taps[0]),
        ("fast", clip, self.stem_width // self.beta, self.stem_taps[1]),
      )
    )
    aux = {}
    for stage in range(len(self.stage_sizes)):
      lateral = self._lateral(fast, train, f"lateral{stage + 1}")
      slow = jnp.concatenate([slow, lateral], axis=-1)
      slow, slow_aux = self._stage(slow, train, "slow", stage)
      fast, fast_aux = self._stage(fast, train, "fast", stage)
      aux |= {**slow_aux, **fast_aux}
    features = [residual_stages.clip_features(x) for x in (slow, fast)]
    features = jnp.concatenate(features, axis=-1)
    logits, head_aux = heads.classify(
      features[:, None],
      self.num_classes,
      head="average",
      dropout=self.dropout,
      train=train,
    )
    return logits, aux | head_aux

  def _slow_frames(self, clip: jax.Array) -> jax.Array:
    """Returns the frames of a clip that the slow pathway takes."""
    if self.slow_sampling == "stride":
      return clip[:, :: self.alpha]
    num_frames = clip.shape[1]
    if num_frames % self.alpha:
      raise ValueError(
        f"alpha {self.alpha} must divide the clip's {num_frames} frames with "
        "slow_sampling 'linspace'."
      )
    return clip[:, _spread(num_frames, num_frames // self.alpha)]

  def _lateral(self, fast: jax.Array, train: bool, name: str) -> jax.Array:
    """Brings features of the fast pathway to the frames of the slow one."""
    x = Conv3D(
      self.lateral_ratio * fast.shape[-1],
      size=1,
      taps=self.lateral_taps,
      time_stride=self.alpha,
      dtype=self.dtype,
      name=f"{name}_conv",
    )(fast)
    if not self.lateral_norm:
      return x
    norm = BatchNorm(dtype=self.dtype, name=f"{name}_norm")
    return nn.relu(norm(x, train))

  def _stage(
    self, x: jax.Array, train: bool, name: str, stage: int
  ) -> tuple[jax.Array, dict]:
    """Runs a stage of one pathway."""
    width, (slow_taps, fast_taps) = self.widths[stage], self.first_taps
    taps = (slow_taps if name == "slow" else fast_taps)[stage]
    return residual_stages.apply_residual_stage(
      x,
      train,
      name=f"{name}_stage{stage + 1}",
      index=stage,
      num_blocks=self.stage_sizes[stage],
      block=self.block,
      stride=_STRIDES[stage],
      first_taps=taps,
      temporal=self.temporal,
      remat=self.remat,
      features=width if name == "slow" else width // self.beta,
      dtype=self.dtype,
    )


def _spread(num_frames: int, count: int) -> np.ndarray:
  """Returns torch.linspace(0, T - 1, count).long().

  It works in float32, from both ends to the middle, and rounds each number
  once: with 40 of 160 frames, one is the frame before the exact number's.
  """
  last, steps = np.float32(num_frames - 1), np.arange(count)
  step = np.float64(last / np.float32(max(count - 1, 1)))
  falling = np.float64(last) - step * steps[::-1]
  frames = np.where(steps < count // 2, step * steps, falling)
  return frames.astype(np.float32).astype(np.int64) if count > 1 else steps
