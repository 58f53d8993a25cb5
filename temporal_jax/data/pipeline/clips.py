"""Reads random and fixed clips of the videos of a source."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from temporal_jax.data import sampling
from temporal_jax.data.labels import ClassNames, Label
from temporal_jax.data.pipeline.bad_videos import BadVideos
from temporal_jax.data.sampling import Lengths, Sampling
from temporal_jax.data.sources import Source, Video
from temporal_jax.data.video.decoding import TIME_LIMIT
from temporal_jax.data.video.pictures import VideoError, crop_square
from temporal_jax.data.video.readers import Reader, num_channels, open_reader
from temporal_jax.data.views import read_views
from temporal_jax.data.views.eval_protocol import EvalProtocol

Element = dict[str, Any]
Span = tuple[int, int]  # First frame, and number of frames.


@dataclasses.dataclass(frozen=True)
class ClipFormat:
  """Frames, size and sampling of a training clip.

  Attributes:
    num_frames: Frames in a clip, T.
    image_size: Side of the square crop, in pixels.
    short_side: Pixels to which a frame's shorter side is resized before the
      crop; None keeps the video's size or, with a canvas, takes the canvas'
      shorter side.
    sampling: Rule that chooses the frames, see `sampling.parse_sampling`.
    stride: Stride of "dense", in frames.
    canvas: Height and width to which whole frames are stretched, for the device
      to crop; None crops them here at random.
  """

  num_frames: int
  image_size: int
  short_side: int | None = None
  sampling: str = "segments"
  stride: int = 1
  canvas: tuple[int, int] | None = None

  def __post_init__(self) -> None:
    sampling.check(self.sampling, self.num_frames, self.stride)
    if self.canvas is not None and (len(self.canvas) != 2 or min(self.canvas) < 1):
      raise ValueError(
        f"canvas must be a positive height and width, or None; got {self.canvas}."
      )
    resized = self.resized_side()
    if self.image_size < 1 or (resized or self.image_size) < self.image_size:
      raise ValueError(
        f"image_size {self.image_size} must be positive and at most short_side "
        f"{resized}."
      )

  @functools.cached_property
  def rule(self) -> Sampling:
    """The sampling rule."""
    return sampling.parse_sampling(self.sampling, self.stride)

  def resized_side(self) -> int | None:
    """Returns the shorter side of a frame before the crop, if it is resized."""
    if self.short_side is None and self.canvas is not None:
      return min(self.canvas)
    return self.short_side


@dataclasses.dataclass(frozen=True)
class VideoOpener:
  """Opens videos of a source, whole or the part that is labelled.

  Attributes:
    source: The videos.
    bad_videos: Handling of videos that cannot be read.
    time_limit: Seconds that opening a video file, and reading a clip, may take;
      one that takes longer counts as bad.
    square_pixels: Whether pixels are made square, see `open_reader`.
  """

  source: Source
  bad_videos: BadVideos
  time_limit: float = TIME_LIMIT
  square_pixels: bool = False

  def __post_init__(self) -> None:
    if self.time_limit <= 0:
      raise ValueError(
        f"time_limit must be a positive time in s, got {self.time_limit}."
      )

  @functools.cached_property
  def channels(self) -> int:
    """Channels of a frame."""
    return num_channels(self.source[0]["video"])

  def read(self, index: int, take: Callable[[Reader, Span], Element]) -> Element | None:
    """Returns the result of `take` for video `index`; None if it is bad.

    Raises:
      BadVideoError: If the video cannot be read and `bad_videos` raises.
      ValueError: As `take`, with the video's name.
    """
    video = self.source[index]
    try:
      with open_reader(
        video["video"],
        time_limit=self.time_limit,
        square_pixels=self.square_pixels,
      ) as reader:
        return take(reader, labelled_span(reader, video))
    except VideoError as error:
      self.bad_videos.add(video["id"], str(error), listed=len(self.source))
      return None
    except ValueError as error:
      raise ValueError(f"{video['id']}: {error}") from error

  def element(
    self, index: int, clip: Element | None, blank: Callable[[], Element]
  ) -> Element:
    """Returns a row of a batch; without a clip `blank`'s, with weight 0."""
    video = self.source[index]
    return {
      **(blank() if clip is None else clip),
      "label": encode_label(video["label"], self.source.class_names),
      "weight": np.float32(clip is not None),
      "id": np.str_(video["id"]),
    }


@dataclasses.dataclass(frozen=True)
class RandomClips:
  """Clips to train on.

  Attributes:
    videos: Opener of the videos.
    clip: Frames, size and sampling of a clip.
  """

  videos: VideoOpener
  clip: ClipFormat

  def read(self, index: int, rng: np.random.Generator) -> Element | None:
    """Returns a random clip of video `index`, on the canvas if there is one.

    A bad video gives None when it is to be skipped, else a clip of weight 0.
    """
    taken = self.videos.read(index, lambda reader, span: self._take(reader, span, rng))
    if taken is None and self.videos.bad_videos.policy == "skip":
      return None
    return self.videos.element(index, taken, self._blank)

  def _take(self, reader: Reader, span: Span, rng: np.random.Generator) -> Element:
    first, total = span
    clip = self.clip
    lengths = Lengths(total, clip.num_frames, reader.fps)
    indices = first + clip.rule.choose(lengths, rng=rng)
    if clip.canvas is not None:
      frames, size = reader.read_stretched(indices, clip.canvas)
      return {"clip": frames, "size": self._resized(size)}
    frames = reader.pictures(indices, short_side=clip.resized_side())
    return {"clip": crop_square(frames, clip.image_size, rng)}

  def _blank(self) -> Element:
    """Returns black frames."""
    clip = self.clip
    height, width = clip.canvas or 2 * (clip.image_size,)
    shape = (clip.num_frames, height, width, self.videos.channels)
    blank = {"clip": np.zeros(shape, np.uint8)}
    if clip.canvas is not None:
      blank["size"] = self._resized(clip.canvas)
    return blank

  def _resized(self, size: tuple[int, int]) -> np.ndarray:
    """Returns the size of frames in their proportions, resized."""
    scale = self.clip.resized_side() / min(size)
    return np.array(size, np.float32) * np.float32(scale)


@dataclasses.dataclass(frozen=True)
class FixedClips:
  """Clips to test with: the same views of a video every time.

  Attributes:
    videos: Opener of the videos.
    protocol: Views of each video.
  """

  videos: VideoOpener
  protocol: EvalProtocol

  def read(self, index: int) -> Element:
    """Returns the views of video `index`, of weight 0 if it is bad."""
    return self.videos.element(index, self.videos.read(index, self._take), self._blank)

  def padding(self) -> Element:
    """Returns the filler of the last batch: first video's label, weight 0."""
    return self.videos.element(0, None, self._blank) | {"id": np.str_("")}

  def _take(self, reader: Reader, span: Span) -> Element:
    clips = read_views.read_views(reader, self.protocol, fps=reader.fps, span=span)
    return {"clip": clips.reshape(self._shape(clips.shape[-1]))}

  def _blank(self) -> Element:
    """Returns black frames."""
    return {"clip": np.zeros(self._shape(self.videos.channels), np.uint8)}

  def _shape(self, channels: int) -> tuple[int, ...]:
    """Returns (V, T, S, S, C), without V of a single view."""
    count, side = self.protocol.num_views, self.protocol.crop_size
    shape = (self.protocol.num_frames, side, side, channels)
    return shape if count == 1 else (count, *shape)


def labelled_span(reader: Reader, video: Video) -> Span:
  """Returns the part of a video that is labelled, or all of it.

  Raises:
    VideoError: If there are no frames at its times, or these are not known.
  """
  if "start" not in video:
    return 0, reader.num_frames
  try:
    return sampling.frames_of_span(reader.times, video["start"], video["stop"])
  except ValueError as error:
    raise VideoError(str(error)) from error


def encode_label(label: Label, class_names: ClassNames) -> np.ndarray:
  """Returns a label as an array.

  Args:
    label: Label of one video.
    class_names: Class names of its source.

  Returns:
    int32 () of one class, int32 (K,) of K tasks, or float32 (L,) of a set: 1
    for the classes in it, 0 for the others.
  """
  if isinstance(label, frozenset):
    several = np.zeros(len(class_names), np.float32)
    several[list(label)] = 1
    return several
  return np.asarray(label, np.int32)
