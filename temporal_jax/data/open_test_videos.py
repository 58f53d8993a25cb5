"""Opens the labelled videos that a trained network is tested on."""

import functools
import pathlib
from collections.abc import Callable, Sequence

from absl import logging

from temporal_jax.data import datasets
from temporal_jax.data.annotations import AnnotatedSource, open_annotations
from temporal_jax.data.listing.csv_list import Row, Table
from temporal_jax.data.listing.divide_videos import draw_test
from temporal_jax.data.listing.find_videos import (
  labelled_sources,
  read_listed,
)
from temporal_jax.data.listing.shard_names import names_shards
from temporal_jax.data.listing.split_names import split_of
from temporal_jax.data.sources import DatasetSource, Source
from temporal_jax.data.video.readers import with_pattern
from temporal_jax.lookup import did_you_mean
from temporal_jax.storage import is_in_bucket, refuse_bucket

ALL = "all"  # Every video of a list, whatever its split.


def open_test_videos(
  where: str,
  *,
  split: str = "",
  annotations: str = "",
  videos: str = "",
  tasks: Sequence[str] = (),
  frames: str = "",
  flow: int = 0,
  data_dir: str = "data",
  test_fraction: float = 0.2,
  trained: str = "",
  say: Callable[[str], None] = logging.warning,
) -> Source:
  """Opens the videos of one split; no other split needs to be there.

  Args:
    where: A folder of classes, a CSV file, tar files, a folder of published
      `annotations`, a prepared data set, or the name of one in `data_dir`.
    split: Its name. "" is the test, where there is none the validation; of a
      list without splits every video, or the test that a run divides off where
      the rest is the list `trained`. Of a list `ALL` is every video.
    annotations: A name of `annotations.DATA_SETS`; "" for other data.
    videos: The folder that the paths of `annotations` begin in; "" is `where`.
    tasks: Columns of a CSV file that are tasks, see `file_sources`.
    frames: Names of pictures, for videos that are folders, see `file_sources`.
    flow: Consecutive pairs of optical flow that make a frame; 0 for RGB.
    data_dir: Folder of the prepared data sets.
    test_fraction: Share of a list without splits that a run tests.
    trained: Fingerprint of the list that the network was trained on, if known.
    say: Called with remarks for the user, one sentence each.

  Raises:
    FileNotFoundError: If there is nothing of this name.
    ValueError: If the split is not there, `test_fraction` is not in [0, 1), or
      arguments do not fit the kind of data.
  """
  if not 0 <= test_fraction < 1:
    raise ValueError(f"test_fraction must be in [0, 1), got {test_fraction}.")
  if videos and not annotations:
    raise ValueError(f"videos {videos} are for annotations, which are not given.")
  path = pathlib.Path(where).expanduser()
  if annotations or videos:
    refuse_bucket(where, "the folder of annotations")
    refuse_bucket(videos, "the folder of videos")
  if annotations:
    found = open_annotations(annotations, where)
    as_video = functools.partial(with_pattern, pattern=frames, flow=flow)
    return AnnotatedSource(found, split or "test", videos or where, as_video=as_video)
  built = pathlib.Path(data_dir, where)  # By its name.
  named = not path.exists() and (where in datasets.DATASETS or _is_prepared(built))
  if named or _is_prepared(path):
    return _prepared(built if named else path, split or "test")
  is_there = is_in_bucket(where) or names_shards(path) or path.exists()
  if not is_there:
    hint = did_you_mean(where, datasets.DATASETS) or "."
    raise FileNotFoundError(f"there is no folder, list or data set {where}{hint}")
  table = read_listed(where, tasks, frames=frames, flow=flow)
  for note in table.notes:
    say(note)
  rows = _rows(path, table, split, test_fraction, trained, say)
  if not rows:
    raise ValueError(f"test_fraction {test_fraction:g} leaves no video of {where}.")
  return labelled_sources(table, {"": rows}, frames=frames, flow=flow)[""]


def _is_prepared(folder: pathlib.Path) -> bool:
  """Whether a folder holds versions of a prepared data set."""
  return any(folder.glob("*/dataset_info.json"))


def _prepared(folder: pathlib.Path, split: str) -> Source:
  """Opens a prepared data set; `camera_motion` is built where it is missing."""
  if folder.name in datasets.DATASETS:
    return DatasetSource(folder.name, split, folder.parent)
  # TFDS takes seconds to import.
  from temporal_jax.data.datasets.annotated import PreparedSource

  return PreparedSource(folder, split)


def _rows(
  root: pathlib.Path,
  table: Table,
  split: str,
  test_fraction: float,
  trained: str,
  say: Callable[[str], None],
) -> list[Row]:
  """Returns the rows of a split of a list, see `open_test_videos`."""
  if split == ALL:
    return table.rows
  given: dict[str, list[Row]] = {}
  for row in table.rows:
    given.setdefault(row.split, []).append(row)
  drawn = draw_test(given.get("", []), table.columns, test_fraction)
  if not split and not table.called:
    rest = labelled_sources(table, {"": drawn["train"]})[""]
    if rest.fingerprint() != trained:
      return table.rows
    say(
      f"the network was trained on {len(rest)} videos of {root}: only the "
      f"{len(drawn['test'])} of the run's test are scored; --split {ALL} takes both."
    )
    return drawn["test"]
  known = dict(table.called)
  if "" in given:
    known = {part: part for part in drawn} | known
  if split:
    wanted = split_of(split)
  else:
    wanted = next((one for one in ("test", "validation") if one in known), None)
  if wanted not in known:
    missing = f"split {split!r}" if split else "split to test"
    raise ValueError(
      f"{root} has no {missing}, only {[*known.values()]}; --split {ALL} takes every "
      "video."
    )
  return given.get(wanted, []) + drawn["train" if wanted == "train" else "test"]
