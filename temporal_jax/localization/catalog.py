"""The table of localization networks, and networks built by name."""

import dataclasses
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import flax.linen as nn

from temporal_jax.localization.detector.decoding_settings import (
  Decoding,
  PointDecoding,
  ProposalDecoding,
)
from temporal_jax.localization.detector.sequence_format import SequenceFormat
from temporal_jax.localization.networks.actionformer import ActionFormer
from temporal_jax.localization.networks.bmn import BMN
from temporal_jax.lookup import lookup, unknown_name

_BMN = {
  "paper": "arXiv:1907.09702",
  "repository": "alibaba-mmai-research/TAdaConv",
}
_ACTIONFORMER = {
  "paper": "arXiv:2202.07925",
  "repository": "happyharrycn/actionformer_release",
}
_OVERLAPPING = ((0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 10_000))


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocalizerEntry:
  """All facts of a named network.

  Attributes:
    module: Class of the network.
    kwargs: Arguments of the class; they cannot be changed.
    sequences: Format of the sequences that it takes of a film.
    channels: Channels of the features that it was published with.
    loss: Arguments of the loss, and "normalizer": its first value.
    decoding: Settings that turn its outputs into segments.
    paper: Paper that describes it.
    repository: Its authors' code, or that which trained it, owner/name on
      GitHub.
  """

  module: type[nn.Module]
  kwargs: Mapping[str, Any]
  sequences: SequenceFormat
  channels: int
  loss: Mapping[str, Any]
  decoding: Decoding
  paper: str
  repository: str

  def __post_init__(self) -> None:
    for name in ("kwargs", "loss"):
      fixed = MappingProxyType(dict(getattr(self, name)))
      object.__setattr__(self, name, fixed)

  @property
  def length(self) -> int:
    """Positions of the sequences that it is trained with."""
    return self.sequences.length


LOCALIZERS: Mapping[str, LocalizerEntry] = MappingProxyType(
  {
    "bmn": LocalizerEntry(
      module=BMN,
      kwargs={},
      sequences=SequenceFormat("resample", 100),
      channels=2304,
      loss={"weights": (1.0, 10.0, 1.0), "positive": 0.9},
      decoding=ProposalDecoding(),
      **_BMN,
    ),
    "bmn_epic": LocalizerEntry(
      module=BMN,
      kwargs={"durations": 100},
      # 26.7 of 53.3 s, at .2667 s of features each .1333 s.
      sequences=SequenceFormat("windows", 200, step=100, every=2.0),
      channels=6912,
      loss={"weights": (1.0, 10.0, 1.0), "positive": 0.9},
      decoding=ProposalDecoding(
        regression_power=1.0,
        low=0.25,
        high=0.9,
        max_segments=10_000,
        per_second=1.0,
        num_labels=5,
      ),
      **_BMN,
    ),
    "actionformer": LocalizerEntry(
      module=ActionFormer,
      kwargs={},
      sequences=SequenceFormat("pad", 2304),
      channels=2048,
      loss={"normalizer": 100.0},
      decoding=PointDecoding(),
      **_ACTIONFORMER,
    ),
    "actionformer_epic": LocalizerEntry(
      module=ActionFormer,
      kwargs={"windows": 9, "ranges": _OVERLAPPING},
      sequences=SequenceFormat("pad", 2304),
      channels=2304,
      loss={"normalizer": 250.0},
      decoding=PointDecoding(most=5000, sigma=0.4, max_segments=2000),
      **_ACTIONFORMER,
    ),
    "actionformer_activitynet": LocalizerEntry(
      module=ActionFormer,
      kwargs={
        "width": 256,
        "windows": (7, 7, 7, 7, 7, None),
        "max_length": 192,
        "positions": True,
      },
      sequences=SequenceFormat("resample", 192),
      channels=512,
      loss={"normalizer": 200.0, "label_smoothing": 0.1, "offset_weight": 2.0},
      decoding=PointDecoding(
        shortest=0.001,
        sigma=0.75,
        max_segments=100,
        class_agnostic=True,
        voting=0.9,
        num_labels=2,
        label_power=0.5,
      ),
      **_ACTIONFORMER,
    ),
  }
)


def find_localizer(name: str) -> LocalizerEntry:
  """Returns the entry of `name`.

  Raises:
    ValueError: If there is none; near names are suggested.
  """
  return lookup(LOCALIZERS, name, "localizer")


def create_localizer(
  name: str,
  *,
  num_classes: int | Mapping[str, int] | None,
  **overrides: Any,
) -> nn.Module:
  """Builds a localization network by name.

  Args:
    name: A key of `LOCALIZERS`.
    num_classes: Classes of segments, L; for a `BMN` a dict with one entry per
      task, or None.
    **overrides: Replace arguments of the network's class.

  Raises:
    ValueError: If the network is unknown.
    TypeError: If an override is not an argument of the network's class, or the
      classes are none that it takes.
  """
  entry = find_localizer(name)
  _check_overrides(entry.module, overrides)
  is_one_task = isinstance(num_classes, int)
  if is_one_task == (entry.module is BMN):
    wanted = "{task: L} or None" if entry.module is BMN else "an integer"
    raise TypeError(f"num_classes of {name} must be {wanted}, got {num_classes!r}.")
  return entry.module(num_classes=num_classes, **{**entry.kwargs, **overrides})


def _check_overrides(module: type[nn.Module], overrides: Iterable[str]) -> None:
  """Raises TypeError if an override is not an argument of the module."""
  own = {"name", "parent", "num_classes"}
  known = {field.name for field in dataclasses.fields(module)} - own
  for name in overrides:
    if name not in known:
      raise TypeError(unknown_name(name, sorted(known), "argument", of=module.__name__))
