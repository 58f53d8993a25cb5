"""Decoding chosen frames of an open video file."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import av
import numpy as np

from temporal_jax.data.video.decoded_frames import DecodedIndex, Entry, number_packets
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.video.timed_frames import TimedIndex

# Yields the packets from where a container is, as long as there is time.
Demux = Callable[[av.container.InputContainer, av.VideoStream], Iterator[av.Packet]]
OpenFile = tuple[av.container.InputContainer, av.VideoStream]


class SearchError(VideoError):
  """A file in which the container does not find the frames of its index."""


class Player(Protocol):
  """Decodes frames by their numbers."""

  def frames(self, numbers: set[int]) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yields the frames of `numbers`, ascending, each with its number.

    Raises:
      VideoError: If a frame cannot be decoded, or not without faults.
      av.FFmpegError: If a packet cannot be decoded at all.
    """

  def all_frames(self) -> Iterator[av.VideoFrame]:
    """Yields every frame in order; each is decoded once.

    Raises:
      VideoError: If a frame cannot be decoded, or not without faults.
      av.FFmpegError: If a packet cannot be decoded at all.
    """


class TimedPlayer:
  """Finds frames by the times at which they are shown. It is a `Player`."""

  def __init__(self, file: OpenFile, index: TimedIndex, demux: Demux):
    """Takes an open container and its stream, and where its frames are."""
    self._container, self._stream = file
    self._index = index
    self._demux = demux

  def frames(self, numbers: set[int]) -> Iterator[tuple[int, av.VideoFrame]]:
    """See `Player.frames`."""
    ticks = {self._index.ticks[number]: number for number in numbers}
    run, reached = iter(()), None
    for shown in sorted(ticks):
      key = self._index.key_before(shown)
      begin = min(self._index.keys[key], shown)
      if reached is not None and begin <= reached:
        frame = _find(run, begin, shown)
      else:
        run = self._play(key, ticks.keys() | {begin})
        frame = self._find_first(run, begin, shown)
      if frame is None:
        # Not every frame that counts as a keyframe can be begun with.
        run = self._play(0, None)
        frame = self._find_first(run, begin, shown)
      if frame is None:
        raise _faulty(ticks[shown])
      reached = shown
      yield ticks[shown], frame

  def all_frames(self) -> Iterator[av.VideoFrame]:
    """See `Player.all_frames`."""
    run = self._play(0, None)
    for number, shown in enumerate(self._index.ticks):
      frame = _find(run, shown, shown)
      if frame is None:
        raise _faulty(number)
      yield frame

  def _find_first(
    self, run: Iterator[av.VideoFrame], begin: int, shown: int
  ) -> av.VideoFrame | None:
    """Returns a frame only if the one that it begins with is there as well."""
    known = begin == shown or begin not in self._index.ticks
    if not known and _find(run, begin, begin) is None:
      return None
    return _find(run, begin, shown)

  def _play(self, key: int, ticks: Iterable[int] | None) -> Iterator[av.VideoFrame]:
    """Yields frames from one of the index's `keys` on.

    With `ticks`, frames at other times that no frame refers to are left out.
    """
    context = self._stream.codec_context
    context.skip_frame = "DEFAULT"
    for packet in self._packets(key):
      if packet.pts is not None:
        if not packet.size:  # It would end the decoding.
          continue
        if ticks is not None:
          context.skip_frame = "DEFAULT" if packet.pts in ticks else "NONREF"
      yield from packet.decode()

  def _packets(self, key: int) -> Iterator[av.Packet]:
    """Returns the packets from one of the index's `keys`, or an earlier, on."""
    begin, decoding = self._index.keys[key], self._index.decoding_times
    # Formats differ in what the times are by which they seek.
    for place in (begin, decoding[key], decoding[0]):
      try:
        self._container.seek(place, stream=self._stream)
      except av.FFmpegError:
        continue
      packets = self._demux(self._container, self._stream)
      first = next(packets)
      if first.is_keyframe and first.pts is not None and first.pts <= begin:
        return itertools.chain((first,), packets)
    raise SearchError("the file cannot be searched for its frames")


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
      index: Where the frames are.
      demux: Yields the packets from where a container is.
      reopen: Opens the file from its beginning, instead of what is open.
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
        raise _faulty(number)
      reached = number
      yield number, frame

  def all_frames(self) -> Iterator[av.VideoFrame]:
    """See `Player.all_frames`."""
    run = self._play(self._index.entries[0], None)
    for number in range(len(self._index.ticks)):
      frame = self._find(run, number)
      if frame is None:
        raise _faulty(number)
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
    if not is_first:  # Frames shown before refer to what is not decoded.
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
      packets: To decode, from that of `number` on.
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


def _find(run: Iterator[av.VideoFrame], begin: int, shown: int) -> av.VideoFrame | None:
  """Returns the frame shown at a time.

  None stands for a frame that is missing, or faulty; also if one before it is,
  from the keyframe on that is shown at `begin`, as it may refer to that.
  """
  for frame in run:
    if frame.pts is None or frame.pts < begin:
      continue
    if frame.is_corrupt or frame.pts > shown:
      return None
    if frame.pts == shown:
      return frame
  return None


def _faulty(number: int) -> VideoError:
  return VideoError(f"frame {number} cannot be decoded without faults")
