"""Lists videos, folders of frames and other files in folders."""

import os
import pathlib
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple

from temporal_jax.data.listing.file_names import is_hidden, is_video, suffix
from temporal_jax.data.video.numbered_pictures import are_frames
from temporal_jax.data.video.pictures import reason
from temporal_jax.display import printable


class Folder(NamedTuple):
  """Entries of one folder; hidden names are left out.

  Attributes:
    videos: Names of video files, sorted.
    folders: Names of folders and of links to folders, sorted.
    others: Names of other files, sorted.
  """

  videos: list[str]
  folders: list[str]
  others: list[str]

  @property
  def is_frames(self) -> bool:
    """Whether it is a video itself: numbered pictures and nothing to enter."""
    return not self.videos and not self.folders and are_frames(self.others)


class Listing(NamedTuple):
  """The videos under a folder; paths go from it and are sorted.

  Attributes:
    files: Video files.
    frame_folders: Folders of numbered pictures, each a video; "." is the folder
      itself.
    others: Number of other files, by suffix ("none" without one).
  """

  files: list[str]
  frame_folders: list[str]
  others: dict[str, int]

  @property
  def videos(self) -> list[str]:
    """Files and folders of frames."""
    return sorted(self.files + self.frame_folders)


def read_folder(path: str | os.PathLike) -> Folder:
  """Lists a folder.

  Raises:
    ValueError: If it cannot be read.
  """
  videos, folders, others = [], [], []
  try:
    with os.scandir(path) as entries:
      for entry in entries:
        if is_hidden(entry.name):
          continue
        if _is_folder(entry):
          folders.append(entry.name)
        else:
          (videos if is_video(entry.name) else others).append(entry.name)
  except OSError as error:
    raise ValueError(f"the folder {path}: {reason(error)}.") from error
  return Folder(sorted(videos), sorted(folders), sorted(others))


def walk(root: str | os.PathLike) -> Iterator[tuple[str, Folder]]:
  """Yields all folders under `root`, and itself, with their paths from it.

  Links to folders are followed. A folder to which several paths lead, as in a
  loop of links, comes once: by its own path where it is under `root`, otherwise
  by the first link.

  Raises:
    ValueError: If a folder cannot be read.
  """
  waiting, links = [""], deque()
  seen: set[tuple[int, int]] = set()
  while waiting or links:
    path = waiting.pop() if waiting else links.popleft()
    try:
      status = os.stat(os.path.join(root, path))
    except OSError as error:
      raise ValueError(f"the folder {path}: {reason(error)}.") from error
    identity = status.st_dev, status.st_ino
    if identity in seen:
      continue
    seen.add(identity)
    folder = read_folder(os.path.join(root, path))
    yield path, folder
    inner = [os.path.join(path, name) for name in folder.folders]
    linked = [os.path.islink(os.path.join(root, name)) for name in inner]
    links += [name for name, link in zip(inner, linked, strict=True) if link]
    waiting += [name for name, link in zip(inner, linked, strict=True) if not link][
      ::-1
    ]


def list_videos(root: str | os.PathLike) -> Listing:
  """Lists the videos under a folder at any depth, see `walk`.

  Raises:
    FileNotFoundError: If `root` is no folder.
    ValueError: If a folder in it cannot be read.
  """
  if not os.path.isdir(root):
    raise FileNotFoundError(f"{root} is no folder.")
  files, frame_folders, others = [], [], Counter()
  for path, folder in walk(root):
    if folder.is_frames:
      frame_folders.append(pathlib.PurePath(path or ".").as_posix())
      continue
    inside = pathlib.PurePath(path)
    files += [(inside / name).as_posix() for name in folder.videos]
    others.update(suffix(name) or "none" for name in folder.others)
  return Listing(sorted(files), sorted(frame_folders), dict(others))


def count_by_suffix(others: dict[str, int]) -> str:
  """Returns the number of files of each suffix, in words."""
  ordered = sorted(others.items(), key=lambda item: (-item[1], item[0]))
  return ", ".join(f"{count} {printable(name)}" for name, count in ordered)


def _is_folder(entry: os.DirEntry) -> bool:
  """Whether a name is a folder or a link to one."""
  try:
    return entry.is_dir()
  except OSError:  # A link in a loop of links.
    return False
