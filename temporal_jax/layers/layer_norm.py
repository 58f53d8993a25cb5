"""Layer normalisation as torch computes it."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.ops.lowering.accumulation_dtype import widen
from temporal_jax.ops.lowering.broadcast_channels import along_channels


class LayerNorm(nn.Module):
  """Layer normalisation over the last axis.

  The variance takes two passes: flax's default of one loses digits where the
  mean is large. Statistics are float32 at least, parameters float32.

  Attributes:
    epsilon: Added to the variance; CLIP 1e-5, ViT and ConvNeXt 1e-6.
    scale_init: Initialiser of `scale`; zeros makes a branch start at nothing.
    dtype: Dtype of the output.

  Source: Ba et al. 2016, https://arxiv.org/abs/1607.06450; class `LayerNorm` of
    pytorch/pytorch.
  """

  epsilon: float = 1e-5
  scale_init: nn.initializers.Initializer = nn.initializers.ones
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (..., C) to the same shape."""
    channels = (x.shape[-1],)
    scale = self.param("scale", self.scale_init, channels, jnp.float32)
    bias = self.param("bias", nn.initializers.zeros, channels, jnp.float32)
    values = widen(x, self.dtype)
    if x.shape[0] == 1:
      # On CPU, XLA's sums of products are 20 times slower with an axis of one.
      values = values.reshape(-1, *channels)  # (..., C) -> (N, C)
    centred = values - jnp.mean(values, axis=-1, keepdims=True)
    variance = jnp.mean(jnp.square(centred), axis=-1, keepdims=True)
    out = centred * jax.lax.rsqrt(variance + self.epsilon)
    out = out * along_channels(scale, out) + along_channels(bias, out)
    return out.astype(self.dtype).reshape(x.shape)
