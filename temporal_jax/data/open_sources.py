"""Opens the training and test videos that a config names."""

import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence

from absl import logging

from temporal_jax.data import datasets
from temporal_jax.data.annotations import AnnotatedSource, open_annotations
from temporal_jax.data.listing.find_videos import file_sources
from temporal_jax.data.sources import DatasetSource, Source
from temporal_jax.data.video.numbered_pictures import check_pattern
from temporal_jax.data.video.readers import with_pattern
from temporal_jax.storage import refuse_bucket


def open_sources(
  *,
  name: str,
  root: str,
  data_dir: str,
  splits: Mapping[str, str],
  test_fraction: float,
  tasks: Sequence[str] = (),
  annotations: str = "",
  videos: str = "",
  frames: str = "",
  flow: int = 0,
  say: Callable[[str], None] = logging.warning,
) -> dict[str, Source]:
  """Opens the training and the test videos.

  Args:
    name: A data set of `datasets.DATASETS`, one that `temporal-jax data build`
      has built in `data_dir`, or "".
    root: A folder, tar files or a CSV file of a user's own videos, see
      `file_sources`, or "".
    data_dir: Folder of the prepared data sets.
    splits: Names of "train" and "test" in the data set `name`, "" for just
      that. Of `root`, "test" may name the split that is the test, see
      `find_videos.file_sources`.
    test_fraction: Share of `root` that is kept for the test.
    tasks: Columns of the CSV file `root` that hold a video's labels, see
      `find_videos.file_sources`; () takes those of its header.
    annotations: A name of `annotations.DATA_SETS`, if `root` is the folder of
      its files as downloaded, or "".
    videos: The folder that the paths of `annotations` begin in; "" is `root`.
    frames: Pattern of the names of pictures, for videos that are folders, see
      `ImageFolder`: "img_*.jpg"; "" finds it out for each. For flow see
      `readers.flow_patterns`.
    flow: Consecutive pairs of optical flow that make a frame, of videos that
      are folders, see `FlowFolder`; 0 for RGB.
    say: Called with remarks on `root` for the user, one sentence each.

  Returns:
    "train" and "test" sources.

  Raises:
    ValueError: If not exactly one of `name` and `root` is given, if it
      holds no videos, or `tasks` or `flow` are given for a `name`.
    FileNotFoundError: If `root` does not exist.
  """
  if bool(name) == bool(root):
    raise ValueError(
      "give either data.name, a data set, or data.root, a folder, tar files or a "
      f"CSV file; got {name!r} and {root!r}."
    )
  if videos and not annotations:
    raise ValueError(
      f"data.videos {videos} is for data.annotations, which is not given."
    )
  for setting, place in (("data.videos", videos), ("data.data_dir", data_dir)):
    refuse_bucket(place, setting)
  if annotations:
    refuse_bucket(root, f"data.root of data.annotations {annotations}")
    return _annotated(
      name, root, annotations, videos or root, tuple(tasks), frames, flow, say
    )
  if root:
    return file_sources(
      root,
      test_fraction,
      tasks,
      test_split=splits["test"],
      frames=frames,
      flow=flow,
      say=say,
    )
  if flow:
    raise ValueError(
      f"data.flow {flow} is for folders of pictures, data.root; the data set "
      f"{name} holds video files."
    )
  if tasks:
    raise ValueError(
      f"data.tasks {tuple(tasks)} are columns of a CSV file, data.root; the "
      f"data set {name} has labels of its own."
    )
  splits = {role: split or role for role, split in splits.items()}
  folder = pathlib.Path(data_dir).expanduser() / name
  if name not in datasets.DATASETS and folder.is_dir():
    return _prepared(folder, splits)
  return {role: DatasetSource(name, split, data_dir) for role, split in splits.items()}


def _prepared(folder: pathlib.Path, splits: Mapping[str, str]) -> dict[str, Source]:
  """Opens a data set that `datasets.annotated` has built."""
  # TFDS takes seconds to import.
  from temporal_jax.data.datasets.annotated import PreparedSource

  return {role: PreparedSource(folder, split) for role, split in splits.items()}


def _annotated(
  name: str,
  root: str,
  annotations: str,
  videos: str,
  tasks: tuple[str, ...],
  frames: str,
  flow: int,
  say: Callable[[str], None],
) -> dict[str, Source]:
  """Opens a data set by its annotation files."""
  if name:
    raise ValueError(
      f"data.annotations {annotations} are in data.root; data.name {name} is "
      "another data set."
    )
  found = open_annotations(annotations, root)
  if found.note:
    say(f"{found.note}.")
  names = found.class_names
  own = tuple(names) if isinstance(names, dict) else ()
  if tasks not in ((), own):
    raise ValueError(f"the tasks of {annotations} are {own}, got {tasks}.")
  if frames and not flow:
    check_pattern(frames)
  as_video = functools.partial(with_pattern, pattern=frames, flow=flow)
  return {
    split: AnnotatedSource(found, split, videos, as_video=as_video)
    for split in ("train", "test")
  }
