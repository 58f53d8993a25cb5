"""Tar files of videos and labels, in the order of WebDataset, as a table.

A sample is the files of one name up to its first dot, the key: `a/1.mp4` and
`a/1.cls` belong to the key `a/1`.
"""

import os
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from temporal_jax.data.listing.csv_list import (
  GROUP,
  ONE,
  SEVERAL,
  Names,
  Row,
  Table,
  numbered,
)
from temporal_jax.data.listing.file_names import SUFFIXES, is_hidden
from temporal_jax.data.listing.regular_files import open_regular
from temporal_jax.data.listing.shard_names import find_shards
from temporal_jax.data.listing.split_names import known_names, split_of
from temporal_jax.data.listing.tar_headers import Entry, read_entries
from temporal_jax.data.video.pictures import VideoError, reason
from temporal_jax.data.video.tar_member import Shard, TarMember
from temporal_jax.display import printable
from temporal_jax.untrusted.json_text import parse_json

_CLASS, _JSON, _TEXT = "cls", "json", "txt"  # Suffixes of labels.
_MAX_LABEL = 2**20  # Bytes.
_WORD = re.compile(r"[A-Za-z]+")
# All but the breaks of lines, which are counted.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]")


class _Sample(NamedTuple):
  """Files of one key in a shard.

  Attributes:
    where: The shard and the key, for messages.
    videos: Videos by name.
    labels: Content of the files that may hold the label, by suffix.
  """

  where: str
  videos: dict[str, TarMember]
  labels: dict[str, bytes]


class _Kind(NamedTuple):
  """Place of the labels in a sample: a suffix, and fields of its JSON."""

  suffix: str
  columns: tuple[str, ...]


def read_shards(root: pathlib.Path, tasks: Sequence[str] = ()) -> Table:
  """Lists the videos of tar files by their headers and labels.

  A sample has one video and its label: `.cls`, a class; otherwise `.json`, an
  object with `label`, a class, or `labels`, a list of them; otherwise `.txt`, a
  class. The first sample decides on which of these for all. A class is a name
  or a whole number; so is `group` in `.json`, see `file_sources`. A shard whose
  name begins with the name of a split, `train-000.tar`, belongs to it; where
  none does, and shards are in several folders, their folders may have such
  names.

  Args:
    root: See `shard_names.find_shards`.
    tasks: Fields of `.json` that hold the label, each a task; () for none.

  Returns:
    The videos, called `SHARD.tar/KEY.mp4`; `members` has their places.

  Raises:
    FileNotFoundError: See `find_shards`.
    ValueError: If a shard cannot be read to its end, holds anything else than
      files and folders or a file twice; a sample has several videos, or no
      label as the first has it; only some shards are of a split; or there is no
      video.
  """
  shards = find_shards(root)
  splits = _splits(root, shards)
  kind, numbers = None, {}
  rows, members, without_video = [], {}, 0
  for path in shards:
    split = splits.get(path)
    for sample in _read_samples(path):
      if not sample.videos:
        without_video += 1
        continue
      kind = kind or _find_kind(sample, tuple(tasks))
      names = _names(sample, kind)
      stored = numbered(names[0], numbers) if kind.columns == (SEVERAL,) else names
      ((name, member),) = sample.videos.items()
      place = os.path.join(path, name)
      rows.append(Row(place, stored, split_of(split or "") or "", _group(sample, kind)))
      members[rows[-1].path] = member
  if not rows:
    raise ValueError(
      f"{root} holds no video in its {len(shards)} tar files; a video's name ends in "
      f"one of {', '.join(SUFFIXES)}."
    )
  notes = []
  if without_video:
    notes.append(
      f"left out of {printable(str(root))}: {without_video} keys without a video."
    )
  columns = kind.columns if kind else (ONE,)
  called = {split_of(name): name for name in sorted(set(splits.values()))}
  return Table(columns, rows, called, tuple(notes), tuple(numbers), members)


def _splits(root: pathlib.Path, shards: Sequence[str]) -> Mapping[str, str]:
  """Returns the name of each shard's split; {} if shards have none.

  Raises:
    ValueError: If only some have one.
  """
  found = {}
  folders = {os.path.dirname(path) for path in shards}
  for path in shards:
    word = _WORD.match(os.path.basename(path))
    folder = os.path.basename(os.path.dirname(path)) if len(folders) > 1 else ""
    for name in (word[0] if word else "", folder):
      if split_of(name):
        found.setdefault(path, name)
  if found and len(found) < len(shards):
    other = next(path for path in shards if path not in found)
    raise ValueError(
      f"{root}: the shard {next(iter(found))} is of a split by its name, and {other} "
      f"of none; all names begin with one of {known_names()}, or none does."
    )
  return found


def _read_samples(path: str) -> Iterator[_Sample]:
  """Yields the samples of a shard in the order of their first files.

  Raises:
    ValueError: See `read_shards`.
  """
  try:
    with open_regular(path) as file:
      status = os.fstat(file.fileno())
      shard = Shard(path, status.st_size, status.st_mtime_ns)
      by_key: dict[str, dict[str, Entry]] = {}
      for entry in read_entries(file):
        key, suffix = _key(entry.name)
        if not suffix:
          continue
        sample = by_key.setdefault(key, {})
        if suffix in sample:
          raise VideoError(
            f"the key {printable(key)!r} is there twice, with the files "
            f"{printable(sample[suffix].name)!r} and {printable(entry.name)!r}"
          )
        sample[suffix] = entry
      for key, entries in by_key.items():
        videos = {
          entry.name: TarMember(shard, entry.offset, entry.num_bytes)
          for suffix, entry in entries.items()
          if f".{suffix.rpartition('.')[2]}" in SUFFIXES
        }
        if len(videos) > 1:
          raise VideoError(
            f"the key {printable(key)!r}, the name up to its first dot, has "
            f"{len(videos)} videos, {' and '.join(map(repr, map(printable, videos)))}; "
            "a sample has one"
          )
        labels = {}
        for suffix in (_CLASS, _JSON, _TEXT):
          if videos and suffix in entries:
            file.seek(entries[suffix].offset)
            labels[suffix] = file.read(min(entries[suffix].num_bytes, _MAX_LABEL + 1))
        yield _Sample(f"{path}, key {printable(key)!r}", videos, labels)
  except VideoError as error:
    raise ValueError(f"the shard {path}: {error}.") from error
  except OSError as error:
    raise ValueError(f"the shard {path}: {reason(error)}.") from error


def _key(name: str) -> tuple[str, str]:
  """Returns a member's key and suffix, "" where it belongs to no sample."""
  folder, slash, base = name.rpartition("/")
  stem, _, suffix = base.partition(".")
  is_note = base.startswith("__") and base.endswith("__")  # On the whole shard.
  if is_hidden(base) or is_note:
    return name, ""
  return folder + slash + stem, suffix.lower()


def _find_kind(sample: _Sample, tasks: tuple[str, ...]) -> _Kind:
  """Returns the place of the label of the first sample, see `read_shards`."""
  if tasks:
    return _Kind(_JSON, tasks)
  if _CLASS in sample.labels:
    return _Kind(_CLASS, (ONE,))
  if _JSON in sample.labels:
    fields = _fields(sample)
    for column in (ONE, SEVERAL):
      if column in fields:
        return _Kind(_JSON, (column,))
  if _TEXT in sample.labels:
    return _Kind(_TEXT, (ONE,))
  if _JSON in sample.labels:
    raise ValueError(
      f"{sample.where}: .json has none of the fields {ONE} and {SEVERAL}, only "
      f"{[*fields]}; data.tasks names others, each a task."
    )
  raise ValueError(
    f"{sample.where} has a video and no label; it is in a file .{_CLASS}, .{_JSON} or "
    f".{_TEXT} of the same key."
  )


def _names(sample: _Sample, kind: _Kind) -> Names:
  """Returns the names of a sample's classes in each column.

  Raises:
    ValueError: If they are not where `kind` has them, or no names.
  """
  if kind.suffix not in sample.labels:
    raise ValueError(
      f"{sample.where} has a video and no label: a file .{kind.suffix}, as the first "
      "sample has."
    )
  if kind.suffix != _JSON:
    text = _text(sample, kind.suffix).strip()
    _check_is_text(sample, f".{kind.suffix}", text)
    if not text or len(text.splitlines()) > 1:
      raise ValueError(
        f"{sample.where}: .{kind.suffix} must hold one line, the class; it has "
        f"{len(text.splitlines())}."
      )
    return ((text,),)
  fields = _fields(sample)
  lacking = [column for column in kind.columns if column not in fields]
  if lacking:
    raise ValueError(
      f"{sample.where}: .json lacks the fields {lacking} of the label, it has "
      f"{[*fields]}."
    )
  if kind.columns != (SEVERAL,):
    return tuple((_name(sample, c, fields[c]),) for c in kind.columns)
  value = fields[SEVERAL]
  if not isinstance(value, list):
    raise ValueError(
      f"{sample.where}: {SEVERAL} must be a list of classes, got {value!r:.60}."
    )
  names = tuple(_name(sample, SEVERAL, one) for one in value)
  if len(set(names)) < len(names):
    raise ValueError(f"{sample.where}: {SEVERAL} holds a class twice: {value!r:.60}.")
  return (names,)


def _group(sample: _Sample, kind: _Kind) -> str:
  """Returns the group of a sample whose label is in JSON; "" for none."""
  if kind.suffix != _JSON or GROUP in kind.columns:
    return ""
  value = _fields(sample).get(GROUP)
  return "" if value is None else _name(sample, GROUP, value)


def _name(sample: _Sample, field: str, value: Any) -> str:
  """Returns the name of a class in JSON: text, or a whole number."""
  is_number = isinstance(value, int) and not isinstance(value, bool)
  name = str(value).strip() if is_number or isinstance(value, str) else ""
  if not name:
    raise ValueError(
      f"{sample.where}: {field} must be a name or a whole number, got {value!r:.60}."
    )
  _check_is_text(sample, field, name)
  return name


def _check_is_text(sample: _Sample, place: str, name: str) -> None:
  """Raises ValueError at bytes of a binary number, which would be a class."""
  if found := _CONTROL.search(name):
    raise ValueError(
      f"{sample.where}: {place} must be text, and holds the control character "
      f"{found[0]!r}."
    )


def _fields(sample: _Sample) -> Mapping[str, Any]:
  """Returns the object in a sample's .json."""
  value = parse_json(_text(sample, _JSON), f"{sample.where}: .json")
  if not isinstance(value, dict):
    raise ValueError(f"{sample.where}: .json must be an object, got {value!r:.60}.")
  return value


def _text(sample: _Sample, suffix: str) -> str:
  content = sample.labels[suffix]
  if len(content) > _MAX_LABEL:
    raise ValueError(
      f"{sample.where}: .{suffix} has over {_MAX_LABEL:,} bytes; a label has fewer."
    )
  try:
    return content.decode("utf-8-sig")
  except UnicodeDecodeError:
    raise ValueError(f"{sample.where}: .{suffix} is not UTF-8.") from None
