"""A learned factor for each channel of a residual branch."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.ops.lowering.broadcast_channels import along_channels


class LayerScale(nn.Module):
  """Multiplies each channel by a learned factor.

  Attributes:
    initial: The factors' first value.

  Source: Touvron et al. 2021, https://arxiv.org/abs/2103.17239, equation 4.
  """

  initial: float = 1e-6

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (..., C) to the same shape and dtype."""
    initial = nn.initializers.constant(self.initial)
    scale = self.param("scale", initial, (x.shape[-1],), jnp.float32)
    return x * along_channels(scale, x)
