"""Finds out if a video, a file or a folder of pictures, has changed."""

import hashlib
import os
import pathlib
import stat
from typing import NamedTuple

from temporal_jax.data.listing.regular_files import check_regular, open_regular
from temporal_jax.data.listing.scan_folder import read_folder


class Stamp(NamedTuple):
  """A video's size and time of change.

  Attributes:
    num_bytes: Size of the file, or of all files in the folder.
    mtime_ns: Time of the last change of the file, or of the last of several, in
      ns.
  """

  num_bytes: int
  mtime_ns: int


def read_stamp(video: str | os.PathLike) -> Stamp:
  """Returns the stamp of a video.

  Raises:
    OSError: If it is not there.
    VideoError: If it is a device, a pipe or a socket.
  """
  status = os.stat(video)
  if stat.S_ISDIR(status.st_mode):
    found = [os.stat(file) for file in _files(video)]
    return Stamp(
      sum(status.st_size for status in found),
      max((status.st_mtime_ns for status in found), default=0),
    )
  check_regular(status)
  return Stamp(status.st_size, status.st_mtime_ns)


def digest(video: str | os.PathLike) -> str:
  """Returns the SHA-256 of a file, or of a folder's files one after the other.

  Raises:
    OSError: If one cannot be read.
  """
  sha256 = hashlib.sha256()
  for file in _files(video) if os.path.isdir(video) else [video]:
    with open_regular(file) as opened:
      hashlib.file_digest(opened, lambda: sha256)
  return sha256.hexdigest()


def _files(folder: str | os.PathLike) -> list[pathlib.Path]:
  return [pathlib.Path(folder, name) for name in read_folder(folder).others]
