"""Scoring clips, reports and pictures."""

from temporal_jax.evaluation.accuracies import (
  accuracies as accuracies,
  accuracy_names as accuracy_names,
)
from temporal_jax.evaluation.calibration import calibrations as calibrations
from temporal_jax.evaluation.calibration_plot import (
  save_calibration as save_calibration,
)
from temporal_jax.evaluation.comparison_plots import (
  save_by_frames as save_by_frames,
  save_gains as save_gains,
  save_views as save_views,
)
from temporal_jax.evaluation.distributed import (
  gather_json as gather_json,
  stack_processes as stack_processes,
)
from temporal_jax.evaluation.ensembles import (
  align as align,
  class_gains as class_gains,
  ensemble as ensemble,
  reordered as reordered,
)
from temporal_jax.evaluation.evaluate import evaluate as evaluate
from temporal_jax.evaluation.intervals import (
  accuracy_intervals as accuracy_intervals,
)
from temporal_jax.evaluation.mistakes import find_mistakes as find_mistakes
from temporal_jax.evaluation.predictions import (
  Predictions as Predictions,
  from_views as from_views,
  group_views as group_views,
)
from temporal_jax.evaluation.report import (
  coverage as coverage,
  headline as headline,
  summarize as summarize,
  write_report as write_report,
  write_test as write_test,
)
from temporal_jax.evaluation.run_curves import save_run_curves as save_run_curves
from temporal_jax.evaluation.saved_scores import (
  SavedScores as SavedScores,
  load_scores as load_scores,
  save_scores as save_scores,
)
from temporal_jax.evaluation.temperature import fit_temperature as fit_temperature
from temporal_jax.evaluation.uploads import (
  UPLOADS as UPLOADS,
  write_upload as write_upload,
)
from temporal_jax.evaluation.view_fusion import (
  FUSIONS as FUSIONS,
  accuracy_by_clips as accuracy_by_clips,
  average_views as average_views,
)
