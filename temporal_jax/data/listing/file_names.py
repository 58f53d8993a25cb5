"""Sorts names in a folder into videos, pictures and other files."""

import os
from collections.abc import Mapping

# Suffixes by the demuxer of FFmpeg that reads them, see `containers.FORMATS`.
# ".mjpeg", which no allowed demuxer reads, is not among them.
_OF_FORMAT: Mapping[str, tuple[str, ...]] = {
  "asf": (".asf", ".wmv"),
  "avi": (".avi", ".divx"),
  "flv": (".flv",),
  "gif": (".gif",),
  "h264": (".264", ".h264"),
  "hevc": (".265", ".h265", ".hevc"),
  "ivf": (".ivf",),
  "m4v": (),  # A raw stream of MPEG-4; ".m4v" is an MP4 file as a rule.
  "matroska": (".mk3d", ".mkv", ".webm"),
  "mov": (".3g2", ".3gp", ".f4v", ".m4v", ".mov", ".mp4", ".qt"),
  "mpeg": (".mpe", ".mpeg", ".mpg", ".vob"),
  "mpegts": (".m2t", ".m2ts", ".mts", ".ts"),
  "mpegvideo": (".m1v", ".m2v", ".mpv"),
  "ogg": (".ogg", ".ogm", ".ogv"),
}
SUFFIXES = tuple(sorted(sum(_OF_FORMAT.values(), ())))

# Files that systems and programs put into folders, other than names that begin
# with a dot ("._v.mp4", ".ipynb_checkpoints"): macOS, Windows, Synology, QNAP,
# Linux.
_MACHINE_MADE = frozenset(
  {
    "__macosx",
    "__pycache__",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "@eadir",
    "#recycle",
    "@recycle",
    "@recently-snapshot",
  }
)


def is_hidden(name: str) -> bool:
  """Whether a name is hidden or made by a machine, so that it is no data."""
  return name.startswith(".") or name.lower() in _MACHINE_MADE


def is_video(name: str) -> bool:
  """Whether a file is a video by its name, hidden ones apart."""
  return suffix(name) in SUFFIXES and not is_hidden(name)


def suffix(name: str) -> str:
  """Returns the last suffix in small letters: ".mp4", or ""."""
  return os.path.splitext(name)[1].lower()
