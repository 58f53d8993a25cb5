"""Scoring clips, reports and pictures."""

from temporal_jax.evaluation.evaluate import Predictions, evaluate
from temporal_jax.evaluation.gathering import gather_json, stack_processes
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
  "gather_json",
  "headline",
  "stack_processes",
  "summarize",
  "write_report",
]
