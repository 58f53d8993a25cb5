"""Temporal relations between ordered frames."""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.layers.mlp import Mlp
from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.join_axes import join_axes


class TemporalRelation(nn.Module):
  """Sums perceptrons over ordered tuples of frames (multi-scale TRN).

  One perceptron for each scale, the tuples of 2, 3, ..., T frames; its input is
  the concatenated features of a tuple. Of a scale's tuples, sorted as words
  are, those in the middle of `num_tuples` equal parts are taken, the same in
  every call; the reference draws them at random each time.

  Attributes:
    features: Width of the output: classes, or features.
    hidden: Width of the perceptrons' hidden layer.
    num_tuples: Tuples taken of each scale, or all where there are fewer.
    dtype: Dtype of the computation.

  Source: Zhou et al. 2018, https://arxiv.org/abs/1711.08496, equation 3; class
    `RelationModuleMultiScale` in TRNmodule.py of zhoubolei/TRN-pytorch.
  """

  features: int
  hidden: int = 256
  num_tuples: int = 3
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps the frames' features (B, T, D) to (B, features).

    Raises:
      ValueError: If `x` is not (B, at least 2, D), or `num_tuples` is below 1.
    """
    shape_checks.whole(1, num_tuples=self.num_tuples)
    if x.ndim != 3 or x.shape[1] < 2:
      raise ValueError(f"x must be (B, at least 2 frames, D), got {x.shape}.")
    frames = x.shape[1]
    active = nn.relu(x)
    relations = []
    for scale in range(2, frames + 1):
      tuples = _tuples(frames, scale, self.num_tuples)
      joined = join_axes(active[:, tuples], 2)
      relate = Mlp(
        self.hidden,
        self.features,
        activation=nn.relu,
        dtype=self.dtype,
        name=f"scale{scale}",
      )
      relations.append(relate(joined, train).sum(axis=1))
    return sum(relations)


def _tuples(frames: int, scale: int, count: int) -> np.ndarray:
  """Returns `count` rising tuples of frames, or all, as (count, scale)."""
  total = math.comb(frames, scale)
  count = min(count, total)
  ranks = [(2 * i + 1) * total // (2 * count) for i in range(count)]
  return np.array([_tuple(rank, frames, scale) for rank in ranks])


def _tuple(rank: int, frames: int, scale: int) -> list[int]:
  """Returns the tuple before which `rank` others are sorted."""
  chosen, frame = [], 0
  while len(chosen) < scale:
    # As many tuples go on with this frame.
    following = math.comb(frames - frame - 1, scale - len(chosen) - 1)
    if rank < following:
      chosen.append(frame)
    else:
      rank -= following
    frame += 1
  return chosen
