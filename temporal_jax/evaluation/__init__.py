"""Scoring clips, reports and pictures."""

from temporal_jax.evaluation.comparison_plots import save_gains, save_views
from temporal_jax.evaluation.distributed import gather_json, stack_processes
from temporal_jax.evaluation.ensembles import align, class_gains, ensemble
from temporal_jax.evaluation.evaluate import evaluate
from temporal_jax.evaluation.predictions import (
  Predictions,
  from_views,
  group_views,
)
from temporal_jax.evaluation.report import (
  accuracies,
  accuracy_names,
  coverage,
  headline,
  summarize,
  write_report,
)
from temporal_jax.evaluation.saved_scores import (
  SavedScores,
  load_scores,
  save_scores,
)
from temporal_jax.evaluation.view_fusion import (
  FUSIONS,
  accuracy_by_clips,
  average_views,
)

__all__ = [
  "FUSIONS",
  "Predictions",
  "SavedScores",
  "accuracies",
  "accuracy_by_clips",
  "accuracy_names",
  "align",
  "average_views",
  "class_gains",
  "coverage",
  "ensemble",
  "evaluate",
  "from_views",
  "gather_json",
  "group_views",
  "headline",
  "load_scores",
  "save_gains",
  "save_scores",
  "save_views",
  "stack_processes",
  "summarize",
  "write_report",
]
