"""A folder of class folders, maybe of each split, as a table of videos."""

import os
import pathlib
from collections import Counter
from collections.abc import Sequence

from temporal_jax.data.listing.csv_list import ONE, Row, Table
from temporal_jax.data.listing.file_names import suffix
from temporal_jax.data.listing.scan_folder import Folder, count_by_suffix, read_folder
from temporal_jax.data.listing.split_names import known_names, split_of
from temporal_jax.data.video.numbered_pictures import number_form
from temporal_jax.display import printable

_NAMED = 5  # Things that a message lists, at most.


def read_folders(root: pathlib.Path, frames: str = "") -> Table:
  """Lists root/class/video, or root/split/class/video; links are followed.

  A video is a file or a folder of numbered pictures. Folders are splits only
  where all of them have names of splits (`split_names.NAMES`, in capitals or
  not) and class folders inside, so that classes may be called train or test.

  Args:
    root: The folder.
    frames: Pattern of the names of pictures, for videos that are folders, see
      `ImageFolder`; "" takes any folder of numbered pictures.

  Returns:
    The videos; `notes` has a sentence about the entries left out.

  Raises:
    ValueError: If a folder cannot be read, two have the same split, or one of
      several splits has videos but no class folders.
  """
  listing = _Listing(root, frames)
  top = read_folder(root)
  called = _find_splits(root, top, frames)
  if not called:
    listing.add(pathlib.PurePath(), "", top)
  else:
    listing.others.update(map(suffix, top.others))
    listing.above += len(top.videos)
    for split, name in called.items():
      inside = read_folder(root / name)
      listing.add(pathlib.PurePath(name), split, inside)
  return Table((ONE,), listing.rows, called, listing.notes())


class _Listing:
  """Videos of class folders, and other files.

  Attributes:
    rows: The videos.
    others: Number of files that are no videos, by suffix.
    above: Videos outside of any class folder.
  """

  def __init__(self, root: pathlib.Path, frames: str):
    self.rows: list[Row] = []
    self.others: Counter[str] = Counter()
    self.above = 0
    self._root, self._frames = root, frames
    self._empty: list[str] = []  # Class folders without a video.
    self._below: list[str] = []  # Videos too deep in class folders.

  def add(self, place: pathlib.PurePath, split: str, top: Folder) -> None:
    """Adds the class folders at a place, which is of a split or of none."""
    self.others.update(map(suffix, top.others))
    self.above += len(top.videos)
    for name in top.folders:
      inside = read_folder(self._root / place / name)
      self.others.update(map(suffix, inside.others))
      videos = list(inside.videos)
      for inner in inside.folders:
        path = place / name / inner
        below = read_folder(self._root / path)
        if _is_frames(self._root / path, below, self._frames):
          videos.append(inner)
        else:
          self._below += [(path / video).as_posix() for video in below.videos]
      if not videos:
        self._empty.append((place / name).as_posix())
      self.rows += [
        Row(str(self._root / place / name / video), ((name,),), split)
        for video in sorted(videos)
      ]

  def notes(self) -> tuple[str, ...]:
    """Returns a sentence on files left out, if there are any."""
    parts = []
    if self.others:
      named = {name or "without suffix": n for name, n in self.others.items()}
      parts.append(f"files that are no videos: {count_by_suffix(named)}")
    if self.above:
      parts.append(f"{self.above} videos outside of class folders")
    if self._below:
      parts.append(
        f"{len(self._below)} videos deeper than class/video ({_listed(self._below)})"
      )
    if self._empty:
      parts.append(
        f"{len(self._empty)} class folders without a video directly inside "
        f"({_listed(self._empty)})"
      )
    if not parts:
      return ()
    return (f"left out of {printable(str(self._root))}: {'; '.join(parts)}.",)


def _find_splits(root: pathlib.Path, top: Folder, frames: str) -> dict[str, str]:
  """Returns the folders that are splits by their split; none of classes.

  Raises:
    ValueError: See `read_folders`.
  """
  if not top.folders or not all(map(split_of, top.folders)):
    return {}
  inside = {name: read_folder(root / name) for name in top.folders}
  with_classes = [
    name for name in top.folders if _has_classes(root / name, inside[name], frames)
  ]
  if not with_classes:
    return {}
  flat = [
    name
    for name in top.folders
    if name not in with_classes and (inside[name].videos or inside[name].folders)
  ]
  if "validation" in map(split_of, with_classes):
    # A test whose labels are not published: it is left out.
    flat = [name for name in flat if split_of(name) != "test"]
  if flat:
    raise ValueError(
      f"{_in_root(root, with_classes)} hold class folders, but "
      f"{_in_root(root, flat)} do not: their videos have no class."
    )
  called: dict[str, str] = {}
  for name in top.folders:
    other = called.setdefault(split_of(name), name)
    if other != name:
      raise ValueError(
        f"{_in_root(root, [other, name])} are the same split; names of one "
        f"split are: {known_names()}."
      )
  return called


def _has_classes(path: pathlib.Path, folder: Folder, frames: str) -> bool:
  """Whether a folder holds class folders, not only videos as frames."""
  return any(
    not _is_frames(path / name, read_folder(path / name), frames)
    for name in folder.folders
  )


def _is_frames(path: pathlib.Path, folder: Folder, frames: str) -> bool:
  """Whether a folder is a video, made of pictures that are called `frames`."""
  if not frames:
    return folder.is_frames
  inner, pattern = os.path.split(frames)
  if inner:
    if not (path / inner).is_dir():
      return False
    folder = read_folder(path / inner)
  return any(map(number_form(pattern).fullmatch, folder.others))


def _in_root(root: pathlib.Path, names: Sequence[str]) -> str:
  return " and ".join(printable(os.path.join(root, name)) for name in names)


def _listed(names: Sequence[str]) -> str:
  """Returns the first of some names."""
  words = ", ".join(map(printable, names[:_NAMED]))
  return words + (", ..." if len(names) > _NAMED else "")
