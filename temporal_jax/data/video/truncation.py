"""Detects truncated video files."""

import struct
from typing import BinaryIO

# Boxes without which a QuickTime or MP4 file cannot be shown.
_NEEDED = (b"mdat", b"moof", b"moov")
_FIRST = (b"free", b"ftyp", b"pnot", b"skip", b"wide", *_NEEDED)
# Of a list of frames that was never completed; an empty one holds 4 bytes.
_UNKNOWN_SIZES = (0, 4, 0xFFFFFFFF)
# Chunks or boxes that are looked at: 90 hours have fewer fragments of a second.
_MOST_PARTS = 1_000_000
_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067


def declared_length(file: BinaryIO) -> int:
  """Returns the smallest length that a video file declares.

  A truncated file is shorter. In some formats decoders take what is there, so
  that its last frames would be lost without an error.

  Args:
    file: Open for reading and seeking; QuickTime, MP4, AVI, Matroska or WebM.

  Returns:
    Bytes; 0 for other formats, or if the file does not say.
  """
  file.seek(0)
  head = file.read(12)
  if head[4:8] in _FIRST:
    return _boxes(file)
  if head[:4] == b"RIFF" and head[8:] == b"AVI ":
    return _chunks(file)
  if head[:4] == _EBML.to_bytes(4, "big"):
    return _elements(file)
  return 0


def _chunks(file: BinaryIO) -> int:
  """Returns where the frames of an AVI file end, as far as it declares that.

  What follows them does not count, nor does the size of the whole file: a
  recorder that writes to a pipe, or is killed, leaves 0 or 2^32 - 1 there.
  """
  end, place, has_frames = 0, 0, False
  for _ in range(_MOST_PARTS):
    file.seek(place)
    head = file.read(12)
    if len(head) < 12:
      return end
    kind, size, form = struct.unpack("<4sI4s", head)
    if not kind.decode("latin-1").isprintable():  # No chunk, but zeros, say.
      return end
    if kind == b"RIFF":  # Files past 1 GiB have several.
      place += 12
      continue
    holds_frames = kind == b"LIST" and form == b"movi"
    if holds_frames and size in _UNKNOWN_SIZES:
      return end
    if holds_frames or not has_frames:
      end = place + 8 + size
    has_frames = has_frames or holds_frames
    place += 8 + size + size % 2  # Chunks begin at even places.
  return end


def _boxes(file: BinaryIO) -> int:
  """Returns where the last box ends that is needed."""
  end, place = 0, 0
  for _ in range(_MOST_PARTS):
    file.seek(place)
    head = file.read(16)
    if len(head) < 8:
      return end
    size, kind = struct.unpack(">I4s", head[:8])
    if size == 1 and len(head) == 16:
      (size,) = struct.unpack(">Q", head[8:])
    if size < 8:  # It reaches to the end, or is no box.
      return end
    place += size
    if kind in _NEEDED:
      end = place
  return end


def _elements(file: BinaryIO) -> int:
  """Returns where the first segment ends, if it says."""
  file.seek(4)
  header = _number(file)
  if header is None:
    return 0
  file.seek(header, 1)
  if file.read(4) != _SEGMENT.to_bytes(4, "big"):
    return 0
  size = _number(file)
  return 0 if size is None else file.tell() + size


def _number(file: BinaryIO) -> int | None:
  """Reads a number of one to eight bytes; None stands for unknown."""
  first = file.read(1)
  if not first or not first[0]:
    return None
  more = 8 - first[0].bit_length()
  rest = file.read(more)
  bits = 7 * (more + 1)
  value = int.from_bytes(first + rest, "big") & ((1 << bits) - 1)
  return None if len(rest) < more or value == (1 << bits) - 1 else value
