"""Scoring clips, reports and pictures."""

from temporal_jax.evaluation.evaluate import Predictions, evaluate
from temporal_jax.evaluation.figures import (
  save_confusion,
  save_contact_sheet,
  save_curves,
)
from temporal_jax.evaluation.report import accuracies, save_report, summarize

__all__ = [
  "Predictions",
  "accuracies",
  "evaluate",
  "save_confusion",
  "save_contact_sheet",
  "save_curves",
  "save_report",
  "summarize",
]
