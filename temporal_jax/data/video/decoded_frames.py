"""Index of a video's frames by the order in which they are decoded.

The whole file is decoded once to find them. It is for files whose packets have
no times of their frames, or wrong ones: AVI, ASF and raw streams with B-frames,
MPEG program streams, and streams copied from them into other containers.
"""

import bisect
import dataclasses
import fractions
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import av
import numpy as np

from temporal_jax.data.video.pictures import VideoError, reason
from temporal_jax.data.video.timed_frames import (
  Demux,
  FrameIndex,
  OpenFile,
  faulty_frame,
  stores_times,
)

_USUAL_RATE = 25  # Frames per second of a file that has no rate.


class Entry(NamedTuple):
  """A packet that decoding can begin with.

  Attributes:
    packet: Its number in the file.
    frame: The number of the frame that it holds.
    seek: Decoding time of the packet, or of the last packet before that has a
      time, in the stream's time base.
    dts: Decoding time of the packet; None if unknown.
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
      decoding begins; those before it refer to frames cut away.
  """

  packets: np.ndarray
  entries: Sequence[Entry]

  def entry_before(self, number: int) -> Entry:
    """Returns the packet from which to decode a frame."""
    place = bisect.bisect_right(self.entries, number, key=lambda e: e.frame)
    return self.entries[max(place - 1, 0)]

  def keyframes(self) -> list[int]:
    """Returns the numbers of the frames that are decoded without others."""
    return [entry.frame for entry in self.entries]

  def agrees_with(self, packets: np.ndarray) -> bool:
    """Returns whether frames are decoded in the order that `packets` have.

    Args:
      packets: Numbers of packets in the order of the times at which their
        frames are shown. Packets that cannot be decoded may be among them.
    """
    places = np.full(max(packets.max(), self.packets.max()) + 1, -1)
    places[packets] = np.arange(len(packets))
    return bool((np.diff(places[self.packets]) > 0).all())


def number_packets(
  packets: Iterable[av.Packet], first: int = 0
) -> Iterator[tuple[av.Packet, int | None]]:
  """Yields packets to decode, with the presentation times of their frames.

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
      # The last one: the decoder returns the frames it holds back.
      yield packet, None


def find_first_packet(
  packets: Iterable[av.Packet], decoder: av.VideoCodecContext
) -> int:
  """Returns the number of the packet with which decoding begins.

  It is the first that holds a keyframe, by its flag or by the decoder, as the
  flag may be lost; packets before it refer to frames cut away. Without any it
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
  numbers[first] = 0  # Frames shown before the first keyframe count too.
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
  """Returns the times of the frames on the screen, and the unit.

  Where the packets of all frames have times of their own, the n-th frame is
  shown at the n-th of these, whichever packet has it. The times of decoding do
  as well: frames are shown after a delay that is the same for all. Else frames
  come at an even rate.

  Args:
    times: Presentation times and decoding times of the packets of the frames;
      the first complete ones are taken.
    stream: The stream.
  """
  count = 0
  for of_frames in times:
    count, distinct = len(of_frames), set(of_frames) - {None}
    if len(distinct) == count:
      return sorted(distinct), stream.time_base
  rate = stream.average_rate or stream.guessed_rate
  return range(count), 1 / fractions.Fraction(rate or _USUAL_RATE)


class DecodedPlayer:
  """Finds frames by the order in which they are decoded. It is a `Player`."""

  def __init__(
    self,
    index: DecodedIndex,
    demux: Demux,
    reopen: Callable[[], OpenFile],
    file: OpenFile | None = None,
  ):
    """Takes an index.

    Args:
      index: Places of the frames in the file.
      demux: Yields the packets from where a container is.
      reopen: Opens the file from its beginning, instead of the open one.
      file: The open file, if nothing was read of it yet.
    """
    self._index = index
    self._demux = demux
    self._reopen = reopen
    self._unread = file
    self._container, self._stream = file or reopen()
    self._numbers = {
      packet: number for number, packet in enumerate(index.packets.tolist())
    }
    # Else a packet holds several frames or a part of one: frames are counted,
    # none is left out.
    span = int(np.ptp(index.packets)) + 1
    self._one_each = len(self._numbers) == len(index.packets) == span

  def frames(self, numbers: set[int]) -> Iterator[tuple[int, av.VideoFrame]]:
    """See `Player.frames`."""
    wanted = {int(self._index.packets[number]) for number in numbers}
    run, reached = iter(()), -1
    for number in sorted(numbers):
      entry = self._index.entry_before(number)
      if reached < entry.frame:
        run = self._play(entry, wanted)
      frame = self._find(run, number)
      if frame is None:
        # The container did not find the packet, or it cannot be begun with.
        run = self._play(self._index.entries[0], None)
        frame = self._find(run, number)
      if frame is None:
        raise faulty_frame(number)
      reached = number
      yield number, frame

  def all_frames(self) -> Iterator[av.VideoFrame]:
    """See `Player.all_frames`."""
    run = self._play(self._index.entries[0], None)
    for number in range(len(self._index.ticks)):
      frame = self._find(run, number)
      if frame is None:
        raise faulty_frame(number)
      yield frame

  def _find(
    self, run: Iterator[tuple[int, av.VideoFrame]], wanted: int
  ) -> av.VideoFrame | None:
    """Returns a frame of a run; None if it is missing or faulty.

    It is faulty also if one before it is, as it may refer to that.
    """
    packets = self._index.packets
    for number, frame in run:
      known = number < len(packets) and packets[number] == frame.pts
      if not known or frame.is_corrupt or number > wanted:
        return None
      if number == wanted:
        return frame
    return None

  def _play(
    self, entry: Entry, wanted: set[int] | None
  ) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yields frames with their numbers, from an entry of the index on.

    With `wanted`, frames of other packets that no frame refers to are left out.
    """
    is_first = entry == self._index.entries[0]
    if is_first:
      self._container, self._stream = self._unread or self._reopen()
      packets = self._demux(self._container, self._stream)
    else:
      packets = self._packets(entry)
    self._unread = None
    if not self._one_each:
      wanted = None
    number = 0 if is_first else entry.packet
    frames = self._decode(packets, number, entry.packet, wanted)
    if not is_first:  # Frames shown before refer to others that are not decoded.
      frames = itertools.dropwhile(lambda f: f.pts != entry.packet, frames)
    if wanted is None:
      return enumerate(frames, start=entry.frame)
    return ((self._numbers.get(frame.pts, -1), frame) for frame in frames)

  def _packets(self, entry: Entry) -> Iterator[av.Packet]:
    """Returns the packets from an entry on; none if it is not found."""
    try:
      self._container.seek(entry.seek, stream=self._stream)
    except av.FFmpegError:
      return iter(())
    packets = self._demux(self._container, self._stream)
    return itertools.dropwhile(lambda p: not entry.matches(p), packets)

  def _decode(
    self,
    packets: Iterable[av.Packet],
    number: int,
    first: int,
    wanted: set[int] | None,
  ) -> Iterator[av.VideoFrame]:
    """Yields frames; their `pts` is the number of their packet.

    Args:
      packets: Packets to decode, from number `number` on.
      number: Number of the first packet.
      first: The number of the packet to begin with.
      wanted: Numbers of packets whose frames are not left out; None is all.
    """
    context = self._stream.codec_context
    context.skip_frame = "DEFAULT"
    for packet, _ in number_packets(packets, number):
      if packet.size and packet.pts < first:
        continue
      if wanted is not None and packet.size:
        context.skip_frame = (
          "DEFAULT" if packet.pts in wanted or packet.pts == first else "NONREF"
        )
      yield from packet.decode()
