"""The neck of a pyramid: norms of its levels, and sums of coarser ones."""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import layers, ops
from temporal_jax.layers.initializers import torch_default


class FeaturePyramid(nn.Module):
  """Normalises the features of every level.

  Attributes:
    width: Channels of the levels.
    top_down: Whether each level is first added to the sum of the coarser ones,
      and convolved.
    dtype: Dtype of the computation.

  Source: Lin et al. 2017, https://arxiv.org/abs/1612.03144; classes `FPN1D`
    and `FPNIdentity` in libs/modeling/necks.py of
    happyharrycn/actionformer_release.
  """

  width: int
  top_down: bool = False
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(
    self, levels: Sequence[tuple[jax.Array, jax.Array]]
  ) -> list[tuple[jax.Array, jax.Array]]:
    """Maps features (B, T_l, C) of each level, with their masks (B, T_l)."""
    features = [x for x, _ in levels]
    masks = [mask for _, mask in levels]
    if self.top_down:
      features = self._add_coarser(features, masks)
    out = []
    for level, x in enumerate(features):
      norm = layers.LayerNorm(dtype=self.dtype, name=f"norm{level + 1}")
      out.append((norm(x), masks[level]))
    return out

  def _add_coarser(
    self, features: list[jax.Array], masks: list[jax.Array]
  ) -> list[jax.Array]:
    """Projects the levels, adds the coarser ones and convolves the sums."""
    held = [mask[:, :, None].astype(self.dtype) for mask in masks]
    laterals = []
    for level, x in enumerate(features):
      project = nn.Dense(
        self.width,
        use_bias=False,
        kernel_init=torch_default(),
        dtype=self.dtype,
        name=f"lateral{level + 1}",
      )
      laterals.append(project(x) * held[level])
    for level in range(len(laterals) - 1, 0, -1):
      finer = laterals[level - 1]
      times = finer.shape[1] // laterals[level].shape[1]
      laterals[level - 1] = finer + jnp.repeat(laterals[level], times, axis=1)
    init = nn.initializers.variance_scaling(
      1 / 3, "fan_in", "uniform", in_axis=(), out_axis=(), batch_axis=(1,)
    )
    out = []
    for level, x in enumerate(laterals):
      shape = (3, self.width)
      kernel = self.param(f"taps{level + 1}", init, shape, jnp.float32)
      out.append(ops.depthwise_temporal_convolution(x, kernel) * held[level])
    return out
