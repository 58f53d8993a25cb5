"""The big-little module: a deep branch of few pixels, a narrow one of many."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.layers import BatchNorm, Conv2D
from temporal_jax.models.residual import BottleneckBlock
from temporal_jax.models.temporal import Temporal, apply_slot
from temporal_jax.ops import checks


class BigLittleModule(nn.Module):
  """Two branches, over alternate frames or over all of them, summed and fused.

  The big branch is deep and works at half the resolution, the narrow little one
  at the full one. Over alternate frames, the big one sees frames 1, 3, 5, ...
  (from 0), the little one frames 0, 2, 4, ...; each pair is summed and fused,
  and the result stands for both its frames.

  Attributes:
    features: Output channels, C'.
    num_blocks: Blocks of the stage, counted with the fusion block; at least 2.
    alpha: The little branch has C' / alpha channels.
    beta: The little branch has max(1, num_blocks // beta - 1) blocks.
    stride: Spatial stride of the fusion block.
    alternate: Whether the branches see alternate frames (bLVNet); otherwise
      both see every frame (bLResNet).
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
  temporal: Temporal = Temporal()
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to (B, T, H / stride, W / stride, features).

    Raises:
      ValueError: If T is odd and frames alternate, or there are fewer than two
        blocks.
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
    x = nn.relu(resize_nearest(big, little.shape[2:4]) + little)
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
  """Returns the frames of the big branch and those of the little one.

  Raises:
    ValueError: If frames (B, T, H, W, C) alternate and T is odd.
  """
  checks.video(x)
  if not alternate:
    return x, x
  if x.shape[1] % 2:
    raise ValueError(f"frames come in pairs, got an odd T in {x.shape}.")
  return x[:, 1::2], x[:, 0::2]


def double(x: jax.Array, alternate: bool) -> jax.Array:
  """Lets what was found for a pair of alternate frames stand for both."""
  return jnp.repeat(x, 2, axis=1) if alternate else x


def resize_nearest(x: jax.Array, size: tuple[int, int]) -> jax.Array:
  """Resizes (..., H, W, C) to (..., *size, C); place i reads i old // new."""
  for axis, new in zip((-3, -2), size, strict=True):
    old = x.shape[axis]
    if new != old:
      x = jnp.take(x, np.arange(new) * old // new, axis=axis)
  return x
