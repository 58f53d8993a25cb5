"""Settings of decoding: from network outputs to segments."""

import dataclasses

import numpy as np

from temporal_jax.validation import check_choice, check_number, check_whole

SOFT, HARD, NONE = "soft", "hard", "none"
SUPPRESSIONS = (SOFT, HARD, NONE)
_ABOVE_ZERO = float(np.finfo(float).tiny)
_MOST_POWER = 100.0


@dataclasses.dataclass(frozen=True)
class PointDecoding:
  """Settings that turn an `ActionFormer`'s points into segments.

  Attributes:
    threshold: Score above which there is a candidate.
    most: Candidates of a level, at most.
    shortest: Length above which there is a candidate, in positions.
    suppression: "soft" lowers the score of a segment that overlaps a better
      one, by exp(-iou^2 / sigma); "hard" leaves it out; "none" does nothing.
    sigma: Width of the soft suppression.
    overlap: Intersection over union from which on the hard one leaves out.
    min_score: Segments of lower scores are left out.
    max_segments: Segments of a film, at most.
    class_agnostic: Whether segments of different classes suppress each other.
    voting: Intersection over union from which on all candidates move a kept
      segment, see `vote`; None moves none. Only if class-agnostic.
    num_labels: Classes of its film that a segment gets, where it has none and
      class scores are given.
    label_power: Exponent of the product of a segment's score and its class's.

  Raises:
    ValueError: If a value is out of range.

  Source: `test_cfg` in libs/core/config.py of
    happyharrycn/actionformer_release.
  """

  threshold: float = 0.001
  most: int = 2000
  shortest: float = 0.05
  suppression: str = SOFT
  sigma: float = 0.5
  overlap: float = 0.1
  min_score: float = 0.001
  max_segments: int = 200
  class_agnostic: bool = False
  voting: float | None = None
  num_labels: int = 1
  label_power: float = 1.0

  def __post_init__(self) -> None:
    check_number("threshold", self.threshold, 0, 1)
    check_whole("most", self.most, 1)
    check_number("shortest", self.shortest, 0)
    check_choice("suppression", self.suppression, SUPPRESSIONS)
    check_number("sigma", self.sigma, _ABOVE_ZERO)
    check_number("overlap", self.overlap, 0, 1)
    check_number("min_score", self.min_score, 0, 1)
    check_whole("max_segments", self.max_segments, 1)
    check_choice("class_agnostic", self.class_agnostic, (True, False))
    _check_labels(self)
    if self.voting is not None:
      check_number("voting", self.voting, _ABOVE_ZERO, 1)
      if not self.class_agnostic:
        raise ValueError(
          f"voting {self.voting} must go with class_agnostic, as candidates of all "
          "classes vote."
        )


@dataclasses.dataclass(frozen=True)
class ProposalDecoding:
  """Settings that turn a `BMN`'s maps into segments.

  Attributes:
    classification_power: Exponent of the classified confidence in the score.
    regression_power: Exponent of the regressed confidence.
    boundaries: Whether the scores of start and end are factors too.
    threshold: Score above which there is a proposal.
    suppression: "soft" lowers the score of a proposal that overlaps a better
      one, by exp(-iou^2 / alpha); "hard" leaves it out; "none" does nothing.
    alpha: Width of the soft suppression.
    low: Intersection over union above which a short proposal lowers others;
      the hard suppression leaves out from there on.
    high: The same for one of the film's length; in between in proportion.
    max_segments: Proposals of a film, at most.
    per_second: If it is not None, proposals of a film are at most as many for
      each second, and one.
    num_labels: Classes of its film, or pairs of a verb and a noun, that a
      segment gets where class scores are given.
    label_power: Exponent of the product of a segment's score and its label's.

  Raises:
    ValueError: If a value is out of range.

  Source: functions `epic_video_post_process` and `soft_nms` in
    utils/tal_tools.py of alibaba-mmai-research/TAdaConv.
  """

  classification_power: float = 1.2
  regression_power: float = 1.2
  boundaries: bool = False
  threshold: float = 1e-4
  suppression: str = SOFT
  alpha: float = 0.4
  low: float = 0.0
  high: float = 0.0
  max_segments: int = 100
  per_second: float | None = None
  num_labels: int = 1
  label_power: float = 1.0

  def __post_init__(self) -> None:
    check_number("classification_power", self.classification_power, 0, _MOST_POWER)
    check_number("regression_power", self.regression_power, 0, _MOST_POWER)
    check_choice("boundaries", self.boundaries, (True, False))
    check_number("threshold", self.threshold, 0, 1)
    check_choice("suppression", self.suppression, SUPPRESSIONS)
    check_number("alpha", self.alpha, _ABOVE_ZERO)
    check_number("low", self.low, 0, 1)
    check_number("high", self.high, 0, 1)
    check_whole("max_segments", self.max_segments, 1)
    _check_labels(self)
    if self.per_second is not None:
      check_number("per_second", self.per_second, 0, 1e6)


Decoding = PointDecoding | ProposalDecoding


def _check_labels(decoding: Decoding) -> None:
  check_whole("num_labels", decoding.num_labels, 1)
  check_number("label_power", decoding.label_power, 0, _MOST_POWER)
