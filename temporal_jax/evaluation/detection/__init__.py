"""Scores of segments found in films, see `localization`.

Times are seconds. NumPy only.
"""

from temporal_jax.evaluation.detection.action_scores import (
  ActionScores as ActionScores,
  score_actions as score_actions,
)
from temporal_jax.evaluation.detection.average_precision import (
  ACTIVITY_NET_TIOU as ACTIVITY_NET_TIOU,
  THUMOS_TIOU as THUMOS_TIOU,
  AveragePrecision as AveragePrecision,
  average_precision as average_precision,
)
from temporal_jax.evaluation.detection.epic_kitchens import (
  EPIC_TIOU as EPIC_TIOU,
  epic_average_precision as epic_average_precision,
)
from temporal_jax.evaluation.detection.film_segments import (
  FilmDetections as FilmDetections,
  FilmTruth as FilmTruth,
  distinct_segments as distinct_segments,
)
from temporal_jax.evaluation.detection.join_actions import (
  join_actions as join_actions,
)
from temporal_jax.evaluation.detection.overlap import segment_iou as segment_iou
from temporal_jax.evaluation.detection.proposal_recall import (
  ProposalRecall as ProposalRecall,
  proposal_recall as proposal_recall,
)
