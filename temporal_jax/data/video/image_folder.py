"""Videos kept as numbered pictures in a folder."""

import abc
import dataclasses
import os
from collections.abc import Iterator, Sequence
from typing import Self

import av
import numpy as np

from temporal_jax.data.listing.file_names import suffix
from temporal_jax.data.listing.regular_files import open_regular
from temporal_jax.data.video.numbered_pictures import (
  DECODERS,
  check_pattern,
  find_pattern,
  number_form,
)
from temporal_jax.data.video.pictures import (
  MAX_PIXELS,
  PIXEL_LIMIT,
  Scaler,
  VideoError,
  check_indices,
  reason,
  upright,
)
from temporal_jax.validation import check_at_least

# Largest file of a picture: four channels of 16 bits, not compressed.
_MAX_BYTES = 8 * MAX_PIXELS


@dataclasses.dataclass(frozen=True)
class ImageFolder:
  """A video as a folder of pictures, one per frame.

  Attributes:
    folder: Its path.
    pattern: Pattern of the pictures' names, with * for their number, which may
      have leading zeros: "*.jpg", "img_*.png"; "" where all numbered pictures
      of the folder fit one pattern, which is then found out.
    first: Number of the first frame; None for the lowest that is there.
    num_frames: Frames from there on; None for all that are there.
    fps: Frames per second, if known.
  """

  folder: str
  pattern: str = ""
  first: int | None = None
  num_frames: int | None = None
  fps: float | None = None

  def __post_init__(self) -> None:
    if self.pattern:
      check_pattern(self.pattern)
    if self.num_frames is not None:
      check_at_least("num_frames", self.num_frames, 1)


class EvenlyTimedReader(abc.ABC):
  """Base of readers whose frames are all shown for the same time.

  Use as a context manager: it always closes the reader.

  Attributes:
    num_frames: Frames, at least 1.
    fps: Frames per second, if known.
  """

  num_frames: int
  fps: float | None

  def __enter__(self) -> Self:
    return self

  def __exit__(self, *exception: object) -> None:
    self.close()

  @abc.abstractmethod
  def close(self) -> None:
    """Frees the decoders; further calls do nothing."""

  @property
  def times(self) -> list[float]:
    """Time of each frame on the screen, in seconds after the first.

    Raises:
      VideoError: If the frames per second are not known.
    """
    if not self.fps:
      raise VideoError("the frames per second are not known")
    return [number / self.fps for number in range(self.num_frames)]


class ImageFolderReader(EvenlyTimedReader):
  """Reads pictures by their index, as `VideoReader` does frames.

  Attributes:
    num_frames: Pictures, at least 1.
    fps: Frames per second, if known.
  """

  def __init__(self, images: ImageFolder, *, form: str = "rgb24"):
    """Lists the pictures.

    Args:
      images: Folder of the pictures, with the pattern of their names.
      form: "rgb24", or "gray" for one channel.

    Raises:
      VideoError: If the folder or a picture of the range is missing, two have
        one number, or the pattern is not given and there are several.
    """
    if not images.pattern:
      pattern = find_pattern(images.folder)
      images = dataclasses.replace(images, pattern=pattern)
    self.fps = images.fps
    self._form = form
    self._files = _list(images)
    self.num_frames = len(self._files)
    self._scaler = Scaler()
    context = av.CodecContext.create(DECODERS[suffix(images.pattern)], "r")
    context.thread_type, context.thread_count = "NONE", 1
    # A broken picture is an error, instead of being filled up.
    context.options = {"err_detect": "explode", **PIXEL_LIMIT}
    self._context = context

  def close(self) -> None:
    """Frees the decoder; further calls do nothing."""
    self._context = self._scaler = None

  def pictures(
    self, indices: Sequence[int], *, short_side: int | None = None
  ) -> list[np.ndarray]:
    """Reads pictures, the right way up by their EXIF orientation.

    Args:
      indices: Numbers in [0, num_frames), in any order, also repeated.
      short_side: Pixels to which the shorter side is resized, keeping the
        aspect; None keeps the size.

    Returns:
      Pictures (H, W, C), uint8.

    Raises:
      IndexError: If an index is out of range.
      VideoError: If a picture cannot be read, is larger than `MAX_PIXELS`,
        also resized, or their sizes differ.
    """
    read = {
      index: self._scaler.keep_aspect(
        frame, (frame.height, frame.width), short_side, self._form
      )
      for index, frame in self._decode(indices)
    }
    return [read[index] for index in indices]

  def read_stretched(
    self, indices: Sequence[int], canvas: tuple[int, int]
  ) -> tuple[np.ndarray, tuple[int, int]]:
    """Reads whole pictures and stretches them to one size.

    Args:
      indices: See `pictures`.
      canvas: Height and width of the result, H and W.

    Returns:
      Pictures (len(indices), H, W, C), uint8, and their height and width before
      they were stretched.

    Raises:
      IndexError: If an index is out of range.
      VideoError: If a picture cannot be read, or their sizes differ.
    """
    read, size = {}, (0, 0)
    for index, frame in self._decode(indices):
      read[index] = self._scaler.stretch(frame, canvas, self._form)
      size = upright(frame, (frame.height, frame.width))
    return np.stack([read[index] for index in indices]), size

  def _decode(self, indices: Sequence[int]) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yields each picture once."""
    check_indices(indices, self.num_frames)
    size = None
    for index in sorted(set(indices)):
      file = self._files[index]
      name = os.path.basename(file)
      try:
        content = _read_bytes(file)
        packet = av.Packet(content)
        packet.is_keyframe = True  # Or PNG would add it to the one before.
        (frame,) = self._context.decode(packet)
      except VideoError as error:
        raise VideoError(f"{name}: {error}") from error
      except (av.FFmpegError, OSError, ValueError) as error:
        why = reason(error, self._context)
        raise VideoError(f"{name}: {why}") from error
      if frame.is_corrupt:
        raise VideoError(f"{name} is damaged")
      shown = upright(frame, (frame.height, frame.width))
      if size not in (None, shown):
        raise VideoError(
          f"{name} is {shown[0]} x {shown[1]} pixels, another picture "
          f"{size[0]} x {size[1]}"
        )
      size = shown
      yield index, frame


def _read_bytes(file: str) -> bytes:
  """Returns the content of a picture's file."""
  with open_regular(file) as opened:
    content = opened.read(_MAX_BYTES + 1)
  if not content:
    raise VideoError("the file is empty")
  if len(content) > _MAX_BYTES:
    raise VideoError(f"the file has more than {_MAX_BYTES:,} bytes")
  return content


def _list(images: ImageFolder) -> list[str]:
  """Returns the paths of the pictures, in order."""
  # The pattern may name a folder in the folder: "x/*.jpg".
  inner, pattern = os.path.split(images.pattern)
  folder = os.path.join(images.folder, inner)
  try:
    names = os.listdir(folder)
  except OSError as error:
    raise VideoError(f"the folder: {reason(error)}") from error
  form = number_form(pattern)
  numbers: dict[int, str] = {}
  for name in names:
    match = form.fullmatch(name)
    if match and numbers.setdefault(int(match[1]), name) != name:
      raise VideoError(f"{name} and {numbers[int(match[1])]} have the same number")
  if not numbers:
    raise VideoError(f"the folder has no picture {pattern}")
  first = min(numbers) if images.first is None else images.first
  last = max(numbers)
  if images.num_frames is not None:
    last = first + images.num_frames - 1
  wanted = range(first, last + 1)
  missing = [number for number in wanted if number not in numbers]
  if missing or not wanted:
    raise VideoError(
      f"pictures {pattern} from {first} to {last} are wanted; "
      f"{len(missing)} are missing, the first of them {missing[:1]}"
    )
  return [os.path.join(folder, numbers[number]) for number in wanted]
