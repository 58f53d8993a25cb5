"""Listing a user's own videos: class folders, a CSV file, or tar files."""

import array
import contextlib
import functools
import gc
import operator
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from absl import logging

from temporal_jax.data.labels import ClassNames, Label, by_task, class_order
from temporal_jax.data.listing.class_folders import read_folders
from temporal_jax.data.listing.csv_list import (
  ONE,
  SEVERAL,
  Names,
  Row,
  StoredNames,
  Table,
  read_table,
)
from temporal_jax.data.listing.divide_videos import draw_test, shared_groups
from temporal_jax.data.listing.file_names import SUFFIXES
from temporal_jax.data.listing.shard_names import names_shards
from temporal_jax.data.listing.split_names import NAMES, known_names, tested_split
from temporal_jax.data.listing.tar_shards import read_shards
from temporal_jax.data.sources import FileSource
from temporal_jax.data.video.numbered_pictures import check_pattern
from temporal_jax.data.video.readers import flow_patterns
from temporal_jax.display import printable
from temporal_jax.storage import fetch_file, is_in_bucket, refuse_bucket


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
  """Does not look for cycles meanwhile: a million rows have none."""
  enabled = gc.isenabled()
  gc.disable()
  try:
    yield
  finally:
    if enabled:
      gc.enable()


@_without_collection()
def file_sources(
  root: str | pathlib.Path,
  test_fraction: float,
  tasks: Sequence[str] = (),
  *,
  test_split: str = "",
  frames: str = "",
  flow: int = 0,
  say: Callable[[str], None] = logging.warning,
) -> dict[str, FileSource]:
  """Lists the videos of a folder, a CSV file or tar files, by split.

  A folder holds `class/video.mp4`, or `train/class/video.mp4` and
  `test/class/video.mp4`, see `class_folders`. A CSV file has a header with
  `path` and, if wanted, `split`; paths are relative to the file. Its other
  columns are one of
  - `label`: the class of the video,
  - `labels`: its classes, between semicolons; an empty cell is none of them,
  - several, each a task: `verb,noun`, with the class of the video in it.
  Of tar files see `tar_shards.read_shards`.

  Splits are called as in `split_names.NAMES`. Of val and test, val is the test,
  so that the best checkpoint is not chosen by data that are kept for later.

  Where no split is given, each class gives `test_fraction` of its videos
  to the test, chosen by a hash of their names: always the same ones. With
  several labels per video, all videos together do. A column `group` names
  videos that depend on each other, such as clips of a film: they stay
  together, see `draw_test`.

  Args:
    root: The folder or the CSV file; tar files, see `find_shards`; or a CSV
      file of absolute paths in a bucket, gs:// or s3://.
    test_fraction: Share of the videos to test, in [0, 1).
    tasks: Columns that are tasks, in the order of the labels, where the file
      has others as well; () takes all. Of tar files, fields of `.json`.
    test_split: Name of the split that is the test; "" is val, or test without
      it.
    frames: Pattern of the names of pictures, for videos that are folders, see
      `ImageFolder`; "" finds it out for each. For flow see `flow_patterns`.
    flow: Consecutive pairs of optical flow that make a frame; 0 for RGB.
    say: Called with sentences for the user: videos left out, and the use of
      each split.

  Returns:
    "train" and "test" sources with the same `class_names`, see
    `labels.class_order`; a dict with one entry per task where there are
    several. The test is empty if nothing is left for it.

  Raises:
    FileNotFoundError: If `root` does not exist.
    ValueError: If it lists no video, a column is missing, a split is unknown or
      not there, a cell is wrong, a class of `label` has no video to train on,
      or `test_fraction` or `frames` is wrong.
  """
  if not 0 <= test_fraction < 1:
    raise ValueError(f"test_fraction must be in [0, 1), got {test_fraction}.")
  table = read_listed(root, tasks, frames=frames, flow=flow)
  root = pathlib.Path(root).expanduser()
  for note in table.notes:
    say(note)
  splits = _split(root, table, test_fraction, test_split, say)
  sources = labelled_sources(table, splits, frames=frames, flow=flow)
  names = tuple(by_task(sources["train"].class_names).values())
  _check_trained(root, table, names, splits["train"], say)
  return sources


def read_listed(
  root: str | pathlib.Path,
  tasks: Sequence[str] = (),
  *,
  frames: str = "",
  flow: int = 0,
) -> Table:
  """Lists the videos of a folder, a CSV file or tar files; see `file_sources`.

  Raises:
    FileNotFoundError: If `root` does not exist.
    ValueError: If it lists no video, a column is missing, a cell is wrong, or
      `frames` is wrong.
  """
  pattern = flow_patterns(frames)[0] if flow else frames
  if pattern:
    check_pattern(pattern)
  if is_in_bucket(root):
    return _read_from_bucket(root, tasks)
  root = pathlib.Path(root).expanduser()
  if names_shards(root):
    if frames or flow:
      raise ValueError(
        f"data.frames and data.flow are for folders of pictures; data.root {root} "
        "is tar files of videos."
      )
    return read_shards(root, tasks)
  if not root.exists():
    raise FileNotFoundError(f"data.root {root} does not exist.")
  if root.is_dir() and tasks:
    raise ValueError(
      f"data.tasks {tuple(tasks)} need a CSV file with these columns; "
      f"data.root {root} is a folder."
    )
  table = read_folders(root, pattern) if root.is_dir() else read_table(root, tasks)
  if not table.rows:
    raise ValueError(_no_video(root, table))
  return table


def _read_from_bucket(address: str, tasks: Sequence[str]) -> Table:
  """Lists the videos of a CSV file of a bucket; they are on this machine.

  Raises:
    ValueError: If it is no CSV file by its name, or see `read_listed`.
  """
  if not address.lower().endswith((".csv", ".tsv", ".txt")):
    refuse_bucket(address, "a folder or a tar file of videos as data.root")
  table = read_table(fetch_file(address), tasks, is_copy=True)
  if not table.rows:
    raise ValueError(f"{address} lists no video.")
  return table


def labelled_sources(
  table: Table,
  splits: Mapping[str, Sequence[Row]],
  *,
  frames: str = "",
  flow: int = 0,
) -> dict[str, FileSource]:
  """Returns sources of rows of a list, by split, sorted by path.

  Args:
    table: The list.
    splits: Its rows by split; their classes are the classes of all sources.
    frames: See `file_sources`.
    flow: See `file_sources`.
  """
  used = [row for rows in splits.values() for row in rows]
  names = tuple(
    class_order(name for row in used for name in table.names(row.names)[column])
    for column in range(len(table.columns))
  )
  numbers = [{name: i for i, name in enumerate(known)} for known in names]
  class_names: ClassNames = names[0]
  if table.columns not in ((ONE,), (SEVERAL,)):
    class_names = dict(zip(table.columns, names, strict=True))
  if table.columns == (SEVERAL,):
    places = [numbers[0].get(name, -1) for name in table.known]
    label = functools.partial(_set_of, places)
  else:
    labels = {
      distinct: _label(table.columns, distinct, numbers)
      for distinct in {row.names for row in used}
    }
    label = labels.__getitem__
  return {
    split: FileSource(
      _Labelled(sorted(rows, key=operator.attrgetter("path")), label),
      class_names,
      multi_label=table.columns == (SEVERAL,),
      frames=frames,
      flow=flow,
      groups={row.path: row.group for row in rows if row.group},
      members=table.members,
    )
    for split, rows in splits.items()
  }


class _Labelled(Sequence[tuple[str, Label]]):
  """Paths with their labels, which are made anew: a set takes 200 bytes."""

  def __init__(self, rows: Sequence[Row], label: Callable[[StoredNames], Label]):
    self._rows, self._label = rows, label

  def __len__(self) -> int:
    return len(self._rows)

  def __getitem__(self, index: int) -> tuple[str, Label]:
    row = self._rows[index]
    return row.path, self._label(row.names)


def _set_of(numbers: Sequence[int], stored: bytes) -> Label:
  """Returns the label of stored names, of the number of each."""
  return frozenset(numbers[place] for place in array.array("I", stored))


def _no_video(root: pathlib.Path, table: Table) -> str:
  """Returns the error about a folder or a list without a video."""
  if not root.is_dir():
    return f"{root} lists no video."
  return (
    f"{root} lists no video; a folder holds class/video, a file that ends in "
    f"one of {', '.join(SUFFIXES)} or a folder of numbered pictures; or "
    f"split/class/video, with folders called as splits only: {known_names()}. "
    + " ".join(note[0].upper() + note[1:] for note in table.notes)
  ).rstrip()


def _label(
  columns: tuple[str, ...],
  names: Names,
  numbers: Sequence[Mapping[str, int]],
) -> Label:
  """Returns the label of a row of these names, of their numbers."""
  found = [
    tuple(number[name] for name in of_column)
    for number, of_column in zip(numbers, names, strict=True)
  ]
  return found[0][0] if columns == (ONE,) else sum(found, ())


def _split(
  root: pathlib.Path,
  table: Table,
  test_fraction: float,
  test_split: str,
  say: Callable[[str], None],
) -> dict[str, list[Row]]:
  """Returns the rows to train on and to test, and reports those left out."""
  given: dict[str, list[Row]] = {}
  for row in table.rows:
    given.setdefault(row.split, []).append(row)
  tested = tested_split(table.called, test_split, str(root))
  if table.called and not given.keys() & {"train", ""}:
    raise ValueError(
      f"{root} has no training video; its splits {list(table.called.values())} "
      f"have no name for training: {', '.join(NAMES['train'])}."
    )
  splits = {split: given.get(split, []) for split in ("train", tested)}
  drawn = draw_test(given.get("", []), table.columns, test_fraction)
  if table.called:
    say(_used(root, table.called, given, tested))
  splits = {
    "train": splits["train"] + drawn["train"],
    "test": splits[tested] + drawn["test"],
  }
  if shared := shared_groups(splits):
    say(f"{printable(str(root))}: {shared}")
  return splits


def _used(
  root: pathlib.Path,
  called: Mapping[str, str],
  given: Mapping[str, Sequence[Row]],
  tested: str,
) -> str:
  """Returns a sentence about the use of each split."""
  uses = {"train": "trained on", tested: "tested"}
  parts = [
    f"{len(given.get(split, []))} videos of {name!r} are {uses.get(split, 'left out')}"
    for split, name in called.items()
  ]
  if "" in given:
    parts.append(f"{len(given[''])} without a split are divided by data.test_fraction")
  if called.keys() - uses:
    parts.append("data.test_split chooses another one to test")
  return f"splits of {printable(str(root))}: {'; '.join(parts)}."


def _check_trained(
  root: pathlib.Path,
  table: Table,
  names: Names,
  trained: list[Row],
  say: Callable[[str], None],
) -> None:
  """Reports classes that no training video has.

  Raises:
    ValueError: If videos have one class each.
  """
  for place, column in enumerate(table.columns):
    seen = {name for row in trained for name in table.names(row.names)[place]}
    untrained = [name for name in names[place] if name not in seen]
    if untrained and column == ONE:
      raise ValueError(
        f"{root} has no training video for the classes {untrained}, "
        "only videos to test."
      )
    if untrained:  # EPIC-Kitchens tests nouns that it does not train.
      say(f"no training video: {column} {untrained}.")
