"""Makes sources of videos from annotations."""

import collections
import pathlib
from collections.abc import Callable
from typing import Any

from temporal_jax.data.annotations.record import Annotations, Record
from temporal_jax.data.labels import label_names
from temporal_jax.data.sources import Video, list_digest


class AnnotatedSource:
  """A split of a data set whose videos are in a folder."""

  def __init__(
    self,
    annotations: Annotations,
    split: str,
    root: str | pathlib.Path,
    *,
    as_video: Callable[[str], Any] = str,
  ):
    """Takes the records of a split.

    Args:
      annotations: Annotations of the data set.
      split: "train" or "test".
      root: The folder that the records' paths begin in.
      as_video: Function from a path to the read object, where it is not a video
        file: a folder of pictures.

    Raises:
      ValueError: If the split has no records, or two of the same id.
    """
    self._records = annotations.split(split)
    self._root = pathlib.Path(root).expanduser()
    self._as_video = as_video
    self.class_names = annotations.class_names
    self.multi_label = annotations.multi_label
    if not self._records:
      raise ValueError(f"there are no records of the split {split!r}.")
    if len({record.id for record in self._records}) < len(self._records):
      raise ValueError(f"two records are called {_twice(self._records)!r}.")

  def __len__(self) -> int:
    return len(self._records)

  def __getitem__(self, index: int) -> Video:
    record = self._records[index]
    path = str(self._root / record.path)
    video = Video(id=record.id, label=record.label, video=self._as_video(path))
    if record.start is not None:
      video |= {"start": record.start, "stop": record.stop}
    return video

  def fingerprint(self) -> str:
    """Returns a sha256 of ids, paths, times and classes."""
    return list_digest(
      (
        record.id,
        record.path,
        record.start,
        record.stop,
        *label_names(record.label, self.class_names),
      )
      for record in self._records
    )


def _twice(records: list[Record]) -> str:
  """Returns the id that most records have."""
  ((name, _),) = collections.Counter(r.id for r in records).most_common(1)
  return name
