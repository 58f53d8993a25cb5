"""What packets show of their stream: reordered frames, and fields.

Read from the headers of its pictures: nothing is decoded.
"""

from collections.abc import Callable, Iterable, Iterator

import av

# In MPEG-4 part 2 a "not coded" picture, which decoders leave out, is shorter.
_LONGEST_NOT_CODED = 19  # Bytes; those of XviD and DivX have 7 or 8.
# Kinds of units in H.264, ISO 14496-10, table 7-1.
_SLICES, _SETTINGS = (1, 2, 5), 7
# Profiles whose settings say how chroma is coded, ISO 14496-10, 7.3.2.1.1.
_HIGH_PROFILES = (44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244)


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


class FieldFinder:
  """Finds fields in H.264: two packets that are one frame between them."""

  def __init__(self, context: av.VideoCodecContext):
    """Takes the codec of a stream; of other codecs no packet is a field."""
    self._extradata = context.extradata or b""
    self._is_h264 = context.name == "h264"
    # Bits of a slice's header from the number of its frame to the flag of
    # fields; None where the stream has no fields.
    self._number_bits: int | None = None
    if self._is_h264:
      self._read_settings(_settings_units(self._extradata))

  def holds_field(self, packet: av.Packet) -> bool:
    """Returns whether a packet holds a field; packets come in their order."""
    if not self._is_h264:
      return False
    if packet.is_keyframe:
      self._read_settings(_nal_units(bytes(packet), self._extradata))
    if self._number_bits is None:
      return False
    for unit in _nal_units(bytes(packet), self._extradata):
      if unit and unit[0] & 31 in _SLICES:
        bits = _bits(unit[1:32])
        for _ in range(3):  # first_mb_in_slice, slice_type, the settings used.
          _, bits = _exp_golomb(bits)
        return bits[self._number_bits : self._number_bits + 1] == "1"
    return False

  def _read_settings(self, units: Iterable[bytes]) -> None:
    for unit in units:
      if unit and unit[0] & 31 == _SETTINGS:
        self._number_bits = _bits_before_field_flag(unit)


def _bits_before_field_flag(settings: bytes) -> int | None:
  """Reads a sequence parameter set, ISO 14496-10, 7.3.2.1.1.

  Returns:
    Bits of frame_num and of colour_plane_id before field_pic_flag in the header
    of a slice; None if there are no fields.
  """
  profile, bits = settings[1:2], _bits(settings[4:])
  _, bits = _exp_golomb(bits)  # seq_parameter_set_id
  planes = 0
  if profile and profile[0] in _HIGH_PROFILES:
    chroma, bits = _exp_golomb(bits)
    if chroma == 3:
      planes, bits = 2 * int(bits[:1] or "0"), bits[1:]
    for _ in range(2):  # Bits of luma and of chroma.
      _, bits = _exp_golomb(bits)
    has_scaling, bits = bits[1:2] == "1", bits[2:]
    if has_scaling:
      for number in range(12 if chroma == 3 else 8):
        has_list, bits = bits[:1] == "1", bits[1:]
        if has_list:
          bits = _after_scaling_list(bits, 16 if number < 6 else 64)
  number_bits, bits = _exp_golomb(bits)
  order, bits = _exp_golomb(bits)  # pic_order_cnt_type
  if order == 0:
    _, bits = _exp_golomb(bits)
  elif order == 1:
    bits = bits[1:]
    for _ in range(2):
      _, bits = _exp_golomb(bits)
    cycle, bits = _exp_golomb(bits)
    for _ in range(min(cycle, 255)):
      _, bits = _exp_golomb(bits)
  _, bits = _exp_golomb(bits)  # max_num_ref_frames
  bits = bits[1:]
  for _ in range(2):  # Width and height.
    _, bits = _exp_golomb(bits)
  frames_only = bits[:1] != "0"
  return None if frames_only else number_bits + 4 + planes


def _after_scaling_list(bits: str, size: int) -> str:
  """Returns the bits after a scaling list, ISO 14496-10, 7.3.2.1.1.1."""
  scale = 8
  for _ in range(size):
    code, bits = _exp_golomb(bits)
    scale = (scale + (code + 1) // 2 * (1 if code % 2 else -1)) % 256
    if not scale:
      break
  return bits


def _settings_units(extradata: bytes) -> Iterator[bytes]:
  """Yields the sequence parameter sets that are not in packets."""
  if extradata[:1] != b"\1":
    yield from _nal_units(extradata, b"")
    return
  place = 6  # Of an avcC box, ISO 14496-15, 5.3.3.
  for _ in range(extradata[5] & 31 if len(extradata) > 5 else 0):
    end = place + 2 + int.from_bytes(extradata[place : place + 2])
    yield extradata[place + 2 : end]
    place = end


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
    if unit and unit[0] & 31 in _SLICES:
      _, bits = _exp_golomb(_bits(unit[1:16]))  # first_mb_in_slice
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


def _bits(content: bytes) -> str:
  """Returns the bits of a part of a unit."""
  header = content.replace(b"\0\0\3", b"\0\0")
  return f"{int.from_bytes(header):0{8 * len(header)}b}" if header else ""


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
