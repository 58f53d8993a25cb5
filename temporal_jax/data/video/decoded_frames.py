"""Where the frames of a video are, found by decoding all of it.

For files whose packets do not say when their frames are shown, or say it
wrongly: AVI, ASF and raw streams with B-frames, MPEG program streams, and what
was copied from them into other containers.
"""

import bisect
import dataclasses
import fractions
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import av
import numpy as np

from temporal_jax.data.video.pictures import VideoError, reason
from temporal_jax.data.video.timed_frames import FrameIndex, stores_times

_USUAL_RATE = 25  # Frames a second, where nothing in a file says it.


class Entry(NamedTuple):
  """A packet that decoding can begin with.

  Attributes:
    packet: Its number in the file.
    frame: The number of the frame that it holds.
    seek: When it, or the last packet before that has a time, is decoded, in the
      stream's time base.
    dts: When it is decoded; None if unknown.
    pos: Its place in the file; None if unknown.
    size: Its bytes.
  """

  packet: int
  frame: int
  seek: int
  dts: int | None
  pos: int | None
  size: int

  def matches(self, packet: av.Packet) -> bool:
    """Returns whether a packet is this one."""
    return self[3:] == (packet.dts, packet.pos, packet.size)


@dataclasses.dataclass(frozen=True)
class DecodedIndex(FrameIndex):
  """Frames that are identified by the packets that hold them.

  Attributes:
    packets: The number of each frame's packet.
    entries: Packets to begin with, ascending. The first is that with which
      decoding begins; those before it refer to what was cut away.
  """

  packets: np.ndarray
  entries: Sequence[Entry]

  def entry_before(self, number: int) -> Entry:
    """Returns what to begin with for a frame."""
    place = bisect.bisect_right(self.entries, number, key=lambda e: e.frame)
    return self.entries[max(place - 1, 0)]

  def keyframes(self) -> list[int]:
    """Returns the numbers of the frames that are decoded without others."""
    return [entry.frame for entry in self.entries]

  def agrees_with(self, packets: np.ndarray) -> bool:
    """Returns whether frames are decoded in the order that `packets` have.

    Args:
      packets: Numbers of packets in the order in which times say that their
        frames are shown. Packets that cannot be decoded may be among them.
    """
    places = np.full(max(packets.max(), self.packets.max()) + 1, -1)
    places[packets] = np.arange(len(packets))
    return bool((np.diff(places[self.packets]) > 0).all())

  def to_json(self) -> dict[str, Any]:
    """Returns what `from_json` reads."""
    rate = self.declared_rate
    return {
      "ticks": list(self.ticks),
      "time_base": str(self.time_base),
      "declared_rate": rate if rate is None else str(rate),
      "packets": [int(packet) for packet in self.packets],
      "entries": [list(entry) for entry in self.entries],
    }

  @classmethod
  def from_json(cls, record: Any) -> "DecodedIndex":
    """Reads what `to_json` returned.

    Raises:
      ValueError: If it is something else.
    """
    try:
      rate = record["declared_rate"]
      index = cls(
        ticks=[int(tick) for tick in record["ticks"]],
        time_base=fractions.Fraction(record["time_base"]),
        declared_rate=None if rate is None else fractions.Fraction(rate),
        packets=np.asarray(record["packets"], np.int32),
        entries=tuple(Entry(*entry) for entry in record["entries"]),
      )
    except (KeyError, OverflowError, TypeError, ZeroDivisionError) as error:
      raise ValueError(f"no index of frames: {error!r}.") from error
    if not index.entries or not len(index.ticks) == len(index.packets) > 0:
      raise ValueError(
        f"no index of frames: {len(index.ticks)} times, {len(index.packets)} "
        f"packets and {len(index.entries)} entries."
      )
    return index


def number_packets(
  packets: Iterable[av.Packet], first: int = 0
) -> Iterator[tuple[av.Packet, int | None]]:
  """Yields packets to decode, and when they say that their frames are shown.

  Their `pts` becomes their number, which decoders pass on to the frame that a
  packet holds.

  Args:
    packets: Packets of one stream.
    first: The number of the first one.
  """
  numbers = itertools.count(first)
  for packet in packets:
    if packet.size:
      shown, packet.pts = packet.pts, next(numbers)
      yield packet, shown
    elif packet.dts is None:
      yield (
        packet,
        None,
      )  # The last one: the decoder returns what it holds back.


def find_first_packet(
  packets: Iterable[av.Packet], decoder: av.VideoCodecContext
) -> int:
  """Returns the number of the packet with which decoding begins.

  It is the first that holds a keyframe, by its flag or by the decoder, as the
  flag may be lost; packets before it refer to what was cut away. Without any it
  is 0.

  Args:
    packets: All packets of a stream, from the first.
    decoder: Decoder of the stream, not used so far.
  """
  flagged = None
  for packet, _ in number_packets(packets):
    if packet.size and packet.is_keyframe:
      flagged = packet.pts
    if flagged == 0:
      break
    leads = packet.size and flagged is None
    try:
      frames = decoder.decode(packet if leads else None)
    except av.FFmpegError:
      frames = []
    for frame in frames:
      if frame.key_frame and not frame.is_corrupt:
        return frame.pts
    if not leads:
      break
  return flagged or 0


def index_by_decoding(
  packets: Iterable[av.Packet],
  container: av.container.InputContainer,
  stream: av.VideoStream,
  first: int,
) -> DecodedIndex:
  """Finds the frames of a video: frame n is the n-th that the decoder returns.

  Packets that cannot be decoded hold no frame; frames that refer to them are
  errors when they are read.

  Args:
    packets: All packets of the stream, from the first.
    container: The open file.
    stream: Its stream.
    first: The number of the packet with which decoding begins.

  Raises:
    VideoError: If no frame can be decoded.
  """
  pts: list[int | None] = []
  dts: list[int | None] = []
  places: list[tuple] = []  # The other fields of an `Entry`.
  frames: list[tuple[int, bool]] = []  # Number of the packet; is a keyframe.
  fault, last_time = "the file has no video frames", 0
  for packet, shown in number_packets(packets):
    if packet.size:
      pts.append(shown)
      dts.append(packet.dts)
      last_time = last_time if packet.dts is None else packet.dts
      places.append((last_time, packet.dts, packet.pos, packet.size))
      if packet.pts < first:
        continue
    try:
      decoded = packet.decode()
    except av.FFmpegError as error:
      fault = reason(error)
      continue
    frames += [
      (frame.pts, bool(frame.key_frame) and not frame.is_corrupt) for frame in decoded
    ]
  if not frames:
    raise VideoError(fault)
  numbers = {packet: n for n, (packet, is_key) in enumerate(frames) if is_key}
  numbers[first] = 0  # What is shown before the first keyframe counts too.
  held = [packet for packet, _ in frames]
  times = (pts, dts) if stores_times(container, stream) else (dts, pts)
  ticks, time_base = _ticks(
    ([of_packets[packet] for packet in held] for of_packets in times), stream
  )
  return DecodedIndex(
    ticks=ticks,
    time_base=time_base,
    declared_rate=stream.average_rate or stream.guessed_rate,
    packets=np.array(held, np.int32),
    entries=_in_order(
      Entry(packet, number, *places[packet])
      for packet, number in sorted(numbers.items())
    ),
  )


def _in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
  """Leaves out entries that are shown before one that is decoded before."""
  kept: list[Entry] = []
  for entry in entries:
    if not kept or entry.frame > kept[-1].frame:
      kept.append(entry)
  return tuple(kept)


def _ticks(
  times: Iterable[Sequence[int | None]], stream: av.VideoStream
) -> tuple[Sequence[int], fractions.Fraction]:
  """Returns when the frames are shown, and the unit.

  Where the packets of all frames have times of their own, the n-th frame is
  shown at the n-th of these, whichever packet has it. The times of decoding do
  as well: frames are shown after a delay that is the same for all. Else frames
  come at an even rate.

  Args:
    times: When the packets of the frames are shown or decoded; the first that
      will do is taken.
    stream: The stream.
  """
  count = 0
  for of_frames in times:
    count, distinct = len(of_frames), set(of_frames) - {None}
    if len(distinct) == count:
      return sorted(distinct), stream.time_base
  rate = stream.average_rate or stream.guessed_rate
  return range(count), 1 / fractions.Fraction(rate or _USUAL_RATE)
