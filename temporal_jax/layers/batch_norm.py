"""Batch normalisation that keeps the running statistics torch keeps."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.ops.lowering.accumulation_dtype import widen
from temporal_jax.ops.lowering.broadcast_channels import along_channels


class BatchNorm(nn.Module):
  """Batch normalisation over all axes but the last.

  Training normalises by the biased variance of the batch and moves the running
  variance by the unbiased one, as torch does (flax keeps the biased one). Under
  jit the batch is the global batch: all devices of the mesh together.

  Variables of `models.fold_batch_norm` hold only a bias, which is added.

  Attributes:
    momentum: Share of the old running statistics that stays (torch: 1 - 0.1).
    epsilon: Added to the variance.
    places: Places that the last axis holds, each with all channels in order: it
      is (places C).
    scale_init: Initialiser of `scale`; zeros makes a residual branch start at
      nothing.
    dtype: Dtype of the output; running statistics and parameters stay float32.

  Source: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167; class
    `BatchNorm2d` of pytorch/pytorch.
  """

  momentum: float = 0.9
  epsilon: float = 1e-5
  places: int = 1
  scale_init: nn.initializers.Initializer = nn.initializers.ones
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Normalises (..., C), or (..., places C).

    Raises:
      ValueError: If the last axis does not hold so many places. In training, if
        a channel has one value only, or the norm is folded into a convolution.
    """
    if x.shape[-1] % self.places:
      raise ValueError(
        f"the last axis must hold {self.places} places, got (..., places C) {x.shape}."
      )
    channels = (x.shape[-1] // self.places,)
    if self._is_folded():
      if train:
        raise ValueError(
          "a batch norm folded into the convolution before it cannot train."
        )
      bias = self.param("bias", nn.initializers.zeros, channels, jnp.float32)
      values = widen(x, self.dtype)
      return (values + self._along(bias, values)).astype(self.dtype)
    running_mean = self.variable(
      "batch_stats", "mean", jnp.zeros, channels, jnp.float32
    )
    running_var = self.variable("batch_stats", "var", jnp.ones, channels, jnp.float32)
    scale = self.param("scale", self.scale_init, channels, jnp.float32)
    bias = self.param("bias", nn.initializers.zeros, channels, jnp.float32)
    if train:
      mean, var = self._batch_statistics(x, running_mean, running_var)
    else:
      mean, var = running_mean.value, running_var.value
    values = widen(x, self.dtype)
    scale, var = scale.astype(values.dtype), var.astype(values.dtype)
    factor = scale * jax.lax.rsqrt(var + self.epsilon)
    centred = values - self._along(mean, values)
    out = centred * self._along(factor, values) + self._along(bias, values)
    return out.astype(self.dtype)

  def _is_folded(self) -> bool:
    """Whether there is neither a scale nor statistics."""
    return not (
      self.is_initializing()
      or self.has_variable("params", "scale")
      or self.has_variable("batch_stats", "mean")
    )

  def _batch_statistics(
    self, x: jax.Array, running_mean: nn.Variable, running_var: nn.Variable
  ) -> tuple[jax.Array, jax.Array]:
    """Returns mean (C,) and biased variance (C,); moves the running ones."""
    count = x.size // x.shape[-1] * self.places
    if count < 2:
      raise ValueError(f"training needs two values per channel, got {x.shape}.")
    values = widen(x, self.dtype)
    mean = self._means(values)
    # The variance is the mean square about any value, without the square of its
    # distance to the mean. About a constant, here the mean itself, its gradient
    # takes no sum over all values; about the mean it does.
    constant = jax.lax.stop_gradient(mean)
    squares = jnp.square(values - self._along(constant, values))
    var = self._means(squares) - jnp.square(mean - constant)
    if not self.is_initializing():
      keep, unbiased = self.momentum, var * (count / (count - 1))
      for running, new in ((running_mean, mean), (running_var, unbiased)):
        moved = (1 - keep) * new.astype(running.value.dtype)
        running.value = keep * running.value + moved
    return mean, var

  def _means(self, values: jax.Array) -> jax.Array:
    """Returns the mean of each channel, (C,)."""
    means = jnp.mean(values, tuple(range(values.ndim - 1)))
    return jnp.mean(means.reshape(self.places, -1), 0)  # (places, C)

  def _along(self, vector: jax.Array, values: jax.Array) -> jax.Array:
    """Returns a vector (C,) in the shape and dtype of the values."""
    return along_channels(jnp.tile(vector, self.places), values)
