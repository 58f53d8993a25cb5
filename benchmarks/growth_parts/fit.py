"""Exponents of growth, by least squares in log-log."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

FITTED = 3  # Sizes that are fitted at least, if there are as many.


class PowerFit(NamedTuple):
  """values = constant * sizes ** exponent.

  Attributes:
    exponent: Slope of log(values) over log(sizes).
    residual: Root mean square of what the line misses in log(values), thus
      about the share of a value.
  """

  exponent: float
  residual: float


def fit_power(sizes: Sequence[float], values: Sequence[float]) -> PowerFit:
  """Fits a power to the larger half of the sizes.

  The smaller ones are left out, as constant parts outweigh the growth there.
  Of four or five sizes the three largest are fitted. Values of 0 are left out
  too: a device without others sends nothing.

  Args:
    sizes: Sizes, above 0.
    values: A value of each.

  Raises:
    ValueError: If there are not as many values as sizes, fewer than two
      different sizes have a value, or one is negative or not finite.
  """
  if len(sizes) != len(values):
    raise ValueError(
      f"a fit needs a value of each size, got {len(values)} of {len(sizes)}."
    )
  if not all(0 < size < math.inf for size in sizes):
    raise ValueError(f"sizes of a fit must be above 0, got {[*sizes]}.")
  if not all(0 <= value < math.inf for value in values):
    raise ValueError(f"values of a fit must be 0 or more, got {[*values]}.")
  points = sorted(
    (size, value) for size, value in zip(sizes, values, strict=True) if value
  )
  if len({size for size, _ in points}) < 2:
    raise ValueError(
      f"a fit needs values above 0 of two sizes at least, got {[*values]}."
    )
  kept = points[-max(FITTED, math.ceil(len(points) / 2)) :]
  x, y = np.log(np.array(kept, np.float64)).T
  exponent, constant = np.polyfit(x, y, 1)
  missed = y - exponent * x - constant
  return PowerFit(float(exponent), float(np.sqrt(np.mean(missed**2))))
