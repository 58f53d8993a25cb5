"""Finds reordered frames (B-frames) and fields in the packets of a stream.

Read from the headers of its pictures: nothing is decoded.
"""

from collections.abc import Iterable, Iterator

import av

# In MPEG-4 part 2 a "not coded" picture, which decoders leave out, is shorter.
_LONGEST_NOT_CODED = 19  # Bytes; XviD and DivX write 7 or 8.
# Kinds of units in H.264, ISO 14496-10, table 7-1.
_SLICES, _SETTINGS = (1, 2, 5), 7
# The slice_types 1 and 6 as Exp-Golomb codes, table 7-6.
_B_SLICES = ("010", "00111")
_START_CODE = b"\0\0\1"
# Bytes read of the settings; the longest scaling lists need less.
_LONGEST_SETTINGS = 2048  # Bytes.
# Profiles whose settings define the coding of chroma, ISO 14496-10, 7.3.2.1.1.
_HIGH_PROFILES = (44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244)


class PictureTypes:
  """Reads the contents of packets, in their order."""

  def __init__(self, context: av.VideoCodecContext):
    """Takes the codec of the stream."""
    self._context = context
    self._check = {
      "h264": self._has_b_slices,
      "mpeg1video": _is_b_in_mpeg2,
      "mpeg2video": _is_b_in_mpeg2,
      "mpeg4": _may_reorder_in_mpeg4,
    }.get(context.name)
    self._is_h264 = context.name == "h264"
    self._extradata = context.extradata or b""
    # Bits of a slice's header from the number of its frame to the flag of
    # fields; None where the stream has no fields.
    self._number_bits: int | None = None
    if self._is_h264:
      self._read_settings(_settings_units(self._extradata))

  def may_reorder(self, packet: av.Packet) -> bool:
    """Returns whether frames may be shown in another order than stored.

    A stream may reorder its frames if one of its packets may.
    """
    if self._check is None:
      return self._context.has_b_frames
    return self._check(packet)

  def holds_field(self, packet: av.Packet) -> bool:
    """Returns whether a packet is one of two fields that make a frame.

    Only H.264 has such packets.
    """
    if not self._is_h264:
      return False
    if packet.is_keyframe:
      self._read_settings(_nal_units(packet, self._extradata))
    if self._number_bits is None:
      return False
    bits = _bits(_first_slice(packet, self._extradata))
    for _ in range(3):  # first_mb_in_slice, slice_type, the settings used.
      _, bits = _exp_golomb(bits)
    return bits[self._number_bits : self._number_bits + 1] == "1"

  def _has_b_slices(self, packet: av.Packet) -> bool:
    """H.264: pictures of other slices are shown as they are stored."""
    header = _first_slice(packet, self._extradata)
    if header[:1] >= b"\x80":  # The first macroblock is 0, as a rule: fast.
      return header[0] >> 4 & 7 == 0b010 or header[0] >> 2 & 31 == 0b00111
    _, bits = _exp_golomb(_bits(header[:8]))  # first_mb_in_slice
    return not header or bits.startswith(_B_SLICES)

  def _read_settings(self, units: Iterable[memoryview | bytes]) -> None:
    for unit in units:
      kind = unit[0] & 31
      if kind in _SLICES:
        return
      if kind == _SETTINGS:
        self._number_bits = _bits_before_field_flag(unit)


def _bits_before_field_flag(settings: memoryview | bytes) -> int | None:
  """Reads a sequence parameter set, ISO 14496-10, 7.3.2.1.1.

  Returns:
    Bits of frame_num and of colour_plane_id before field_pic_flag in the header
    of a slice; None if there are no fields.
  """
  profile, bits = settings[1:2], _bits(bytes(settings[4:_LONGEST_SETTINGS]))
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


def _settings_units(extradata: bytes) -> Iterator[memoryview | bytes]:
  """Yields the sequence parameter sets that are not in packets."""
  if extradata[:1] != b"\1":
    yield from _nal_units(extradata, b"")
    return
  place = 6  # In an avcC box, ISO 14496-15, 5.3.3.
  for _ in range(extradata[5] & 31 if len(extradata) > 5 else 0):
    end = place + 2 + int.from_bytes(extradata[place : place + 2])
    if end > place + 2:
      yield extradata[place + 2 : end]
    place = end


def _may_reorder_in_mpeg4(packet: av.Packet) -> bool:
  """MPEG-4 part 2: B-pictures, two pictures in a packet, pictures not coded."""
  content = bytes(packet)
  start = content.find(b"\0\0\1\xb6")
  if start < 0 or len(content) <= max(start + 4, _LONGEST_NOT_CODED):
    return True
  is_b = content[start + 4] >> 6 == 2  # ISO 14496-2, 6.3.5: vop_coding_type.
  return is_b or content.find(b"\0\0\1\xb6", start + 4) >= 0


def _is_b_in_mpeg2(packet: av.Packet) -> bool:
  """MPEG-1 and MPEG-2: B-pictures."""
  content = bytes(packet)
  start = content.find(b"\0\0\1\0")
  if start < 0 or len(content) <= start + 5:
    return True
  return content[start + 5] >> 3 & 7 == 3  # ISO 13818-2, 6.3.9.


def _first_slice(packet: av.Packet, extradata: bytes) -> bytes:
  """Returns the header of the first slice of a packet of H.264, or b""."""
  view = memoryview(packet)
  if extradata[:5:4] == b"\1\xff" and view[4:5] and view[4] & 31 in _SLICES:
    # Most packets of MP4 begin with a slice, after four bytes of its length.
    return bytes(view[5:36])
  for unit in _nal_units(packet, extradata):
    if unit[0] & 31 in _SLICES:
      return bytes(unit[1:32])
  return b""


def _nal_units(
  packet: av.Packet | bytes, extradata: bytes
) -> Iterator[memoryview | bytes]:
  """Yields the units of a packet, by lengths or by start codes; none is empty.

  Those by start codes end with the packet.
  """
  view = memoryview(packet)
  if extradata[:1] == b"\1":  # In an avcC box, ISO 14496-15, 5.3.3.
    length = (extradata[4] & 3) + 1 if len(extradata) > 4 else 4
    place = 0
    while place + length < len(view):
      begin = place + length
      place = begin + int.from_bytes(view[place:begin])
      if place > begin:
        yield view[begin:place]
    return
  content = bytes(view)
  place = content.find(_START_CODE)
  while 0 <= place < len(content) - len(_START_CODE):
    yield view[place + len(_START_CODE) :]
    place = content.find(_START_CODE, place + len(_START_CODE))


def _bits(content: bytes) -> str:
  """Returns the bits of a part of a unit."""
  header = content.replace(b"\0\0\3", b"\0\0")
  return f"{int.from_bytes(header):0{8 * len(header)}b}" if header else ""


def _exp_golomb(bits: str) -> tuple[int, str]:
  """Reads a number from the front of bits; returns the bits after it."""
  zeros = len(bits) - len(bits.lstrip("0"))
  end = 2 * zeros + 1
  return int(bits[zeros:end] or "1", 2) - 1, bits[end:]
