"""From cues of motion back to features of appearance."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers.conv_norm_relu import ConvNormRelu


class DomainTransformation(nn.Module):
  """Turns the cues of all contexts into a residual branch of the features.

  Two 3 x 3 convolutions treat every context alike, a third sees the channels of
  all contexts behind one another, and a pointwise one without norm widens them.
  It starts at zero.

  Attributes:
    features: Output channels.
    hidden: Channels of the 3 x 3 convolutions.
    output_init: Initialiser of the pointwise kernel (hidden, features).
    dtype: Dtype of the computation.

  Source: Wu et al. 2023, https://arxiv.org/abs/2307.08908; class
    `DomainTransfer` in modules/ATM.py of whwu95/ATM.
  """

  features: int
  hidden: int = 64
  output_init: nn.initializers.Initializer = nn.initializers.zeros
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps cues (B, T, L, H, W, C) to features (B, T, H, W, features)."""
    for name in ("conv1", "conv2"):
      x = self._layer(name)(x, train)
    x = jnp.moveaxis(x, 2, -2)
    x = x.reshape(*x.shape[:-2], -1)
    x = self._layer("fuse")(x, train)
    return nn.Dense(
      self.features,
      use_bias=False,
      kernel_init=self.output_init,
      dtype=self.dtype,
      name="expand",
    )(x)

  def _layer(self, name: str) -> ConvNormRelu:
    return ConvNormRelu(self.hidden, dtype=self.dtype, name=name)
