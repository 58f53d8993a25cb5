"""The uncertainty of a share of few examples."""

import math

Z_95 = 1.959964  # The normal distribution has 95 % within +-z.


def chance_of_at_most(right: int, total: int, share: float) -> float:
  """Returns the chance that at most `right` of `total` examples are right.

  Args:
    right: Number of right examples, 0 to `total`.
    total: Number of independent examples.
    share: Chance of each to be right, in (0, 1).
  """
  log = math.lgamma
  return min(
    1.0,
    sum(
      math.exp(
        log(total + 1)
        - log(k + 1)
        - log(total - k + 1)
        + k * math.log(share)
        + (total - k) * math.log1p(-share)
      )
      for k in range(right + 1)
    ),
  )


def wilson_interval(share: float, total: float, z: float = Z_95) -> tuple[float, float]:
  """Returns the interval of the true share by Wilson's score.

  Args:
    share: Share of the examples that are right, in [0, 1].
    total: Number of independent examples, above 0.
    z: Width in standard deviations; 95 % by default.

  Returns:
    Lowest and highest share, within [0, 1].

  Source: E. B. Wilson 1927, Probable inference, the law of succession, and
    statistical inference. JASA 22: 209-212.
  """
  spread = z * math.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
  middle, scale = share + z**2 / (2 * total), 1 + z**2 / total
  low, high = (middle - spread) / scale, (middle + spread) / scale
  return (0.0 if share == 0 else max(low, 0.0), 1.0 if share == 1 else min(high, 1.0))
