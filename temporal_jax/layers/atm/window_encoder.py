"""Encoding of similarity windows."""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.layers.conv_norm_relu import ConvNormRelu
from temporal_jax.ops.lowering import materialize
from temporal_jax.ops.lowering.join_axes import join_axes

# Windows that the strides bring to 3 x 3, for the last convolution.
WINDOWS = (9, 11)


class WindowEncoder(nn.Module):
  """Encodes every window of similarities into one feature vector.

  A window is a tiny map of one channel; four 3 x 3 convolutions, each with
  BatchNorm and ReLU, shrink it: 9 -> 9 -> 5 -> 3 -> 1.

  Attributes:
    channels: Output channels of the convolutions.
    dtype: Dtype of the computation.

  Source: Wu et al. 2023, https://arxiv.org/abs/2307.08908; class `Conv2D_UV2C`
    in modules/ATM.py of whwu95/ATM.
  """

  channels: Sequence[int] = (4, 16, 64, 64)
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps windows (..., P, P) to features (..., channels[-1]).

    Raises:
      ValueError: If P is neither 9 nor 11.
    """
    if x.shape[-1] not in WINDOWS or x.shape[-2] != x.shape[-1]:
      raise ValueError(
        f"the last convolution ends at one feature only for the windows {WINDOWS}, "
        f"got (..., P, P) {x.shape}."
      )
    batch = x.shape[:-2]
    # (..., P P), then (N, P P)
    rows = materialize.own_layout(join_axes(x, -2))
    rows = materialize.own_layout(join_axes(rows, 0, -1))
    x = rows.reshape(rows.shape[0], *x.shape[-2:], 1)  # (N, P, P, 1)
    strides, paddings = (1, 2, 2, 1), (1, 1, 1, 0)
    layers = zip(self.channels, strides, paddings, strict=True)
    for i, (features, stride, padding) in enumerate(layers, 1):
      x = ConvNormRelu(
        features,
        stride=stride,
        padding=padding,
        flat=True,
        dtype=self.dtype,
        name=f"layer{i}",
      )(x, train)
    rows = materialize.own_layout(x[:, 0, 0])
    return rows.reshape(*batch, rows.shape[-1])
