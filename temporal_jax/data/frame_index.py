"""Where the frames of a video are."""

import bisect
import dataclasses
import math
from collections.abc import Iterable, Sequence

import av

from temporal_jax.data.pictures import VideoError


@dataclasses.dataclass(frozen=True)
class FrameIndex:
  """The frames of a video, told by when they are shown.

  Attributes:
    times: Of all frames, ascending, in the stream's time base.
    keys: Of those to begin decoding with, ascending; some may not be shown.
    decoding_times: When `keys` are decoded; when they are shown, if unknown.
  """

  times: Sequence[int]
  keys: Sequence[int]
  decoding_times: Sequence[int]

  def key_before(self, shown: int) -> int:
    """Returns the number, in `keys`, to begin with for the frame at a time."""
    return max(bisect.bisect_right(self.keys, shown) - 1, 0)

  def keyframes(self) -> list[int]:
    """Returns the numbers, in `times`, of the frames of `keys`."""
    numbers = {shown: number for number, shown in enumerate(self.times)}
    return [numbers[key] for key in self.keys if key in numbers]

  def seconds(self, stream: av.VideoStream) -> list[float]:
    """Returns when each frame is shown, in seconds from the first."""
    first = self.times[0]
    return [float((shown - first) * stream.time_base) for shown in self.times]

  def rate(self, stream: av.VideoStream) -> float | None:
    """Returns frames a second, on average; None of a single frame."""
    if len(self.times) == 1:
      return None
    span = (self.times[-1] - self.times[0]) * stream.time_base
    measured = (len(self.times) - 1) / span
    declared = stream.average_rate
    # Some formats round times to thousandths.
    close = declared and math.isclose(declared, measured, rel_tol=0.01)
    return float(declared if close else measured)


def index_frames(packets: Iterable[av.Packet]) -> FrameIndex:
  """Finds the frames of a video without decoding it.

  Those of packets before the first keyframe do not count: what they refer to
  was cut away.

  Args:
    packets: Of one stream, all of them.

  Raises:
    VideoError: If there is no frame, or none to begin with.
  """
  times, keys = set(), {}
  for packet in packets:
    if packet.pts is None or not _holds_frame(packet):
      continue
    if packet.is_keyframe:
      keys[packet.pts] = packet.pts if packet.dts is None else packet.dts
    if keys and not packet.is_discard:
      times.add(packet.pts)
  if not times:
    raise VideoError("the file has no video frames")
  ascending = sorted(keys)
  return FrameIndex(
    sorted(times), ascending, [keys[shown] for shown in ascending]
  )


def _holds_frame(packet: av.Packet) -> bool:
  """Returns whether a frame is shown for a packet."""
  if packet.stream.codec_context.name == "vp8" and packet.size:
    return bool(memoryview(packet)[0] >> 4 & 1)  # Its flag "show_frame".
  return packet.size > 0
