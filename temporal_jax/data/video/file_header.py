"""Compares the header of a video file with the file's length.

A file that is shorter than it declares is cut off; FFmpeg would show
the part that is there. And FFmpeg allocates some 50 bytes for each sample of an
MP4 or QuickTime file when it opens it. Some tables give the number of samples
without a byte for each: samples of one size, runs of a fragment, samples of a
chunk. A file of 700 bytes can ask for gigabytes.
"""

import io
import struct
import zlib
from collections import defaultdict
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from temporal_jax.data.video.pictures import VideoError

# Boxes without which a QuickTime or MP4 file cannot be shown.
_NEEDED = (b"mdat", b"moof", b"moov")
_MAY_BE_CUT = (b"free", b"ftyp", b"pnot", b"skip", b"wide", *_NEEDED)
# Size of a list of frames that was never completed; an empty one holds 4 bytes.
_UNKNOWN_SIZES = (0, 4, 0xFFFFFFFF)
# Chunks or boxes that are looked at: 90 hours have fewer fragments of a second.
_MOST_PARTS = 1_000_000
_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067

# In all tracks together: 92 hours of 30 frames per second.
MAX_SAMPLES = 10_000_000
# Most bytes of a header that old QuickTime compressed, once decompressed.
_MAX_HEADER = 2**26
# More than any compression of a fixed rate: IMA4 has 4, MACE 6.
_SOUND_SAMPLES_PER_BYTE = 64
# First boxes of a file; another one begins no MP4 file.
_FIRST = {
  b"free",
  b"ftyp",
  b"hoov",
  b"mdat",
  b"moof",
  b"moov",
  b"pnot",
  b"sidx",
  b"skip",
  b"styp",
  b"uuid",
  b"wide",
}
# Boxes of boxes that FFmpeg opens, also headers that an unfinished recording
# left as "free" or "hoov".
_HOLDERS = {
  b"cmov",
  b"dinf",
  b"edts",
  b"free",
  b"hoov",
  b"mdia",
  b"meta",
  b"minf",
  b"moof",
  b"moov",
  b"mvex",
  b"stbl",
  b"traf",
  b"trak",
  b"udta",
}
_MAX_DEPTH = 12  # FFmpeg's is 10.
# Tables that begin with version and flags, and the number of their entries: the
# fewest bytes of an entry.
_ENTRY_BYTES = {
  b"co64": 8,
  b"ctts": 8,
  b"elst": 12,
  b"iinf": 8,
  b"stco": 4,
  b"stsc": 12,
  b"stss": 4,
  b"stts": 8,
}
# Content of a track, by its handler.
_SOUND, _PICTURES = (int.from_bytes(kind, "big") for kind in (b"soun", b"vide"))
# Beginnings of the contents of a track's tables, by kind.
_Track = defaultdict[bytes, list[int]]


def check_header(file: BinaryIO) -> None:
  """Raises VideoError if a file is empty, its end missing, or it asks for more.

  Its header must not ask for more memory than the file could fill.

  Args:
    file: Open for reading and seeking.
  """
  length = file.seek(0, io.SEEK_END)
  if not length:
    raise VideoError("the file is empty")
  declared = _declared_length(file)
  if declared > length:
    raise VideoError(
      f"the file is cut off: {length} of at least {declared} bytes are there"
    )
  _check_tables(file, length)


def _check_tables(file: BinaryIO, length: int) -> None:
  """Raises VideoError if tables ask for more than a file of its size holds.

  Args:
    file: Open for reading and seeking; files of other formats pass.
    length: Its bytes.
  """
  file.seek(4)
  if file.read(4) in _FIRST:
    _Header(file, length).check(0, length, _Track(list))


class _Header:
  """The boxes of a file, or those that were compressed in it."""

  def __init__(self, file: BinaryIO, length: int):
    self._file = file
    self._length = length  # Bytes of the whole file.
    self._samples = 0

  def check(self, begin: int, end: int, track: _Track, depth: int = 0) -> None:
    """Checks the boxes between two places; adds their tables to a track's."""
    if depth > _MAX_DEPTH:
      return
    for kind, first, last in _boxes(self._file, begin, end):
      if kind == b"trak":
        own = _Track(list)
        self.check(first, last, own, depth + 1)
        self._check_track(own)
      elif kind in _HOLDERS:
        self.check(first + 4 * (kind == b"meta"), last, track, depth + 1)
      elif kind == b"cmvd":
        self._check_compressed(first, last, depth)
      elif kind == b"trun":
        self._add_samples(self._number(first + 4))
      elif kind in _ENTRY_BYTES:
        entries = self._number(first + 4)
        self._check_bytes(entries * _ENTRY_BYTES[kind], entries, "entries")
        track[kind].append(first)
      elif kind == b"iloc":
        self._check_items(first)
      elif kind in (b"hdlr", b"stsz", b"stz2"):
        track[kind].append(first)

  def _check_track(self, track: _Track) -> None:
    """Checks the number of samples in the tables of a track."""
    samples = 0
    for first in track[b"stsz"]:
      size, count = self._number(first + 4), self._number(first + 8)
      if size and self._is_plain_sound(track):
        continue  # A sample is of sound, and many make an entry of the index.
      self._check_bytes(count * (size or 4), count, "samples")
      samples += count
    samples += sum(self._number(first + 8) for first in track[b"stz2"])
    self._add_samples(samples)
    # Each entry of an edit list may show all samples anew.
    edits = sum(self._number(first + 4) for first in track[b"elst"])
    self._check_number(max(edits, 1) * samples)
    sound = self._samples_of_chunks(track)
    self._check_bytes(sound / _SOUND_SAMPLES_PER_BYTE, sound, "samples")

  def _is_plain_sound(self, track: _Track) -> bool:
    """Whether samples are of sound and last one tick: FFmpeg counts chunks."""
    handlers = {self._number(first + 8) for first in track[b"hdlr"]}
    return (
      _SOUND in handlers
      and _PICTURES not in handlers
      and all(
        (self._number(first + 4), self._number(first + 12)) == (1, 1)
        for first in track[b"stts"]
      )
    )

  def _samples_of_chunks(self, track: _Track) -> float:
    """Returns the number of samples, from the numbers of each chunk."""
    chunks = sum(self._number(first + 4) for first in track[b"stco"] + track[b"co64"])
    total = 0.0  # 2**64 and more must not wrap around.
    for first in track[b"stsc"]:
      entries = self._number(first + 4)
      self._file.seek(first + 8)
      content = self._file.read(12 * entries)  # The file may end within it.
      table = np.frombuffer(content, ">u4", len(content) // 12 * 3)
      # Rows of the first chunk that they hold for, its samples, and a format.
      table = table.reshape(-1, 3).astype(float)
      following = np.append(table[1:, 0], chunks + 1)
      total += ((following - table[:, 0]).clip(0) * table[:, 1]).sum()
    return total

  def _check_compressed(self, first: int, last: int, depth: int) -> None:
    """Checks a header that is compressed, after the number of its bytes."""
    size = self._number(first)
    if size > _MAX_HEADER:
      raise VideoError(
        f"its header declares {size:,} bytes; at most {_MAX_HEADER:,} are read"
      )
    self._file.seek(first + 4)
    try:
      content = zlib.decompressobj().decompress(
        self._file.read(last - first - 4), max(size, 1)
      )
    except zlib.error as error:
      raise VideoError(f"its header cannot be decompressed: {error}") from error
    inner = _Header(io.BytesIO(content), self._length)
    inner.check(0, len(content), _Track(list), depth + 1)

  def _check_items(self, first: int) -> None:
    """Checks the number of still pictures, which version 2 may declare."""
    if self._number(first) >> 24 == 2:
      items = self._number(first + 6)
      self._check_bytes(8 * items, items, "items")

  def _add_samples(self, count: int) -> None:
    self._samples += count
    self._check_bytes(self._samples, self._samples, "samples")
    self._check_number(self._samples)

  def _check_bytes(self, needed: float, count: float, what: str) -> None:
    """Raises VideoError if the file has fewer bytes than are needed."""
    if needed > self._length:
      raise VideoError(
        f"its header declares {count:,.0f} {what}, which a file of "
        f"{self._length:,} bytes cannot hold"
      )

  def _check_number(self, samples: int) -> None:
    if samples > MAX_SAMPLES:
      raise VideoError(
        f"its header declares {samples:,} samples; at most {MAX_SAMPLES:,} are allowed"
      )

  def _number(self, place: int) -> int:
    """Returns the four bytes at a place as a number; 0 past the end."""
    self._file.seek(place)
    return int.from_bytes(self._file.read(4), "big")


def _boxes(file: BinaryIO, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
  """Yields the kind of each box, and where its content begins and ends."""
  while begin + 8 <= end:
    file.seek(begin)
    head = file.read(16)
    if len(head) < 8:
      return
    size, kind = struct.unpack(">I4s", head[:8])
    first = begin + 8
    if size == 1 and len(head) == 16:
      size, first = int.from_bytes(head[8:], "big"), begin + 16
    if not size:  # It reaches to the end.
      size = end - begin
    if size < first - begin:
      return
    yield kind, first, min(begin + size, end)
    begin += size


def _declared_length(file: BinaryIO) -> int:
  """Returns the smallest length that a video file declares.

  A truncated file is shorter. In some formats decoders take the part that is
  there, so that its last frames would be lost without an error.

  Args:
    file: Open for reading and seeking; QuickTime, MP4, AVI, Matroska or WebM.

  Returns:
    Bytes; 0 for other formats, or if the file does not declare it.
  """
  file.seek(0)
  head = file.read(12)
  if head[4:8] in _MAY_BE_CUT:
    return _end_of_boxes(file)
  if head[:4] == b"RIFF" and head[8:] == b"AVI ":
    return _end_of_chunks(file)
  if head[:4] == _EBML.to_bytes(4, "big"):
    return _end_of_segment(file)
  return 0


def _end_of_chunks(file: BinaryIO) -> int:
  """Returns the end of the frames of an AVI file, as it declares it.

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


def _end_of_boxes(file: BinaryIO) -> int:
  """Returns the end of the last box that is needed."""
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


def _end_of_segment(file: BinaryIO) -> int:
  """Returns the end of the first segment, if it is declared."""
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
