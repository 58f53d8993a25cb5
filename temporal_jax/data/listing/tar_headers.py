"""Lists the files in a tar file and their places, and unpacks nothing.

Python's `tarfile` is not used, as some of its versions follow a header with a
size below zero for ever. Formats are POSIX (ustar and pax), GNU and v7.
"""

import io
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from temporal_jax.data.video.pictures import VideoError
from temporal_jax.display import printable

BLOCK = 512  # Bytes of a header; members fill whole blocks.
_MAX_EXTENSION = 2**20  # Bytes of a header with long names.
_EMPTY = bytes(BLOCK)
# Parts of a header.
_NAME, _SIZE, _SUM = slice(0, 100), slice(124, 136), slice(148, 156)
_MAGIC, _PREFIX = slice(257, 262), slice(345, 500)
_KIND = 156
_FILES, _FOLDER = (b"0", b"\0", b"7"), b"5"
# Headers with more about the next member: its name, or fields of it. "K" is the
# target of a link, and "g" has fields of all members: neither is needed.
_LONG_NAME, _PAX = b"L", b"x"
_EXTENSIONS = (_LONG_NAME, b"K", _PAX, b"g")
_REFUSED = {
  b"1": "a link",
  b"2": "a link",
  b"3": "a device",
  b"4": "a device",
  b"6": "a pipe",
  b"S": "a sparse file",
}


class Entry(NamedTuple):
  """A file in a tar file.

  Attributes:
    name: Its path.
    offset: Place of its first byte in the tar file.
    num_bytes: Its size.
  """

  name: str
  offset: int
  num_bytes: int


def read_entries(file: BinaryIO) -> Iterator[Entry]:
  """Yields the files in a tar file, in their order; folders are left out.

  Args:
    file: Open for reading and seeking.

  Raises:
    VideoError: If it is empty, no tar file, cut off, or damaged; or holds a
      link, a device or a sparse file, or a path that leaves its folder.
  """
  length = file.seek(0, io.SEEK_END)
  if not length:
    raise VideoError("the file is empty")
  place, changed = 0, {}
  while (header := _read(file, place, BLOCK, length)) != _EMPTY:
    _check_sum(header, place)
    kind, begin = header[_KIND : _KIND + 1], place + BLOCK
    size = _number(header[_SIZE], place)
    if kind not in _EXTENSIONS:
      size = int(changed.get("size", size))
    place = begin - -size // BLOCK * BLOCK  # Members fill whole blocks.
    if place > length:
      raise _cut_off(length, place)
    if kind in _EXTENSIONS:
      if size > _MAX_EXTENSION:
        raise VideoError(
          f"the header at byte {begin} has {size} bytes, at most "
          f"{_MAX_EXTENSION} are read"
        )
      content = _read(file, begin, size, length)
      if kind == _LONG_NAME:
        changed["path"] = _text(content)
      elif kind == _PAX:
        changed |= _pax_records(content, begin)
      continue
    name = changed.get("path", _name(header))
    is_folder = kind == _FOLDER or (kind in _FILES and name.endswith("/"))
    sparse = any(key.startswith("GNU.sparse") for key in changed)
    changed = {}
    if is_folder:
      continue
    if kind not in _FILES or sparse:
      what = "a sparse file" if sparse else _REFUSED.get(kind, f"of the kind {kind}")
      raise VideoError(f"the member {printable(name)!r} is {what}, and no file")
    yield Entry(_inside(name), begin, size)


def _read(file: BinaryIO, place: int, count: int, length: int) -> bytes:
  file.seek(place)
  content = file.read(count)
  if len(content) < count:
    raise _cut_off(length, place + count)
  return content


def _cut_off(length: int, needed: int) -> VideoError:
  return VideoError(
    f"the tar file is cut off: {length} of at least {needed} bytes are there"
  )


def _check_sum(header: bytes, place: int) -> None:
  total = sum(header) - sum(header[_SUM]) + 8 * ord(" ")
  try:
    right = total == _number(header[_SUM], place)
  except VideoError:
    right = False
  if not right:
    raise VideoError(
      f"the tar file is damaged at byte {place}"
      if place
      else "it is no tar file, or a compressed one"
    )


def _number(field: bytes, place: int) -> int:
  """Returns a number in octal digits, or as GNU writes one of over 8 GiB."""
  if field[0] == 0x80:
    return int.from_bytes(field[1:], "big")
  digits = field.replace(b"\0", b" ").strip() or b"0"
  if not set(digits) <= set(b"01234567"):
    raise VideoError(f"the tar file is damaged at byte {place}")
  return int(digits, 8)


def _name(header: bytes) -> str:
  """Returns the path in a header; ustar keeps its beginning elsewhere."""
  name = _text(header[_NAME])
  if header[_MAGIC] == b"ustar" and header[262:264] != b" \0":  # Not GNU's.
    prefix = _text(header[_PREFIX])
    return f"{prefix}/{name}" if prefix else name
  return name


def _text(field: bytes) -> str:
  return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _pax_records(content: bytes, place: int) -> dict[str, str]:
  """Returns the fields of a pax header, each a line "LENGTH key=value"."""
  found, begin = {}, 0
  while begin < len(content):
    digits = content[begin : begin + 8].split(b" ", 1)[0]
    end = begin + int(digits) if digits.isdigit() else begin
    record = content[begin:end]
    key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
    is_whole = equals and record[-1:] == b"\n" and end <= len(content)
    if not is_whole or (key == b"size" and not (value.isdigit() and len(value) < 20)):
      raise VideoError(f"the tar file is damaged at byte {place + begin}")
    found[_text(key)] = _text(value)
    begin = end
  return found


def _inside(name: str) -> str:
  """Returns a path without "./" in front.

  Raises:
    VideoError: If it leaves the folder in which the file would be unpacked.
  """
  parts = [part for part in name.split("/") if part != "."]
  if not all(parts) or ".." in parts or not parts:
    raise VideoError(
      f"the member {printable(name)!r} has a path out of the shard; paths begin in "
      "it and have no empty part and no '..'"
    )
  return "/".join(parts)
