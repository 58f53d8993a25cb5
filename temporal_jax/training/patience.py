"""Ends a run whose test values no longer become better."""

from collections.abc import Mapping
from typing import Any

PATIENCE = "patience"  # Key in a checkpoint's place in the data.
BEST_STEP, IS_OVER = "best_step", "is_over"


class Patience:
  """Counts evaluations since the best one; a checkpoint keeps the count.

  Attributes:
    measure: Name of the test value, the larger the better.
    stop_after: Evaluations without a better value that end the run; 0 never
      does.
    best: Best value so far; None before the first.
    best_step: Step of the last evaluation with it, whose checkpoint is kept.
    waited: Evaluations since the value became better.
  """

  def __init__(
    self, measure: str, stop_after: int, position: Mapping[str, Any] | None = None
  ):
    """Goes on from a checkpoint.

    Args:
      measure: See above.
      stop_after: See above.
      position: The checkpoint's place in the data; None for a new run. One of a
        run without patience has no count, and it begins now.
    """
    self.measure, self.stop_after = measure, stop_after
    kept = (position or {}).get(PATIENCE, {})
    self.best: float | None = kept.get("best")
    self.best_step: int = kept.get(BEST_STEP, 0)
    self.waited: int = kept.get("waited", 0)

  @property
  def is_over(self) -> bool:
    """Whether the run ends."""
    return 0 < self.stop_after <= self.waited

  def take(self, step: int, scores: Mapping[str, float]) -> None:
    """Counts the evaluation after a step."""
    if not self.stop_after:
      return
    value = scores[self.measure]
    better = self.best is None or value > self.best
    self.waited = 0 if better else self.waited + 1
    # `Checkpoints` keeps the last of equal values.
    if better or value == self.best:
      self.best, self.best_step = value, step

  def record(self) -> dict[str, Any]:
    """Returns the count as JSON, for a checkpoint; nothing without patience."""
    if not self.stop_after:
      return {}
    count = {"best": self.best, BEST_STEP: self.best_step, "waited": self.waited}
    return {PATIENCE: {**count, IS_OVER: self.is_over}}

  def describe(self) -> str:
    """Returns the reason of the end, in a clause."""
    return (
      f"{self.measure} of the test has not been better than {self.best:.1%} in "
      f"{self.waited} evaluations"
    )
