"""Scoring clips, reports and pictures."""

from temporal_jax.evaluation.evaluate import Predictions, evaluate
from temporal_jax.evaluation.report import (
  accuracies,
  headline,
  summarize,
  write_report,
)

__all__ = [
  "Predictions",
  "accuracies",
  "evaluate",
  "headline",
  "summarize",
  "write_report",
]
