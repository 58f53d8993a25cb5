"""Whether a packet shows that its stream reorders frames.

Read from the headers of its pictures: nothing is decoded.
"""

from collections.abc import Callable, Iterator

import av

# In MPEG-4 part 2 a "not coded" picture, which decoders leave out, is shorter.
_LONGEST_NOT_CODED = 19  # Bytes; those of XviD and DivX have 7 or 8.


def may_reorder(packet: av.Packet, context: av.VideoCodecContext) -> bool:
  """Returns whether frames may be shown in another order than they are stored.

  Args:
    packet: One packet; a stream may reorder if one of its packets may.
    context: The codec of its stream.
  """
  check = _CHECKS.get(context.name)
  if check is None:
    return context.has_b_frames
  return check(bytes(packet), context.extradata or b"")


def _mpeg4(content: bytes, extradata: bytes) -> bool:
  """MPEG-4 part 2: B-pictures, two pictures in a packet, pictures not coded."""
  del extradata
  start = content.find(b"\0\0\1\xb6")
  if start < 0 or len(content) <= max(start + 4, _LONGEST_NOT_CODED):
    return True
  is_b = content[start + 4] >> 6 == 2  # ISO 14496-2, 6.3.5: vop_coding_type.
  return is_b or content.find(b"\0\0\1\xb6", start + 4) >= 0


def _mpeg2(content: bytes, extradata: bytes) -> bool:
  """MPEG-1 and MPEG-2: B-pictures."""
  del extradata
  start = content.find(b"\0\0\1\0")
  if start < 0 or len(content) <= start + 5:
    return True
  return content[start + 5] >> 3 & 7 == 3  # ISO 13818-2, 6.3.9.


def _h264(content: bytes, extradata: bytes) -> bool:
  """H.264: B-slices. Pictures of P-slices are shown as they are stored."""
  for unit in _nal_units(content, extradata):
    if unit and unit[0] & 31 in (1, 2, 5):  # ISO 14496-10, table 7-1: slices.
      header = unit[1:16].replace(b"\0\0\3", b"\0\0")
      bits = "".join(f"{byte:08b}" for byte in header)
      _, bits = _exp_golomb(bits)  # first_mb_in_slice
      kind, _ = _exp_golomb(bits)
      return kind % 5 == 1
  return True


def _nal_units(content: bytes, extradata: bytes) -> Iterator[bytes]:
  """Yields the units of a packet, by start codes or by lengths."""
  if extradata[:1] != b"\1":  # Of an avcC box, ISO 14496-15, 5.3.3.
    yield from content.split(b"\0\0\1")[1:]
    return
  length, place = (extradata[4] & 3) + 1 if len(extradata) > 4 else 4, 0
  while place + length < len(content):
    end = place + length + int.from_bytes(content[place : place + length])
    yield content[place + length : end]
    place = end


def _exp_golomb(bits: str) -> tuple[int, str]:
  """Reads a number from the front of bits; returns the bits after it."""
  zeros = len(bits) - len(bits.lstrip("0"))
  end = 2 * zeros + 1
  return int(bits[zeros:end] or "1", 2) - 1, bits[end:]


_CHECKS: dict[str, Callable[[bytes, bytes], bool]] = {
  "h264": _h264,
  "mpeg1video": _mpeg2,
  "mpeg2video": _mpeg2,
  "mpeg4": _mpeg4,
}
