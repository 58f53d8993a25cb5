"""Temporal convolution of the class token."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers.initializers import torch_depthwise_default
from temporal_jax.ops import shape_checks
from temporal_jax.validation import check_choice


class ClassTokenConvolution(nn.Module):
  """Depthwise convolution along time of only the class token (TokenT1D).

  Starts as `ops.token_shift` with the same `fold_div` and is trained from
  there, as in the released networks.

  Attributes:
    fold_div: Divisor of the channels that start by reading one neighbour, at
      least 2.
    taps: Frames blended, K; odd, at least 3.
    start: Initial kernel: "shift", see above, "identity" or "random", the
      source's modes "shift", "fixed" and "norm".
    dtype: Dtype of the computation, by default the dtype of `x`.

  Source: Wu et al. 2023, https://arxiv.org/abs/2307.08908; class `TokenT1D` in
    modules/temporal_modeling.py of whwu95/ATM.
  """

  fold_div: int = 4
  taps: int = 3
  start: str = "shift"
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps tokens (B, T, N, D), class token first, to the same; aux is empty.

    Raises:
      ValueError: If `x` is not floating point of rank 4, `taps` is even or
        below 3, `fold_div` is below 2, or `start` is unknown.
    """
    del train
    shape_checks.tokens(x)
    shape_checks.odd("taps", self.taps)
    shape_checks.whole(3, taps=self.taps)
    shape_checks.whole(2, fold_div=self.fold_div)
    starts = {
      "shift": self._shift_kernel,
      "identity": _identity_kernel,
      "random": torch_depthwise_default(),
    }
    check_choice("start", self.start, starts)
    shape = (self.taps, x.shape[-1])
    kernel = self.param("kernel", starts[self.start], shape, jnp.float32)
    x = x.astype(self.dtype or x.dtype)
    class_token = ops.depthwise_temporal_convolution(x[:, :, :1], kernel)
    return jnp.concatenate([class_token, x[:, :, 1:]], axis=2), {}

  def _shift_kernel(
    self, key: jax.Array, shape: tuple[int, int], dtype: jax.typing.DTypeLike
  ) -> jax.Array:
    """Returns the kernel that shifts: one fold reads t + 1, one t - 1."""
    del key
    taps, channels = shape
    fold, middle = channels // self.fold_div, taps // 2
    kernel = jnp.zeros(shape, dtype).at[middle + 1, :fold].set(1)
    kernel = kernel.at[middle - 1, fold : 2 * fold].set(1)
    return kernel.at[middle, 2 * fold :].set(1)


def _identity_kernel(
  key: jax.Array, shape: tuple[int, int], dtype: jax.typing.DTypeLike
) -> jax.Array:
  """Returns the kernel with which every frame reads itself."""
  del key
  return jnp.zeros(shape, dtype).at[shape[0] // 2].set(1)
