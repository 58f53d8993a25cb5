"""Temporal aggregation with learned weights."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers.online_state import is_online, only_frame, remember
from temporal_jax.ops import shape_checks


class TemporalAggregation(nn.Module):
  """Learned depthwise temporal aggregation (TAM); causal, online too.

  Attributes:
    taps: Frames blended into each output frame, K; odd unless causal.
    causal: Whether these are the frame and those before it, instead of those
      around it.
    dtype: Dtype of the computation, by default the dtype of `x`; the parameter
      stays float32.

  Source: as `ops.temporal_aggregation`.
  """

  taps: int = 3
  causal: bool = False
  dtype: jax.typing.DTypeLike | None = None

  @property
  def online(self) -> bool:
    """Whether it can run on one frame of a stream after the other."""
    return self.causal

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to the same shape; aux is empty.

    Raises:
      ValueError: If `taps` is below 1, or even and it is not causal, if it runs
        online and cannot, or as `ops.temporal_aggregation`.
    """
    del train
    shape_checks.whole(1, taps=self.taps)
    if not self.causal:
      shape_checks.odd("taps", self.taps)
    # std = sqrt(2 / C): the reference's kaiming fan-out on (C, 1, 1, 1).
    init = nn.initializers.variance_scaling(2.0, "fan_out", "normal")
    kernel = self.param("kernel", init, (self.taps, x.shape[-1]), jnp.float32)
    x = x.astype(self.dtype or x.dtype)
    if is_online(self):
      frame = only_frame(self, x)
      kept = (frame.shape[0], self.taps - 1, *frame.shape[1:])
      past = remember(self, kept, frame.dtype)
      out, past.value = ops.temporal_aggregation_step(frame, past.value, kernel)
      return out[:, None], {}
    return ops.temporal_aggregation(x, kernel, causal=self.causal), {}


OPERATORS = {
  "aggregation": {"branch_input": functools.partial(TemporalAggregation, taps=3)},
  "causal_aggregation": {
    "branch_input": functools.partial(TemporalAggregation, taps=3, causal=True)
  },
}
