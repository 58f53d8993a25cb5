"""Temporal action localization: segments of long videos, from features."""

from temporal_jax.localization.catalog import (
  LOCALIZERS as LOCALIZERS,
  LocalizerEntry as LocalizerEntry,
  create_localizer as create_localizer,
  find_localizer as find_localizer,
)
from temporal_jax.localization.decoding.labels import (
  best_pairs as best_pairs,
  label_by_video as label_by_video,
)
from temporal_jax.localization.decoding.points import (
  Candidates as Candidates,
  find_candidates as find_candidates,
  position_seconds as position_seconds,
  second_positions as second_positions,
)
from temporal_jax.localization.decoding.proposals import (
  Proposals as Proposals,
  average_windows as average_windows,
  class_scores as class_scores,
  find_proposals as find_proposals,
)
from temporal_jax.localization.detector.class_scores import (
  open_class_scores as open_class_scores,
)
from temporal_jax.localization.detector.decoding_settings import (
  PointDecoding as PointDecoding,
  ProposalDecoding as ProposalDecoding,
)
from temporal_jax.localization.detector.detect import Detector as Detector
from temporal_jax.localization.detector.labellers import (
  FilmLabels as FilmLabels,
  PairLabels as PairLabels,
)
from temporal_jax.localization.detector.saved_detector import (
  describe_detector as describe_detector,
  load_detector as load_detector,
  save_detector as save_detector,
  write_detector_description as write_detector_description,
)
from temporal_jax.localization.detector.sequence_format import (
  SequenceFormat as SequenceFormat,
)
from temporal_jax.localization.detector.sequences import (
  FilmSequences as FilmSequences,
  film_sequences as film_sequences,
)
from temporal_jax.localization.losses.actionformer import (
  PointTargets as PointTargets,
  actionformer_loss as actionformer_loss,
  point_targets as point_targets,
)
from temporal_jax.localization.losses.bmn import (
  ProposalTargets as ProposalTargets,
  bmn_loss as bmn_loss,
  proposal_targets as proposal_targets,
)
from temporal_jax.localization.networks.actionformer import (
  ActionFormer as ActionFormer,
)
from temporal_jax.localization.networks.bmn import BMN as BMN
from temporal_jax.localization.suppression import (
  Kept as Kept,
  nms as nms,
  soft_nms as soft_nms,
  vote as vote,
)
