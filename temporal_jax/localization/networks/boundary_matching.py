"""Features of all proposals of a sequence, by sparse samples.

A proposal begins at position t and is d + 1 positions long. It is sampled at
evenly spaced places from `boundary_ratio` of its length in front of it to as
much after it; between two positions features are interpolated. A bin is the
mean of a few successive samples.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.ops.lowering.accumulation_dtype import wide_dtype
from temporal_jax.ops.lowering.device_variance import vary_together

_ROUNDING = 1e-9  # Positions that differ by less are one place.


class Samples(NamedTuple):
  """Sampled positions of the proposals of each duration.

  Sample j of bin n of the proposal (d, t) is the sum of the features at the
  positions t + above[d, n, j] - 1 and t + above[d, n, j], with the weights 1 -
  weight[d, n, j] and weight[d, n, j]. Positions outside of the sequence count
  as zero; but one position in front of it, which the first weight is for, they
  are the features of position 0.

  Attributes:
    above: Positions after the start, int32 (D, N, J).
    weight: Weights of these positions, float64 (D, N, J) in [0, 1].
  """

  above: np.ndarray
  weight: np.ndarray


@functools.lru_cache(maxsize=16)
def place_samples(
  durations: int,
  *,
  bins: int = 32,
  samples_per_bin: int = 3,
  boundary_ratio: float = 0.5,
) -> Samples:
  """Places the samples of the proposals of `durations` durations.

  Args:
    durations: Durations, D; the first is one position.
    bins: Bins of a proposal, N.
    samples_per_bin: Samples of a bin, J.
    boundary_ratio: Context at each side, as a part of a proposal's length.

  Raises:
    ValueError: If there are not two samples or more.

  Source: Lin et al. 2019, https://arxiv.org/abs/1907.09702, equation 2; method
    `get_interp1d_mask` of class `BaseBMN` in
    models/module_zoo/heads/bmn_head.py of alibaba-mmai-research/TAdaConv. It
    rounds towards zero, so that a sample up to one position in front of the
    sequence is position 0.
  """
  total = bins * samples_per_bin
  if total < 2:
    raise ValueError(f"a proposal needs two samples or more, got {total}.")

  def place(start, duration):  # In the order of the reference's roundings.
    length = duration + 1.0
    first = start - length * boundary_ratio
    last = start + duration + length * boundary_ratio
    return first + (last - first) / (total - 1.0) * np.arange(total)

  duration = np.arange(durations)[:, None]
  places = place(0, duration)
  # A sample on a position has the weight 1 there.
  above = np.ceil(places - _ROUNDING)
  weight = np.clip(places - (above - 1), 0.0, 1.0)
  # One position in front of the sequence, rounding decides whether it counts.
  start = np.rint(-1 - places)
  at_edge = (np.abs(places + 1 + start) < _ROUNDING) & (start >= 0)
  counts = np.zeros_like(at_edge)
  for d, k in zip(*np.nonzero(at_edge), strict=True):
    counts[d, k] = place(start[d, k], d)[k] > -1
  above = np.where(at_edge, -1 - start + counts, above)
  weight = np.where(at_edge, 1.0 - counts, weight)
  shape = (durations, bins, samples_per_bin)
  return Samples(above.astype(np.int32).reshape(shape), weight.reshape(shape))


def valid_proposals(durations: int, length: int) -> np.ndarray:
  """Returns whether proposals (d, t) end in the sequence, (D, T)."""
  return np.arange(durations)[:, None] + np.arange(length) < length


def sample_mask(samples: Samples, length: int) -> np.ndarray:
  """Returns the samples as a dense matrix, for small sizes and for checkpoints.

  Args:
    samples: Result of `place_samples`.
    length: Positions of the sequence, T.

  Returns:
    The weight of every position in every bin, float32 (T, N, D, T): position,
    bin, duration and start. Proposals that end outside have none.
  """
  durations, bins, per_bin = samples.above.shape
  mask = np.zeros((length, bins, durations, length))
  duration, start = np.nonzero(valid_proposals(durations, length))
  for n in range(bins):
    for j in range(per_bin):
      above = start + samples.above[duration, n, j]
      weight = samples.weight[duration, n, j]
      below = np.where(above == 0, 0, above - 1)
      for position, part in ((below, 1 - weight), (above, weight)):
        inside = (position >= 0) & (position < length)
        at = (position[inside], n, duration[inside], start[inside])
        np.add.at(mask, at, part[inside] / per_bin)
  return mask.astype(np.float32)


def sample_proposals(x: jax.Array, samples: Samples) -> jax.Array:
  """Sums the bins of every proposal, each of features of its own.

  out[:, d, t] = sum over n of the mean over j of sample (n, j) of x[:, n]

  With x[:, n] = features @ kernel[n] that is the boundary-matching layer and
  the convolution over its bins, in 1 / T of their multiply-adds: both are
  linear, and the samples are few.

  Args:
    x: Features (B, N, T, C), floating point.
    samples: Result of `place_samples`.

  Returns:
    Features (B, D, T, C) in the dtype of `x`; zero where a proposal ends
    outside.
  """
  length, per_bin = x.shape[2], samples.above.shape[2]
  # From one position in front of the sequence, which differs for both weights.
  below = jnp.concatenate([x[:, :, :1], x], axis=2)
  above = jnp.pad(x, ((0, 0), (0, 0), (1, 0), (0, 0)))
  x = jnp.concatenate([below, above], axis=1)
  offsets = np.concatenate([samples.above, samples.above + 1], axis=1)
  weights = np.concatenate([1 - samples.weight, samples.weight], axis=1) / per_bin
  table = _Table(offsets.swapaxes(0, 1), weights.swapaxes(0, 1).astype(np.float32))
  valid = valid_proposals(samples.above.shape[0], length)
  out = _gather_sum(x, table, (length + 1, length))
  return jnp.where(valid[None, :, :, None], out, 0)


class _Table:
  """Offsets and weights (S, R, J) from S sources to R results; hashable."""

  def __init__(self, offsets: np.ndarray, weights: np.ndarray):
    self.offsets, self.weights = offsets, weights

  def transposed(self) -> "_Table":
    return _Table(-self.offsets.swapaxes(0, 1), self.weights.swapaxes(0, 1))


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def _gather_sum(x: jax.Array, table: _Table, rows: tuple[int, int]) -> jax.Array:
  """Sums rows of all sources for each result.

  out[:, r, t] = sum over s, j of weights[s, r, j] x[:, s, t + offsets[s, r, j]]

  A loop over the sources: XLA fuses their gathers into the sum, so that no
  samples are in memory. The gradient is another such sum; a gather's gradient
  would be a scatter, which is slow.

  Args:
    x: Features (B, S, P, C); rows outside count as zero.
    table: Offsets and weights.
    rows: Rows of a source, P, and of a result.
  """
  x = jnp.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)))  # Rows for outside positions.
  row = jnp.arange(rows[1], dtype=jnp.int32)[None]
  dtype = wide_dtype(x)

  def add_source(total: jax.Array, source: tuple) -> tuple[jax.Array, None]:
    x, offsets, weights = source
    for j in range(offsets.shape[1]):
      place = jnp.clip(offsets[:, j, None] + row, -1, rows[0]) + 1
      weight = weights[None, :, j, None, None].astype(dtype)
      total += weight * jnp.take(x, place, axis=1, mode="clip").astype(dtype)
    return total, None

  zeros = jnp.zeros((x.shape[0], table.offsets.shape[1], rows[1], x.shape[3]), dtype)
  zeros, x = vary_together(zeros, x)
  sources = (jnp.moveaxis(x, 1, 0), table.offsets, table.weights)
  return jax.lax.scan(add_source, zeros, sources)[0].astype(x.dtype)


def _forward(
  x: jax.Array, table: _Table, rows: tuple[int, int]
) -> tuple[jax.Array, None]:
  return _gather_sum(x, table, rows), None


def _backward(
  table: _Table, rows: tuple[int, int], saved: None, gradient: jax.Array
) -> tuple[jax.Array]:
  del saved
  return (_gather_sum(gradient, table.transposed(), rows[::-1]),)


_gather_sum.defvjp(_forward, _backward)
