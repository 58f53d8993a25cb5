"""Temporal aggregation with learned weights."""

import flax.linen as nn
import jax

from temporal_jax import ops


class TemporalAggregation(nn.Module):
  """Learned depthwise temporal aggregation (TAM).

  Attributes:
    taps: Frames blended into each output frame, K; odd.
    dtype: Dtype of the computation, that of `x` by default; the parameter
      stays float32.

  Source: as `ops.temporal_aggregation`.
  """

  taps: int = 3
  dtype: jax.typing.DTypeLike | None = None

  @nn.compact
  def __call__(
    self, x: jax.Array, train: bool = False
  ) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to the same shape; aux is empty."""
    del train
    # std = sqrt(2 / C): the reference's kaiming fan-out on (C, 1, 1, 1).
    init = nn.initializers.variance_scaling(2.0, "fan_out", "normal")
    kernel = self.param("kernel", init, (self.taps, x.shape[-1]))
    x = x.astype(self.dtype or x.dtype)
    return ops.temporal_aggregation(x, kernel), {}
