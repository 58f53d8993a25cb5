"""Annotations of videos, or of parts of them, with their labels."""

from collections.abc import Sequence
from typing import NamedTuple

from temporal_jax.data.labels import ClassNames, Label


class Record(NamedTuple):
  """A labelled video, or a labelled part of one.

  Attributes:
    id: Its name, which no other record of the split has.
    path: Path of the video, or the folder of its frames, from the data set's
      folder.
    label: See `sources.Video`; None where it is not published.
    split: "train" or "test".
    start: Beginning of the part, in seconds; None is the whole video.
    stop: End of the part, in seconds.
    origin: The video it comes from, such as its id on YouTube, by which a video
      in two splits is found. "" if it is not known.
    group: See `sources.Video`; "" for none.
  """

  id: str
  path: str
  label: Label | None
  split: str
  start: float | None = None
  stop: float | None = None
  origin: str = ""
  group: str = ""


class Annotations(NamedTuple):
  """A data set's records, in the order of its files.

  Attributes:
    records: Records of all splits.
    class_names: See `sources.Source`.
    multi_label: Whether a record has a set of classes instead of one.
    note: Remark for the user on how the files were read; "" if none.
  """

  records: Sequence[Record]
  class_names: ClassNames
  multi_label: bool = False
  note: str = ""

  def split(self, name: str) -> list[Record]:
    """Returns the records of a split."""
    return [record for record in self.records if record.split == name]


def origins(records: Sequence[Record], split: str) -> set[str]:
  """Returns the known origins of a split."""
  return {r.origin for r in records if r.split == split and r.origin}


def overlap(records: Sequence[Record]) -> list[str]:
  """Returns the origins that "train" and "test" share, sorted."""
  return sorted(origins(records, "train") & origins(records, "test"))
