"""Finds reasons to doubt the test of a run, from its lists and files."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from temporal_jax.data.labels import by_task
from temporal_jax.data.listing.regular_files import open_regular
from temporal_jax.data.pipeline.class_order import count_classes
from temporal_jax.data.sources import Source
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.video.tar_member import TarMember
from temporal_jax.display import printable
from temporal_jax.thread_map import run_in_order

FEW = 5  # Test videos of a class; with fewer its accuracy has a wide interval.
_NAMED = 5  # Classes that a sentence names, at most.
_START = 2**16  # Bytes at the start of files that are compared first.
# Files that are listed at most: to ask for their sizes takes some seconds on a
# local disk. Bytes that are read at most, in some seconds likewise.
_MOST_FILES, _MOST_BYTES = 200_000, 2**31
_THREADS = 8


def few_test_videos(source: Source) -> str:
  """Returns a sentence on classes with few test videos, "" for none."""
  parts = []
  names = by_task(source.class_names)
  for (task, classes), counts in zip(names.items(), count_classes(source), strict=True):
    few = [(int(count), name) for count, name in zip(counts, classes, strict=True)]
    few = sorted(pair for pair in few if pair[0] < FEW)
    if few:
      shown = ", ".join(f"{printable(name)} {count}" for count, name in few[:_NAMED])
      more = ", ..." if len(few) > _NAMED else ""
      of_task = f" {task}" if task else ""
      parts.append(f"{len(few)} of {len(classes)} classes{of_task} ({shown}{more})")
  if not parts:
    return ""
  return (
    f"fewer than {FEW} test videos: {' and '.join(parts)}; the accuracy of such a "
    "class proves little."
  )


class _File(NamedTuple):
  """A file of a split, maybe in a tar file."""

  split: str
  path: str
  size: int
  member: TarMember | None = None


def copied_videos(sources: Mapping[str, Source]) -> list[str]:
  """Returns sentences on videos that are the same file as another one.

  Only files whose sizes are equal are read: their first 64 KiB, and where these
  are equal too all of them, for a sha256. At most 200,000 files are looked at,
  and at most 2 GiB are read, first of files in both splits; a sentence names
  what is left out. Folders of pictures are not compared, nor parts of one
  video, which are the same file on purpose.

  Args:
    sources: "train" and "test".
  """
  files = _regular_files(sources)
  if files is None:
    return [f"copies of videos are not looked for among more than {_MOST_FILES} files."]
  groups = _equal_sizes(files)
  same: list[list[_File]] = []
  read, skipped = 0, 0
  for group in groups:
    cost = min(_START, group[0].size) * len(group)
    if read + cost > _MOST_BYTES:
      skipped += len(group)
      continue
    read += cost
    for alike in _by_digest(group, _START):
      cost = alike[0].size * len(alike) if alike[0].size > _START else 0
      if read + cost > _MOST_BYTES:
        skipped += len(alike)
        continue
      read += cost
      same += _by_digest(alike, None) if cost else [alike]
  return list(_sentences(same, skipped))


def _regular_files(sources: Mapping[str, Source]) -> list[_File] | None:
  """Returns the files of whole videos; None if there are too many."""
  paths: dict[str, str] = {}
  members = []
  for split, source in sources.items():
    for number in range(len(source)):
      video = source[number]
      if isinstance(video["video"], str | os.PathLike) and "start" not in video:
        # A path that both splits list is no copy: its own sentence reports it.
        paths.setdefault(os.fspath(video["video"]), split)
      elif isinstance(member := video["video"], TarMember):
        members.append(_File(split, video["id"], member.num_bytes, member))
      if len(paths) + len(members) > _MOST_FILES:
        return None

  def size(path: str) -> int:
    try:
      found = os.stat(path)
    except OSError:
      return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0

  sizes = run_in_order(size, list(paths), _THREADS, ahead=4 * _THREADS)
  found = zip(paths.items(), sizes, strict=True)
  return members + [_File(split, path, size) for (path, split), size in found if size]


def _equal_sizes(files: Sequence[_File]) -> list[list[_File]]:
  """Returns files of equal size, those of both splits first."""
  groups: dict[int, list[_File]] = {}
  for file in files:
    groups.setdefault(file.size, []).append(file)
  several = [group for group in groups.values() if len(group) > 1]
  return sorted(several, key=lambda group: len({f.split for f in group}) < 2)


def _by_digest(files: Sequence[_File], length: int | None) -> list[list[_File]]:
  """Returns files with equal content, of so many bytes; None for all."""

  def digest(file: _File) -> str:
    try:
      if file.member:
        return hashlib.sha256(file.member.read(length)).hexdigest()
      with open_regular(file.path) as opened:
        if length is None:
          return hashlib.file_digest(opened, "sha256").hexdigest()
        return hashlib.sha256(opened.read(length)).hexdigest()
    except (OSError, VideoError):
      return ""  # The run reports files that cannot be read.

  found: dict[str, list[_File]] = {}
  digests = run_in_order(digest, files, _THREADS, ahead=4 * _THREADS)
  for file, one in zip(files, digests, strict=True):
    found.setdefault(one, []).append(file)
  return [group for one, group in found.items() if one and len(group) > 1]


def _sentences(same: Sequence[Sequence[_File]], skipped: int) -> Iterator[str]:
  """Yields sentences on files that are the same."""
  across = [group for group in same if len({file.split for file in group}) > 1]
  if across:
    tested = sum(file.split == "test" for group in across for file in group)
    train = next(file for file in across[0] if file.split == "train")
    test = next(file for file in across[0] if file.split == "test")
    yield (
      f"{tested} test videos are copies of training videos, {printable(test.path)} of "
      f"{printable(train.path)} for one: the test is easier than new videos."
    )
  within = [group for group in same if len({file.split for file in group}) == 1]
  if within:
    copies = sum(len(group) - 1 for group in within)
    first = within[0]
    yield (
      f"{copies} videos are copies of another one of their split, "
      f"{printable(first[1].path)} of {printable(first[0].path)} for one."
    )
  if skipped:
    yield (
      f"{skipped} files of equal sizes are not compared, after "
      f"{_MOST_BYTES / 2**30:g} GiB."
    )
