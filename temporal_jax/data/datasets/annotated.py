"""Any annotated data set as a TFDS data set, in ArrayRecord files."""

import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from temporal_jax.data.annotations.record import Annotations, Record
from temporal_jax.data.labels import ClassNames, Label
from temporal_jax.data.listing.regular_files import open_regular
from temporal_jax.data.sources import FileSource, Video, prepared_digest
from temporal_jax.data.video.pictures import VideoError


class AnnotatedVideos(tfds.core.GeneratorBasedBuilder):
  """Video files with the labels that their annotations give."""

  VERSION = tfds.core.Version("1.0.0")

  def __init__(
    self,
    name: str,
    annotations: Annotations,
    root: str | pathlib.Path,
    **kwargs: Any,
  ):
    """Takes the annotations that `download_and_prepare` builds from.

    Args:
      name: Name of the data set, and of its folder.
      annotations: Annotations of whole files.
      root: The folder that the records' paths begin in.
      **kwargs: Arguments of tfds.core.DatasetBuilder: data_dir, file_format.

    Raises:
      ValueError: If a record is a part of a video, which would be stored as
        often as it has parts.
    """
    parts = [r.id for r in annotations.records if r.start is not None]
    if parts:
      raise ValueError(
        f"{len(parts)} records of {name} are parts of videos, {parts[0]!r} for "
        "one: cut the videos first, or read them where they are."
      )
    self.name = name
    self._annotations = annotations
    self._root = pathlib.Path(root).expanduser()
    super().__init__(**kwargs)

  def _info(self) -> tfds.core.DatasetInfo:
    return tfds.core.DatasetInfo(
      builder=self,
      description=f"{self.name}: {len(self._annotations.records)} videos.",
      # Features forget the order of the tasks, and groups are asked for without
      # reading videos.
      metadata=tfds.core.MetadataDict(tasks=self._tasks(), groups=self._groups()),
      features=tfds.features.FeaturesDict(
        {
          "id": tfds.features.Text(),
          "label": self._label(),
          "video": tfds.features.Scalar(np.object_),  # A file's bytes.
        }
      ),
    )

  def _tasks(self) -> list[str]:
    names = self._annotations.class_names
    return list(names) if isinstance(names, dict) else []

  def _groups(self) -> dict[str, str]:
    return {
      record.id: record.group for record in self._annotations.records if record.group
    }

  def _label(self) -> tfds.features.FeatureConnector:
    names = self._annotations.class_names
    if isinstance(names, dict):
      return tfds.features.FeaturesDict(
        {task: tfds.features.ClassLabel(names=of) for task, of in names.items()}
      )
    one = tfds.features.ClassLabel(names=names)
    several = self._annotations.multi_label
    return tfds.features.Sequence(one) if several else one

  def _split_generators(self, dl_manager: Any) -> dict[str, Iterator]:
    del dl_manager  # Nothing is downloaded.
    records = self._annotations.records
    splits = dict.fromkeys(record.split for record in records)
    return {
      split: self._generate_examples(self._annotations.split(split)) for split in splits
    }

  def _generate_examples(self, records: list[Record]) -> Iterator[tuple[str, dict]]:
    names = self._annotations.class_names
    for record in records:
      label = record.label
      if isinstance(label, tuple):
        label = dict(zip(names, label, strict=True))
      elif isinstance(label, frozenset):
        label = sorted(label)
      try:
        with open_regular(self._root / record.path) as file:
          video = file.read()
      except VideoError as error:
        raise VideoError(f"{record.path}: {error}.") from error
      yield record.id, {"id": record.id, "label": label, "video": video}


def own_annotations(
  sources: Mapping[str, FileSource],
) -> tuple[Annotations, pathlib.Path]:
  """Returns the records of a user's own videos, and the folder they share.

  Args:
    sources: Sources by split, see `find_videos.file_sources`.
  """
  videos = {
    split: [source[index] for index in range(len(source))]
    for split, source in sources.items()
  }
  folders = [
    os.path.dirname(os.path.abspath(video["id"]))
    for listed in videos.values()
    for video in listed
  ]
  root = os.path.commonpath(folders)
  records = []
  for split, listed in videos.items():
    for video in listed:
      path = os.path.relpath(os.path.abspath(video["id"]), root)
      group = video.get("group", "")
      records.append(Record(path, path, video["label"], split, group=group))
  first = sources["train"]
  return (
    Annotations(records, first.class_names, first.multi_label),
    pathlib.Path(root),
  )


class PreparedSource:
  """A split of a data set that `AnnotatedVideos` has built."""

  def __init__(self, folder: str | pathlib.Path, split: str):
    """Opens the split; the annotations are not needed any more.

    Args:
      folder: Folder of the data set, data_dir/name.
      split: "train", "test", or a TFDS slice such as "train[:10%]".

    Raises:
      FileNotFoundError: If it is not there, whole.
    """
    version = pathlib.Path(folder) / str(AnnotatedVideos.VERSION)
    if not (version / "dataset_info.json").exists():
      raise FileNotFoundError(f"{version} holds no prepared data set.")
    builder = tfds.builder_from_directory(str(version))
    self._records = builder.as_data_source(split)
    self._fingerprint = prepared_digest(builder, split)
    label = builder.info.features["label"]
    self.multi_label = isinstance(label, tfds.features.Sequence)
    self.class_names = _class_names(label, builder.info.metadata["tasks"])
    # Data sets that were built by an earlier version have none.
    self.groups: Mapping[str, str] = builder.info.metadata.get("groups", {})

  def __len__(self) -> int:
    return len(self._records)

  def __getitem__(self, index: int) -> Video:
    record = self._records[index]
    found = Video(
      id=record["id"].decode(),
      label=self._label(record["label"]),
      video=record["video"],
    )
    if found["id"] in self.groups:
      found["group"] = self.groups[found["id"]]
    return found

  def fingerprint(self) -> str:
    """Returns the digest of the split, see `sources.prepared_digest`."""
    return self._fingerprint

  def _label(self, label: Any) -> Label:
    if isinstance(label, dict):
      return tuple(int(label[task]) for task in self.class_names)
    if self.multi_label:
      return frozenset(int(one) for one in label)
    return int(label)


def _class_names(label: tfds.features.FeatureConnector, tasks: list[str]) -> ClassNames:
  if tasks:
    return {task: tuple(label[task].names) for task in tasks}
  one = label.feature if isinstance(label, tfds.features.Sequence) else label
  return tuple(one.names)
