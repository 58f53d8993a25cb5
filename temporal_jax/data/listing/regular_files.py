"""Opens regular files and refuses devices, pipes and folders."""

import os
import re
import stat
from typing import BinaryIO

from temporal_jax.data.video.pictures import VideoError

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
# Kinds of paths that are no files, by the test for it.
_SPECIAL = (
  (stat.S_ISDIR, "a folder"),
  (stat.S_ISFIFO, "a pipe"),
  (stat.S_ISSOCK, "a socket"),
  (stat.S_ISCHR, "a device"),
  (stat.S_ISBLK, "a device"),
)
# O_NONBLOCK: a file that has become a pipe meanwhile does not wait for a
# writer. Windows has none of these, but needs O_BINARY.
_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"):
  _FLAGS |= getattr(os, _name, 0)


def open_regular(path: str | os.PathLike) -> BinaryIO:
  """Opens a file for reading; links to files count as files.

  Args:
    path: The file. It may have any characters: "12:30.mp4", "concat:a.mp4".

  Raises:
    VideoError: If it is an address, or something else than a file, which then
      is not opened.
    OSError: If it is missing or cannot be opened.
  """
  path = os.fsdecode(path)
  if "\0" in path:
    raise VideoError("the path holds a zero byte")
  try:
    check_regular(os.stat(path))
    descriptor = os.open(path, _FLAGS)
  except FileNotFoundError:
    check_no_address(path)
    raise
  try:
    check_regular(os.fstat(descriptor))
    return open(descriptor, "rb")
  except BaseException:
    os.close(descriptor)
    raise


def check_no_address(path: str) -> None:
  """Raises VideoError if a path is an address, "https://..." or such."""
  address = _ADDRESS.match(path)
  if address:
    raise VideoError(
      f"{address[0]} is an address, and only files are read; download the video first"
    )


def check_regular(status: os.stat_result) -> None:
  """Raises VideoError if a status is not of a file."""
  mode = status.st_mode
  if not stat.S_ISREG(mode):
    kinds = (name for is_kind, name in _SPECIAL if is_kind(mode))
    raise VideoError(
      f"the path names {next(kinds, 'something else')}, and no regular file"
    )
