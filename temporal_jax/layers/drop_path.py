"""Stochastic depth as a layer."""

import flax.linen as nn
import jax

from temporal_jax import ops


class DropPath(nn.Module):
  """Drops a residual branch for whole clips in training.

  Attributes:
    rate: Probability that a clip's branch is dropped, in [0, 1).
    num_frames: Frames folded into the first axis.

  Source: as `ops.drop_path`. Takes the "dropout" rng.
  """

  rate: float
  num_frames: int = 1

  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps (B num_frames, ...) to the same shape."""
    if not train or self.rate == 0:
      return x
    key = self.make_rng("dropout")
    return ops.drop_path(key, x, rate=self.rate, num_frames=self.num_frames)
