"""Patch and tubelet embedding with learned weights."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.ops.lowering.broadcast_channels import along_channels


class PatchEmbedding(nn.Module):
  """Projects square patches, of one frame or of several.

  Attributes:
    features: Width of the tokens, D.
    patch_size: Side of a patch in pixels; divides height and width.
    tubelet: Frames a patch reaches over. With 1 the kernel has the shape of an
      image network's (rows, columns, C, D), else (tubelet, rows, columns, C,
      D).
    temporal_stride: Frames from one tubelet to the next.
    temporal_padding: Zero frames on either side of the clip.
    use_bias: Whether a bias is added.
    kernel_init: Initialiser of the kernel.
    dtype: Dtype of the computation; the parameters stay float32.

  Source: as `ops.patch_embedding`.
  """

  features: int
  patch_size: int
  tubelet: int = 1
  temporal_stride: int = 1
  temporal_padding: int = 0
  use_bias: bool = True
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (B, T, H, W, C) to (B, T', H / size, W / size, features)."""
    shape = (self.patch_size, self.patch_size, x.shape[-1], self.features)
    if self.tubelet > 1:
      shape = (self.tubelet, *shape)
    kernel = self.param("kernel", self.kernel_init, shape, jnp.float32)
    out = ops.patch_embedding(
      x.astype(self.dtype),
      kernel,
      temporal_stride=self.temporal_stride,
      temporal_padding=self.temporal_padding,
    )
    if not self.use_bias:
      return out
    bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
    return out + along_channels(bias, out)
