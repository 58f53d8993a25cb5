"""Sources of videos: a prepared data set, files, or a list of them."""

import hashlib
import itertools
import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NotRequired, Protocol, TypedDict

from temporal_jax.data import datasets
from temporal_jax.data.datasets.prepare import prepare
from temporal_jax.data.labels import ClassNames, Label, label_names
from temporal_jax.data.video.readers import Readable, with_pattern
from temporal_jax.data.video.tar_member import TarMember


class Video(TypedDict):
  """One video of a source, or the part of it that is labelled.

  Attributes:
    id: Its name in messages and reports.
    label: Its class, an index into the source's `class_names`; with several
      tasks a tuple of them; with several labels a set of them.
    video: The file's bytes, its path, or another input of `readers`.
    start: Beginning of the part, in seconds after the first frame; a whole
      video has neither.
    stop: Its end, likewise.
    group: Name of its group, whose videos depend on each other, such as the
      clips of a film; missing where it has none.
  """

  id: str
  label: Label
  video: Readable
  start: NotRequired[float]
  stop: NotRequired[float]
  group: NotRequired[str]


class Source(Protocol):
  """Random access to the videos of a split.

  Attributes:
    class_names: Names of the L classes; with several tasks (a verb and a noun)
      a dict with one entry per task, in the order of the labels.
    multi_label: Whether a video has a set of classes instead of one.
  """

  class_names: ClassNames
  multi_label: bool

  def __len__(self) -> int:
    """Returns the number of videos."""

  def __getitem__(self, index: int) -> Video:
    """Returns video `index`, in [0, len)."""

  def fingerprint(self) -> str:
    """Returns a sha256 of the list: its videos, their classes, their order.

    It stays the same where the folder of the videos moves, and where classes
    are numbered in another order.
    """


def groups_of(source: Source) -> Mapping[str, str]:
  """Returns id -> group of the videos that have one."""
  return getattr(source, "groups", {})


def list_digest(rows: Iterable[tuple[Any, ...]]) -> str:
  """Returns the sha256 of the rows of a list, in hexadecimal digits."""
  total = hashlib.sha256()
  for row in rows:
    # File names need not be UTF-8; repr keeps the parts of a row apart.
    total.update(repr(row).encode(errors="surrogateescape") + b"\n")
  return total.hexdigest()


def prepared_digest(builder: Any, split: str) -> str:
  """Returns a digest of a split of a TFDS builder, without reading videos.

  Names and labels are stored with the videos, so that reading them would read
  everything: the files' sizes and numbers of videos are used instead.
  """
  info = builder.info.splits[split]
  return list_digest([(split, *info.shard_lengths, int(info.num_bytes))])


class DatasetSource:
  """A split of a TFDS data set in ArrayRecord files, built when missing."""

  multi_label = False

  def __init__(self, name: str, split: str, data_dir: str | pathlib.Path):
    """Opens the split.

    Args:
      name: One of `datasets.DATASETS`.
      split: "train", "test", or a TFDS slice such as "train[:10%]".
      data_dir: Folder of the prepared data sets.

    Raises:
      ValueError: If the data set is unknown.
    """
    builder = datasets.find_builder(name)(
      data_dir=str(pathlib.Path(data_dir).expanduser()),
      file_format="array_record",
    )
    prepare(builder)
    self._records = builder.as_data_source(split)
    self._fingerprint = prepared_digest(builder, split)
    self.class_names = tuple(builder.info.features["label"].names)

  def __len__(self) -> int:
    return len(self._records)

  def __getitem__(self, index: int) -> Video:
    record = self._records[index]
    return Video(
      id=record["id"].decode(),  # TFDS gives text as bytes.
      label=int(record["label"]),
      video=record["video"],
    )

  def fingerprint(self) -> str:
    """Returns the digest of the split, see `prepared_digest`."""
    return self._fingerprint


class FileSource:
  """Video files with their labels.

  Attributes:
    groups: Path -> group of the videos that have one.
  """

  def __init__(
    self,
    files: Sequence[tuple[str, Label]],
    class_names: ClassNames,
    *,
    multi_label: bool = False,
    frames: str = "",
    flow: int = 0,
    groups: Mapping[str, str] = MappingProxyType({}),
    members: Mapping[str, TarMember] = MappingProxyType({}),
  ):
    """Holds (path, label) pairs; the path is the video's name.

    Args:
      files: The pairs.
      class_names: See `Source`.
      multi_label: See `Source`.
      frames: Pattern of the names of pictures, for videos that are folders, see
        `readers.with_pattern`.
      flow: Consecutive pairs of optical flow that make a frame; 0 for RGB.
      groups: Path -> group of the videos that have one.
      members: Places of the videos, by path, if they are in tar files.
    """
    self._files = files
    self.groups = groups
    self._frames, self._flow = frames, flow
    self._members = members
    self.class_names = class_names
    self.multi_label = multi_label

  def __len__(self) -> int:
    return len(self._files)

  def __getitem__(self, index: int) -> Video:
    path, label = self._files[index]
    if self._members:
      video: Readable = self._members[path]
    else:
      video = with_pattern(path, self._frames, self._flow)
    found = Video(id=path, label=label, video=video)
    if path in self.groups:
      found["group"] = self.groups[path]
    return found

  def fingerprint(self) -> str:
    """Returns a sha256 of paths and classes, without the common folder."""
    paths = [path.replace(os.sep, "/") for path, _ in self._files]
    shared = _shared_folders(paths) if paths else 0
    return list_digest(
      (path.split("/", shared)[-1], *label_names(label, self.class_names))
      for path, (_, label) in zip(paths, self._files, strict=True)
    )


def _shared_folders(paths: list[str]) -> int:
  """Returns the number of leading folders that all paths share."""
  # Folders that the first and the last in the order of letters share, all
  # share.
  first, last = (path.split("/")[:-1] for path in (min(paths), max(paths)))
  pairs = zip(first, last, strict=False)
  same = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
  return len(list(same))
