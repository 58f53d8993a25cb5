"""Inspects labels and files of a data set before training."""

import hashlib
import os
import pathlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from temporal_jax.data.labels import ClassNames, Label, whole_numbers
from temporal_jax.data.sources import Source
from temporal_jax.data.video.image_folder import ImageFolder
from temporal_jax.data.video.manifest import Row
from temporal_jax.data.video.numbered_pictures import (
  list_patterns,
  number_form,
  numbers_by_pattern,
)
from temporal_jax.data.video.tar_member import TarMember


class _Content(NamedTuple):
  """Content of a video; its hash is None as long as nobody needs it.

  A part of a video, in seconds, is not the same as another part.
  """

  split: str
  id: str
  part: tuple[float | None, float | None]
  size: int
  sha256: str | None
  file: str | TarMember


def inspect_sources(
  sources: Mapping[str, Source],
  *,
  root: str | pathlib.Path = "",
  manifest: Mapping[str, Row] | None = None,
) -> dict[str, Any]:
  """Returns statistics of the splits of a data set.

  Args:
    sources: The videos, by split.
    root: Folder from which the paths of the manifest go.
    manifest: Rows of a check by path: hashes that need not be computed, and
      the faults of files.

  Returns:
    As JSON holds it: `videos`, their number by split; `labels`, the result of
    `inspect_labels`, of several tasks by task; `missing`, names of videos that
    are not there; `bad`, why videos are bad by the manifest, or are no
    regular files; `duplicates`, lists of split and name of videos with the same
    content in different splits; and `frame_folders`, the result of
    `number_frames` for videos that are folders.
  """
  manifest = manifest or {}
  missing, bad, folders, contents = [], {}, [], []
  labels: dict[str, list[Label]] = {split: [] for split in sources}
  for split, source in sources.items():
    for index in range(len(source)):
      video = source[index]
      labels[split].append(video["label"])
      name, content = video["id"], _content(video["video"])
      part = video.get("start"), video.get("stop")
      if isinstance(content, TarMember):
        contents.append(_Content(split, name, part, content.num_bytes, None, content))
        continue
      if isinstance(content, bytes):
        size, digest = len(content), hashlib.sha256(content).hexdigest()
        contents.append(_Content(split, name, part, size, digest, ""))
        continue
      row = manifest.get(os.path.relpath(content, root or "."), {})
      if row.get("error"):
        bad[name] = row["error"]
      if os.path.isdir(content):
        folders.append(video["video"])
      elif os.path.isfile(content):
        size = os.path.getsize(content)
        digest = row.get("sha256") if row.get("bytes") == size else None
        contents.append(_Content(split, name, part, size, digest, content))
      elif os.path.exists(content):
        bad.setdefault(name, "it is no regular file")
      else:
        missing.append(name)
  class_names = next(iter(sources.values())).class_names
  return {
    "videos": {split: len(source) for split, source in sources.items()},
    "labels": _by_task(labels, class_names),
    "missing": missing,
    "bad": bad,
    "duplicates": _duplicates(contents),
    "frame_folders": number_frames(folders),
  }


def inspect_labels(
  numbers: Mapping[str, Iterable[int]], names: Sequence[str]
) -> dict[str, Any]:
  """Returns the distribution of each split's labels over the classes.

  Where all classes are called by whole numbers, as in a list without names,
  `lowest`, `highest` and `gaps` are of these, so that labels that begin at 1 or
  leave one out are seen; otherwise of the classes' places, from 0.

  Args:
    numbers: Labels, in [0, L), by split.
    names: Names of the L classes.

  Returns:
    As JSON holds it: `counts`, by split the videos of each class by name;
    `lowest` and `highest` label with a video, None without any; `gaps`, those
    between them, or in [0, L), without one; `outside`, labels not in [0, L).
  """
  counts = {split: Counter(values) for split, values in numbers.items()}
  every = sum(counts.values(), Counter())
  called = whole_numbers(names)
  used = sorted(
    number if called is None else called[number]
    for number in every
    if 0 <= number < len(names)
  )
  span = range(len(names))
  if called is not None and used:
    span = range(used[0], used[-1] + 1)
  return {
    "counts": {
      split: {name: of_split[i] for i, name in enumerate(names)}
      for split, of_split in counts.items()
    },
    "lowest": used[0] if used else None,
    "highest": used[-1] if used else None,
    "gaps": sorted(set(span) - set(used)),
    "outside": sorted(i for i in every if not 0 <= i < len(names)),
  }


def number_frames(
  folders: Iterable[str | pathlib.Path | ImageFolder],
) -> dict[str, Any]:
  """Returns the numbering of the images in folders of frames.

  Args:
    folders: Folders of numbered pictures.

  Returns:
    As JSON holds it: `starts`, how many folders begin with each number, "0" or
    "1" as a rule; `gaps`, the numbers that lack between the first and the last,
    by folder; `empty`, folders without such images, or that do not exist;
    `patterns`, the names of images by folder where they have several, so that
    it is unknown which are the frames.
  """
  starts, gaps, empty, patterns = Counter(), {}, [], {}
  for images in folders:
    if not isinstance(images, ImageFolder):
      images = ImageFolder(str(images))
    folder, found = images.folder, _numbers(images)
    if not found:
      empty.append(folder)
      continue
    if len(found) > 1:
      patterns[folder] = list_patterns(found)
      continue
    numbers = set(*found.values())
    starts[str(min(numbers))] += 1
    lacking = set(range(min(numbers), max(numbers) + 1)) - numbers
    if lacking:
      gaps[folder] = sorted(lacking)
  return {
    "starts": dict(starts),
    "gaps": gaps,
    "empty": empty,
    "patterns": patterns,
  }


def _numbers(images: ImageFolder) -> dict[str, list[int]]:
  """Returns the numbers of a folder's pictures by pattern."""
  inner, pattern = os.path.split(images.pattern)
  place = os.path.join(images.folder, inner)
  names = os.listdir(place) if os.path.isdir(place) else []
  if not pattern:
    return numbers_by_pattern(names)
  matches = filter(None, map(number_form(pattern).fullmatch, names))
  numbers = [int(match[1]) for match in matches]
  return {pattern: numbers} if numbers else {}


def _content(video: Any) -> bytes | str | os.PathLike | TarMember:
  """Returns a video's bytes, path or place, or the folder of its pictures."""
  is_file = isinstance(video, bytes | str | os.PathLike | TarMember)
  return video if is_file else video.folder


def _by_task(
  labels: Mapping[str, Sequence[Label]], class_names: ClassNames
) -> dict[str, Any]:
  """Returns the result of `inspect_labels`, or a dict of it by task."""
  if not isinstance(class_names, Mapping):
    numbers = {
      split: [
        number
        for label in of_split
        for number in (label if isinstance(label, frozenset) else (label,))
      ]
      for split, of_split in labels.items()
    }
    return inspect_labels(numbers, class_names)
  return {
    task: inspect_labels(
      {split: [label[place] for label in of] for split, of in labels.items()},
      names,
    )
    for place, (task, names) in enumerate(class_names.items())
  }


def _duplicates(contents: Sequence[_Content]) -> list[list[list[str]]]:
  """Returns groups of the same content that are not all in one split."""
  splits: dict[int, set[str]] = {}
  for one in contents:
    splits.setdefault(one.size, set()).add(one.split)
  same: dict[tuple, list[_Content]] = {}
  for one in contents:
    if len(splits[one.size]) < 2:
      continue  # Only files of one size can be the same: it need not be read.
    digest = one.sha256
    if isinstance(one.file, TarMember):
      digest = hashlib.sha256(one.file.read()).hexdigest()
    elif digest is None:
      with open(one.file, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    same.setdefault((digest, one.part), []).append(one)
  return [
    [[one.split, one.id] for one in group]
    for group in same.values()
    if len({one.split for one in group}) > 1
  ]
