"""H.264 in fields, as camcorders write it: no encoder at hand makes it."""

import numpy as np

_GREY = bytes(128 * [128])  # Chroma of a macroblock.
_BLOCK = 16  # Pixels of a side of a macroblock.


class _Bits:
  """Writes numbers bit by bit."""

  def __init__(self):
    self._bits = ""

  def fixed(self, count, number):
    self._bits += f"{number:0{count}b}" if count else ""
    return self

  def golomb(self, *numbers):
    for number in numbers:
      bits = f"{number + 1:b}"
      self._bits += "0" * (len(bits) - 1) + bits
    return self

  def align(self):
    self._bits += "0" * (-len(self._bits) % 8)
    return self

  def raw(self, content):
    self._bits += "".join(f"{byte:08b}" for byte in content)
    return self

  def unit(self, head):
    """Returns a unit: start code, head, content without start codes in it."""
    self.fixed(1, 1).align()
    content = int(self._bits, 2).to_bytes(len(self._bits) // 8, "big")
    escaped, zeros = bytearray(), 0
    for byte in content:
      if zeros == 2 and byte <= 3:
        escaped.append(3)
        zeros = 0
      escaped.append(byte)
      zeros = zeros + 1 if byte == 0 else 0
    return b"\0\0\0\1" + bytes([head]) + bytes(escaped)


def _settings(height, width):
  """Sequence and picture parameter sets, Main profile, fields allowed."""
  sequence = _Bits().fixed(8, 77).fixed(8, 0).fixed(8, 30)
  sequence.golomb(0, 0, 0, 4, 2).fixed(1, 0)
  sequence.golomb(width // _BLOCK - 1, height // (2 * _BLOCK) - 1)
  # Fields, no macroblocks of fields in frames, direct inference, no cropping
  # and no further description.
  sequence.fixed(5, 0b00100)
  picture = _Bits().golomb(0, 0).fixed(2, 0).golomb(0, 0, 0).fixed(3, 0)
  picture.golomb(0, 0, 0).fixed(3, 0b100)
  return sequence.unit(0x67) + picture.unit(0x68)


def _field(luma, number, *, bottom, starts, refers):
  """Returns one field of I_PCM macroblocks; `luma` is its lines (H / 2, W)."""
  bits = _Bits().golomb(0, 7, 0).fixed(4, number % 16).fixed(1, 1)
  bits.fixed(1, bottom)
  if starts:
    bits.golomb(0)
  bits.fixed(8, 2 * number + bottom)
  if refers:
    bits.fixed(2, 0) if starts else bits.fixed(1, 0)
  bits.golomb(0, 1)
  for row in range(0, luma.shape[0], _BLOCK):
    for column in range(0, luma.shape[1], _BLOCK):
      block = luma[row : row + _BLOCK, column : column + _BLOCK]
      bits.golomb(25).align().raw(block.tobytes()).raw(_GREY)
  return bits.unit(0x65 if starts else 0x41 if refers else 0x01)


def encode_fields(lumas, group):
  """Encodes frames of which each is two fields, top and bottom.

  Args:
    lumas: Luma (T, H, W), uint8 from 1 to 254; sides in whole macroblocks, of
      fields for the height.
    group: Frames from one keyframe to the next, at most 16. No frame refers to
      another; every second one says so.

  Returns:
    Packets of one field, two for each frame, and whether each is a keyframe.
  """
  packets, keyframes = [], []
  for place, luma in enumerate(np.asarray(lumas)):
    number = place % group
    starts, refers = number == 0, place % 2 == 0
    top = _field(luma[::2], number, bottom=0, starts=starts, refers=refers)
    bottom = _field(luma[1::2], number, bottom=1, starts=False, refers=refers)
    packets += [_settings(*luma.shape) + top if starts else top, bottom]
    keyframes += [starts, False]
  return packets, keyframes
