"""Domain transformation of ATM: from motion cues back to features."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers.batch_norm import BatchNorm
from temporal_jax.layers.conv_norm_relu import ConvNormRelu
from temporal_jax.layers.initializers import torch_default
from temporal_jax.ops.lowering.join_axes import join_axes


class DomainTransformation(nn.Module):
  """Turns the cues of all contexts into a residual branch of the features.

  Two 3 x 3 convolutions treat every context alike, a third sees all contexts at
  once, each with BatchNorm and ReLU, and a pointwise one widens the channels.
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
    for name in ("layer1", "layer2"):
      x = ConvNormRelu(self.hidden, dtype=self.dtype, name=name)(x, train)
    x = _ContextConv(self.hidden, dtype=self.dtype, name="fuse")(x)
    x = nn.relu(BatchNorm(dtype=self.dtype, name="fuse_norm")(x, train))
    expand = nn.Dense(
      self.features,
      use_bias=False,
      kernel_init=self.output_init,
      dtype=self.dtype,
      name="expand",
    )
    # A matrix: XLA would first transpose the gradient of maps, on CPU.
    out = expand(join_axes(x, 0, -1))
    return out.reshape(*x.shape[:-1], self.features)  # (B, T, H, W, features)


class _ContextConv(nn.Module):
  """3 x 3 convolution of all contexts together into one map.

  It is one convolution over the concatenated channels of all contexts: a third
  faster, with its gradients, than the sum of one convolution per context.

  Attributes:
    features: Output channels.
    dtype: Dtype of the computation; the kernel stays float32.
  """

  features: int
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (B, T, L, H, W, C) to (B, T, H, W, features)."""
    length, channels = x.shape[2], x.shape[-1]
    shape = (length, 3, 3, channels, self.features)
    kernel = self.param("kernel", torch_default(), shape, jnp.float32)
    x = jnp.moveaxis(x.astype(self.dtype), 2, -2)  # (B, T, H, W, L, C)
    x = x.reshape(*x.shape[:-2], length * channels)  # (B, T, H, W, L C)
    kernel = jnp.moveaxis(kernel, 0, 2)  # (3, 3, L, C, features)
    # (3, 3, L C, features)
    kernel = kernel.reshape(3, 3, length * channels, self.features)
    return ops.convolution_2d(x, kernel, padding=1)
