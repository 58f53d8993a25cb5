"""Finds the numbered pictures of frames in a folder."""

import os
import re
from collections.abc import Iterable

from temporal_jax.data.listing.file_names import is_hidden, suffix
from temporal_jax.data.video.pictures import VideoError, reason

# Decoders of FFmpeg, by the ending of the file's name.
DECODERS = {
  ".bmp": "bmp",
  ".jpeg": "mjpeg",
  ".jpg": "mjpeg",
  ".png": "png",
  ".webp": "webp",
}
# The last number of a name is the frame's: "cam2_frame0001_left".
_LAST_NUMBER = re.compile(r"(.*?)([0-9]+)([^0-9]*)", re.DOTALL)
_NAMED = 5  # Patterns that a message lists, at most.


def numbers_by_pattern(names: Iterable[str]) -> dict[str, list[int]]:
  """Returns the numbers of pictures by the pattern of their names.

  Args:
    names: Names of files; those that are no pictures, are hidden or have no
      number are left out.

  Returns:
    Numbers in the order of the names, by pattern with * for the number:
    "img_*.jpg", "*.png".
  """
  found: dict[str, list[int]] = {}
  for pattern, number in filter(None, map(_read, names)):
    found.setdefault(pattern, []).append(number)
  return found


def are_frames(names: Iterable[str]) -> bool:
  """Whether at least two names are numbered pictures of one pattern."""
  seen: set[str] = set()
  for pattern, _ in filter(None, map(_read, names)):
    if pattern in seen:
      return True
    seen.add(pattern)
  return False


def _read(name: str) -> tuple[str, int] | None:
  """Returns pattern and number of a picture, None of any other file."""
  if suffix(name) not in DECODERS or is_hidden(name) or "*" in name:
    return None
  stem, ending = os.path.splitext(name)
  match = _LAST_NUMBER.fullmatch(stem)
  if match is None:
    return None
  return f"{match[1]}*{match[3]}{ending}", int(match[2])


def find_pattern(folder: str | os.PathLike) -> str:
  """Returns the pattern of the names of numbered pictures in a folder.

  Raises:
    VideoError: If there are none, they have several patterns, or the folder
      cannot be read.
  """
  try:
    found = numbers_by_pattern(os.listdir(folder))
  except OSError as error:
    raise VideoError(f"the folder: {reason(error)}") from error
  if not found:
    raise VideoError(
      "the folder has no picture with a number in its name and one of the "
      f"endings {', '.join(DECODERS)}"
    )
  if len(found) > 1:
    raise VideoError(
      f"the folder has pictures of {len(found)} patterns, "
      f"{list_patterns(found)}; set config.data.frames to the pattern of its frames"
    )
  return next(iter(found))


def check_pattern(pattern: str) -> None:
  """Checks a pattern of pictures' names.

  Raises:
    ValueError: If the pattern has not one *, or no ending of a picture.
  """
  if pattern.count("*") != 1:
    raise ValueError(f"pattern must have one * for the number, got {pattern!r}.")
  if suffix(pattern) not in DECODERS:
    raise ValueError(f"pattern must end in one of {sorted(DECODERS)}, got {pattern!r}.")


def number_form(pattern: str) -> re.Pattern:
  """Returns the form of names of a pattern; its group is the number."""
  before, after = map(re.escape, pattern.split("*"))
  return re.compile(f"{before}([0-9]+){after}")


def list_patterns(found: dict[str, list[int]]) -> str:
  """Returns patterns and how many pictures each has, in words."""
  most = sorted(found, key=lambda pattern: (-len(found[pattern]), pattern))
  words = [f"{pattern} ({len(found[pattern])})" for pattern in most[:_NAMED]]
  return ", ".join(words) + (", ..." if len(found) > _NAMED else "")
