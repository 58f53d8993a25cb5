"""From a video to a clip of uint8 frames."""

import dataclasses
import functools
from typing import Any

import numpy as np

from temporal_jax.data import cropping, sampling
from temporal_jax.data.bad_videos import BadVideos
from temporal_jax.data.decoding import TIME_LIMIT
from temporal_jax.data.labels import Label, encode_label
from temporal_jax.data.pictures import VideoError
from temporal_jax.data.readers import num_channels, open_reader
from temporal_jax.data.sources import Source


@dataclasses.dataclass(frozen=True)
class ClipFormat:
  """How a clip is cut from a video.

  Attributes:
    num_frames: Frames in a clip, T.
    image_size: Side of the square crop, in pixels.
    short_side: Pixels to which a frame's shorter side is resized before the
      crop; None keeps the video's size or, with a canvas, takes the canvas'
      shorter side.
    sampling: "segment" or "dense", see `sampling.sample_indices`.
    stride: Frames from one to the next, for "dense".
    canvas: Height and width to which whole training frames are stretched, for
      the device to crop; None crops them here at random.
    time_limit: Seconds that opening a video file, and reading a clip, may take;
      one that takes longer counts as bad.
  """

  num_frames: int
  image_size: int
  short_side: int | None = None
  sampling: str = "segment"
  stride: int = 1
  canvas: tuple[int, int] | None = None
  time_limit: float = TIME_LIMIT

  def __post_init__(self) -> None:
    sampling.check(self.sampling, self.num_frames, self.stride)
    if self.canvas is not None and (
      len(self.canvas) != 2 or min(self.canvas) < 1
    ):
      raise ValueError(
        "canvas must be a positive height and width, or None; got "
        f"{self.canvas}."
      )
    if self.time_limit <= 0:
      raise ValueError(
        f"time_limit must be a positive time in s, got {self.time_limit}."
      )
    resized = self.resized_side()
    if self.image_size < 1 or (resized or self.image_size) < self.image_size:
      raise ValueError(
        f"image_size {self.image_size} must be positive and at most short_side "
        f"{resized}."
      )

  def resized_side(self) -> int | None:
    """Returns the shorter side of a frame before the crop, if it is resized."""
    if self.short_side is None and self.canvas is not None:
      return min(self.canvas)
    return self.short_side


@dataclasses.dataclass(frozen=True)
class ClipReader:
  """Decodes, samples and cuts videos of `source`.

  Attributes:
    source: The videos.
    clip: How a clip is cut from a video.
    bad_videos: What to do with a video that cannot be read.
  """

  source: Source
  clip: ClipFormat
  bad_videos: BadVideos

  def random(
    self, index: int, rng: np.random.Generator
  ) -> dict[str, Any] | None:
    """Returns a random clip of video `index`, on the canvas if there is one."""
    return self._read(index, rng, self.clip.canvas)

  def middle(self, index: int) -> dict[str, Any] | None:
    """Returns the middle frames and crop of video `index`."""
    return self._read(index, None, None)

  def blank(
    self, label: Label, name: str, canvas: tuple[int, int] | None = None
  ) -> dict[str, Any]:
    """Returns black frames of weight zero."""
    height, width = canvas or 2 * (self.clip.image_size,)
    shape = (self.clip.num_frames, height, width, self._channels)
    frames = np.zeros(shape, np.uint8)
    return self._element(frames, canvas, label, 0.0, name)

  @functools.cached_property
  def _channels(self) -> int:
    """Channels of a frame."""
    return num_channels(self.source[0]["video"])

  def _read(
    self,
    index: int,
    rng: np.random.Generator | None,
    canvas: tuple[int, int] | None,
  ) -> dict[str, Any] | None:
    """Returns a clip.

    A bad video gives None when it is to be skipped, else a clip of weight 0.
    """
    video = self.source[index]
    name, size = video["id"], None
    try:
      with open_reader(
        video["video"], time_limit=self.clip.time_limit
      ) as reader:
        indices = sampling.sample_indices(
          reader.num_frames,
          self.clip.num_frames,
          sampling=self.clip.sampling,
          stride=self.clip.stride,
          rng=rng,
        )
        if canvas is None:
          side = self.clip.resized_side()
          frames = reader.pictures(indices, short_side=side)
        else:
          frames, size = reader.read_stretched(indices, canvas)
    except VideoError as error:
      self.bad_videos.add(name, str(error), listed=len(self.source))
      if self.bad_videos.policy == "skip":
        return None
      return self.blank(video["label"], name, canvas)
    try:
      if canvas is None:
        frames = cropping.crop(frames, self.clip.image_size, rng)
    except ValueError as error:
      raise ValueError(
        f"{name}: {error} Set config.data.short_side to resize first."
      ) from error
    return self._element(frames, size, video["label"], 1.0, name)

  def _element(
    self,
    frames: np.ndarray,
    size: tuple[int, int] | None,
    label: Label,
    weight: float,
    name: str,
  ) -> dict[str, Any]:
    """One row of a batch; `size` is the video's where it was stretched."""
    element = {
      "clip": frames,
      "label": encode_label(label, self.source.class_names),
      "weight": np.float32(weight),
      "id": np.str_(name),
    }
    if size is not None:
      scale = self.clip.resized_side() / min(size)
      element["size"] = np.array(size, np.float32) * np.float32(scale)
    return element
