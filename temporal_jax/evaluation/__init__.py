"""Scoring clips, reports and pictures."""

from temporal_jax.evaluation.evaluate import Predictions, evaluate
from temporal_jax.evaluation.report import (
  accuracies,
  summarize,
  write_report,
)

__all__ = [
  "Predictions",
  "accuracies",
  "evaluate",
  "summarize",
  "write_report",
]
