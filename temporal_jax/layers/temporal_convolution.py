"""Convolution along time."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.broadcast_channels import along_channels


class TemporalConv(nn.Module):
  """Convolution along time, all channels of a group into all of its channels.

  Attributes:
    features: Output channels.
    taps: Frames seen, K; odd.
    groups: Groups of channels.
    use_bias: Whether a bias is added.
    kernel_init: Initialiser of the kernel (K, C / groups, features).
    dtype: Dtype of the computation; the parameters stay float32.
  """

  features: int
  taps: int = 3
  groups: int = 1
  use_bias: bool = True
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (B, T, ..., C) to (B, T, ..., features).

    Raises:
      ValueError: If `taps` is even, or as `ops.temporal_convolution`.
    """
    shape_checks.odd("taps", self.taps)
    shape_checks.whole(1, groups=self.groups)
    shape = (self.taps, x.shape[-1] // self.groups, self.features)
    kernel = self.param("kernel", self.kernel_init, shape, jnp.float32)
    out = ops.temporal_convolution(x.astype(self.dtype), kernel, groups=self.groups)
    if not self.use_bias:
      return out
    bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
    return out + along_channels(bias, out)
