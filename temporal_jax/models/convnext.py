"""The block of ConvNeXt, applied frame by frame, with temporal slots."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers import (
  DepthwiseConv2D,
  DropPath,
  LayerNorm,
  LayerScale,
  Mlp,
)
from temporal_jax.models.temporal import Factory, Temporal, apply_slot
from temporal_jax.ops.activations import Activation

_NORMAL = nn.initializers.normal(0.02)


class ConvNeXtBlock(nn.Module):
  """A depthwise 7 x 7 convolution and an MLP, in one residual branch.

  Attributes:
    size: Side of the convolution's kernel, odd.
    activation: Function inside the MLP, or its name, see `layers.Mlp`.
    layer_scale: First value of the factors of the branch's channels.
    drop_path: Rate of stochastic depth, a clip at a time.
    temporal: What sits in the block's temporal slots; the factory of
      `convolution` takes `groups` as well.
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
    """Maps (B, T, H, W, C) to the same shape, and what slots return."""
    slots = self.temporal.adapted(use_bias=True, norm="layer")
    y, aux = apply_slot(slots.branch_input, "branch_input", x, train)
    y, more = self._convolve(slots.convolution, y, train)
    aux |= more
    normed = LayerNorm(epsilon=1e-6, dtype=self.dtype, name="norm")(y)
    if slots.after_convolution is not None:
      after = slots.after_convolution(name="after_convolution")
      pooled, more = after(y, train=train)
      normed, aux = normed + pooled, aux | more
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
    """Applies the convolution, or what sits in its slot."""
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
