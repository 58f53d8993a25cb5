"""Decoding chosen frames of an open container."""

import itertools
from collections.abc import Callable, Iterable, Iterator

import av

from temporal_jax.data.frame_index import FrameIndex
from temporal_jax.data.pictures import VideoError


class Player:
  """Finds frames of a stream by the times at which they are shown."""

  def __init__(
    self,
    container: av.container.InputContainer,
    stream: av.VideoStream,
    index: FrameIndex,
    in_time: Callable[[Iterable[av.Packet]], Iterator[av.Packet]],
  ):
    """Takes an open container.

    Args:
      container: The container.
      stream: Its stream.
      index: Where the frames of the stream are.
      in_time: Passes packets on, until it is too late.
    """
    self._container = container
    self._stream = stream
    self._index = index
    self._in_time = in_time

  def frames(self, times: set[int]) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yields the frames shown at `times`, and these, in order.

    Raises:
      VideoError: If a frame cannot be decoded, or not without faults.
      av.FFmpegError: If a packet cannot be decoded at all.
    """
    run, reached = iter(()), None
    for shown in sorted(times):
      key = self._index.key_before(shown)
      begin = min(self._index.keys[key], shown)
      if reached is not None and begin <= reached:
        frame = _find(run, begin, shown)
      else:
        run = self._play(key, times | {begin})
        frame = self._find_first(run, begin, shown)
      if frame is None:
        # Not every frame that counts as a keyframe can be begun with.
        run = self._play(0, None)
        frame = self._find_first(run, begin, shown)
      if frame is None:
        number = self._index.times.index(shown)
        raise VideoError(f"frame {number} cannot be decoded without faults")
      reached = shown
      yield shown, frame

  def all_frames(self) -> Iterator[av.VideoFrame]:
    """Yields every frame in order; each is decoded once.

    Raises:
      VideoError: If a frame cannot be decoded, or not without faults.
      av.FFmpegError: If a packet cannot be decoded at all.
    """
    run = self._play(0, None)
    for number, shown in enumerate(self._index.times):
      frame = _find(run, shown, shown)
      if frame is None:
        raise VideoError(f"frame {number} cannot be decoded without faults")
      yield frame

  def _find_first(
    self, run: Iterator[av.VideoFrame], begin: int, shown: int
  ) -> av.VideoFrame | None:
    """Returns a frame only if the one that it begins with is there as well."""
    known = begin == shown or begin not in self._index.times
    if not known and _find(run, begin, begin) is None:
      return None
    return _find(run, begin, shown)

  def _play(self, key: int, times: set[int] | None) -> Iterator[av.VideoFrame]:
    """Yields frames from one of the index's `keys` on.

    With `times`, frames at other times that no frame refers to are left out.
    """
    context = self._stream.codec_context
    context.skip_frame = "DEFAULT"
    for packet in self._in_time(self._packets(key)):
      if packet.pts is not None:
        if not packet.size:  # It would end the decoding.
          continue
        if times is not None:
          context.skip_frame = "DEFAULT" if packet.pts in times else "NONREF"
      yield from packet.decode()

  def _packets(self, key: int) -> Iterator[av.Packet]:
    """Returns the packets from one of the index's `keys`, or an earlier, on."""
    begin, decoding = self._index.keys[key], self._index.decoding_times
    # Formats differ in what the times are by which they seek.
    for place in (begin, decoding[key], decoding[0]):
      self._container.seek(place, stream=self._stream)
      packets = self._container.demux(self._stream)
      first = next(packets)
      if first.is_keyframe and first.pts is not None and first.pts <= begin:
        return itertools.chain((first,), packets)
    raise VideoError("the file cannot be searched for its frames")


def _find(
  run: Iterator[av.VideoFrame], begin: int, shown: int
) -> av.VideoFrame | None:
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
