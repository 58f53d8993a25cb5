"""Samples of proposals against the definition, one after the other."""

import functools
import math

import jax
import numpy as np
import pytest

from temporal_jax.localization.networks import boundary_matching

SIZES = [  # Positions, durations, bins, samples of a bin, context.
  (6, 6, 4, 3, 0.5),
  (7, 4, 3, 2, 0.5),
  (5, 9, 2, 1, 0.25),
  (9, 9, 8, 3, 0.0),
  (20, 10, 8, 3, 0.5),
]


def _loop_mask(length, durations, bins, per_bin, ratio):
  """The weights (T, N, D, T), with the roundings of the reference."""
  mask = np.zeros((length, bins, durations, length))
  for start in range(length):
    for duration in range(min(durations, length - start)):
      span = float(duration) + 1
      first, last = start - span * ratio, start + duration + span * ratio
      step = float(last - first) / (bins * per_bin - 1.0)
      for k in range(bins * per_bin):
        place = first + step * k
        part, down = math.modf(place)
        for position, weight in ((int(down), 1 - part), (math.ceil(place), part)):
          if 0 <= position < length:
            mask[position, k // per_bin, duration, start] += weight / per_bin
  return mask


def _samples(_, durations, bins, per_bin, ratio):
  return boundary_matching.place_samples(
    durations, bins=bins, samples_per_bin=per_bin, boundary_ratio=ratio
  )


@pytest.mark.parametrize("sizes", SIZES)
def test_mask_is_its_definition(sizes):
  got = boundary_matching.sample_mask(_samples(*sizes), sizes[0])
  np.testing.assert_allclose(got, _loop_mask(*sizes), atol=1e-6)


@pytest.mark.slow
def test_mask_of_the_published_bins():
  sizes = (60, 60, 32, 3, 0.5)
  got = boundary_matching.sample_mask(_samples(*sizes), 60)
  np.testing.assert_allclose(got, _loop_mask(*sizes), atol=1e-6)


@pytest.mark.parametrize(
  "sizes", [SIZES[1], pytest.param(SIZES[0], marks=pytest.mark.slow)]
)
def test_sampling_is_the_product_with_the_mask(sizes):
  length, durations, bins, *_ = sizes
  rng = np.random.default_rng(0)
  x = rng.standard_normal((2, bins, length, 5), np.float32)
  gradient = rng.standard_normal((2, durations, length, 5), np.float32)
  samples, mask = _samples(*sizes), _loop_mask(*sizes)

  @jax.jit
  def sample_and_pull(x):
    sample = functools.partial(boundary_matching.sample_proposals, samples=samples)
    out, pull = jax.vjp(sample, x)
    return out, pull(gradient)[0]

  got, pulled = sample_and_pull(x)
  wanted = np.einsum("snde,bnsc->bdec", mask, x)
  np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
  wanted = np.einsum("snde,bdec->bnsc", mask, gradient)
  np.testing.assert_allclose(pulled, wanted, rtol=1e-4, atol=1e-5)


def test_one_sample_is_refused():
  with pytest.raises(ValueError, match="two samples or more, got 1"):
    boundary_matching.place_samples(4, bins=1, samples_per_bin=1)
