"""Index of a video's frames by the times of its packets.

They are found without decoding anything; then only the groups of pictures that
hold a wanted frame are decoded.
"""

import bisect
import dataclasses
import fractions
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import av
import numpy as np

from temporal_jax.data.video.picture_types import PictureTypes
from temporal_jax.data.video.pictures import VideoError

# Yields the packets from where a container is, as long as there is time.
Demux = Callable[[av.container.InputContainer, av.VideoStream], Iterator[av.Packet]]
OpenFile = tuple[av.container.InputContainer, av.VideoStream]

# A decoder holds at most 16 frames back (H.264 and HEVC, annex A), so that no
# frame is shown further from its place in the file.
_LARGEST_DELAY = 16

# Containers that store when a frame is decoded, or no time at all. FFmpeg
# guesses when it is shown, not always rightly.
_WITHOUT_TIMES = {"asf", "avi", "h264", "hevc", "m4v", "mpegvideo"}


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


@dataclasses.dataclass(frozen=True)
class FrameIndex:
  """The frames of a video, in the order in which they are shown.

  Attributes:
    ticks: Presentation time of each frame, ascending, in units of `time_base`.
    time_base: Seconds of a tick.
    declared_rate: Frames per second by the container, None if it has none.
  """

  ticks: Sequence[int]
  time_base: fractions.Fraction
  declared_rate: fractions.Fraction | None

  def seconds(self) -> list[float]:
    """Returns the time of each frame, in seconds after the first."""
    first = self.ticks[0]
    # Whole numbers: products of fractions would take a tenth of the opening.
    up, down = self.time_base.as_integer_ratio()
    return [(tick - first) * up / down for tick in self.ticks]

  def rate(self) -> float | None:
    """Returns frames per second, on average; None of a single frame."""
    if len(self.ticks) == 1:
      return None
    span = (self.ticks[-1] - self.ticks[0]) * self.time_base
    measured = (len(self.ticks) - 1) / span
    declared = self.declared_rate
    # Some formats round times to thousandths.
    close = declared and math.isclose(declared, measured, rel_tol=0.01)
    return float(declared if close else measured)


@dataclasses.dataclass(frozen=True)
class TimedIndex(FrameIndex):
  """Frames that are identified by when they are shown: their time is unique.

  Attributes:
    keys: Presentation times of the frames to begin decoding with, ascending;
      some of these frames may not be shown.
    decoding_times: Decoding times of `keys`; the presentation times, if
      unknown.
    packets: The number of each frame's packet, among those that hold a frame.
    num_left_out: Packets before the first keyframe.
  """

  keys: Sequence[int]
  decoding_times: Sequence[int]
  packets: np.ndarray
  num_left_out: int

  def key_before(self, tick: int) -> int:
    """Returns the number, in `keys`, to begin with for the frame at `tick`."""
    return max(bisect.bisect_right(self.keys, tick) - 1, 0)

  def keyframes(self) -> list[int]:
    """Returns the numbers of the frames of `keys` that are shown."""
    numbers = {tick: number for number, tick in enumerate(self.ticks)}
    return [numbers[key] for key in self.keys if key in numbers]


def index_by_times(
  packets: Iterable[av.Packet],
  container: av.container.InputContainer,
  stream: av.VideoStream,
) -> TimedIndex | None:
  """Finds the frames of a video by the times of its packets.

  Packets before the first keyframe do not count: frames they refer to were cut
  away.

  Args:
    packets: All packets of the stream.
    container: The open file.
    stream: Its stream.

  Returns:
    The index, or None if the times do not determine the order of the frames: a
    packet has no time or another packet's, frames are shown too far from their
    place in the file, the codec reorders frames and the times do not, packets
    hold fields, no packet is marked as a keyframe, or frames are shown before
    the first keyframe, which may refer to frames cut away.

  Raises:
    VideoError: If there is no frame.
  """
  shown, numbers, keys = [], [], {}
  count, num_left_out, reorders, ascending = 0, 0, False, True
  types = PictureTypes(stream.codec_context)
  is_vp8 = stream.codec_context.name == "vp8"
  for packet in packets:
    if not packet.size or (is_vp8 and not _is_shown_in_vp8(packet)):
      continue
    if not keys and not packet.is_keyframe:
      count += 1
      continue
    if packet.pts is None or types.holds_field(packet):
      return None
    if not keys:
      num_left_out = count
    if packet.is_keyframe:
      keys[packet.pts] = packet.pts if packet.dts is None else packet.dts
    if not packet.is_discard:
      ascending = ascending and (not shown or packet.pts > shown[-1])
      shown.append(packet.pts)
      numbers.append(count)
    count += 1
    if ascending and not reorders:
      reorders = types.may_reorder(packet)
  if count and not keys:
    return None
  if not shown:
    raise VideoError("the file has no video frames")
  if ascending and reorders and len(shown) > 1:
    return None
  if not ascending and not stores_times(container, stream):
    return None
  order = np.argsort(shown, kind="stable")
  if shown[order[0]] < next(iter(keys)):
    return None
  ticks = [shown[place] for place in order.tolist()]
  delays = np.abs(order - np.arange(len(order)))
  if delays.max() > _LARGEST_DELAY or len(set(ticks)) < len(ticks):
    return None
  ordered_keys = sorted(keys)
  return TimedIndex(
    ticks=ticks,
    time_base=stream.time_base,
    declared_rate=stream.average_rate,
    keys=ordered_keys,
    decoding_times=[keys[key] for key in ordered_keys],
    packets=np.array(numbers, np.int32)[order],
    num_left_out=num_left_out,
  )


def stores_times(
  container: av.container.InputContainer, stream: av.VideoStream
) -> bool:
  """Returns whether a file stores when each frame is shown."""
  formats = set(container.format.name.split(","))
  # Matroska holds streams of AVI as they were, by a code of four letters.
  from_avi = "matroska" in formats and stream.codec_context.codec_tag.strip("\0")
  return not (from_avi or formats & _WITHOUT_TIMES)


def _is_shown_in_vp8(packet: av.Packet) -> bool:
  """Returns whether a packet of VP8 is shown; others are only referred to."""
  return bool(memoryview(packet)[0] >> 4 & 1)  # RFC 6386, 9.1: show_frame.


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
        raise faulty_frame(ticks[shown])
      reached = shown
      yield ticks[shown], frame

  def all_frames(self) -> Iterator[av.VideoFrame]:
    """See `Player.all_frames`."""
    run = self._play(0, None)
    for number, shown in enumerate(self._index.ticks):
      frame = _find(run, shown, shown)
      if frame is None:
        raise faulty_frame(number)
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
    # Formats differ in the kind of times by which they seek.
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


def faulty_frame(number: int) -> VideoError:
  """Returns the error that a frame cannot be decoded without faults."""
  return VideoError(f"frame {number} cannot be decoded without faults")
