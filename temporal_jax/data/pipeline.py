"""From a source of videos to batches of uint8 clips, by grain."""

import dataclasses
from typing import Any

import grain
import numpy as np

from temporal_jax.data import cropping, sampling
from temporal_jax.data.bad_videos import BadVideos
from temporal_jax.data.decoding import VideoError, VideoReader
from temporal_jax.data.sources import Source

Batch = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class ClipFormat:
  """How a clip is cut from a video.

  Attributes:
    num_frames: Frames in a clip, T.
    image_size: Side of the square crop, in pixels.
    short_side: Pixels to which a frame's shorter side is resized before the
      crop; None keeps the video's size.
    sampling: "segment" or "dense", see `sampling.sample_indices`.
    stride: Frames from one to the next, for "dense".
  """

  num_frames: int
  image_size: int
  short_side: int | None = None
  sampling: str = "segment"
  stride: int = 1

  def __post_init__(self) -> None:
    sampling.check(self.sampling, self.num_frames, self.stride)
    if self.image_size < 1 or (self.short_side or self.image_size) < (
      self.image_size
    ):
      raise ValueError(
        f"image_size {self.image_size} must be positive and at most short_side "
        f"{self.short_side}."
      )


@dataclasses.dataclass(frozen=True)
class _ReadClip:
  """Decodes, samples and crops one video of `source`."""

  source: Source
  clip: ClipFormat
  bad_videos: BadVideos

  def __call__(
    self, index: int, rng: np.random.Generator | None
  ) -> dict[str, Any] | None:
    """Returns the clip of video `index`, at random if `rng` is given.

    A bad video gives None when it is to be skipped, else a clip of weight 0.
    """
    video = self.source[index]
    try:
      with VideoReader(video["video"]) as reader:
        indices = sampling.sample_indices(
          reader.num_frames,
          self.clip.num_frames,
          sampling=self.clip.sampling,
          stride=self.clip.stride,
          rng=rng,
        )
        frames = reader.read(indices, short_side=self.clip.short_side)
    except VideoError as error:
      self.bad_videos.add(video["id"], str(error), listed=len(self.source))
      if self.bad_videos.policy == "skip":
        return None
      return self.blank(video["label"], video["id"])
    try:
      frames = cropping.crop(frames, self.clip.image_size, rng)
    except ValueError as error:
      raise ValueError(
        f"{video['id']}: {error} Set config.data.short_side to resize first."
      ) from error
    return self._element(frames, video["label"], 1.0, video["id"])

  def blank(self, label: int = 0, name: str = "") -> dict[str, Any]:
    """Returns black frames of weight zero."""
    side = self.clip.image_size
    frames = np.zeros((self.clip.num_frames, side, side, 3), np.uint8)
    return self._element(frames, label, 0.0, name)

  def _element(self, frames, label, weight, name) -> dict[str, Any]:
    return {
      "clip": np.ascontiguousarray(frames),
      "label": np.int32(label),
      "weight": np.float32(weight),
      "id": np.str_(name),
    }


def train_batches(
  source: Source,
  clip: ClipFormat,
  *,
  batch_size: int,
  seed: int,
  bad_videos: BadVideos,
  num_threads: int = 4,
  process_index: int = 0,
  process_count: int = 1,
) -> grain.DatasetIterator:
  """Endless batches of random clips, reshuffled every epoch.

  The state of the iterator says which batch comes next; an iterator set to a
  state gives the same batches again, bit for bit.

  Args:
    source: The training videos.
    clip: How a clip is cut from a video.
    batch_size: Clips a batch, of this process.
    seed: Of order, frames and crops.
    bad_videos: What to do with a video that cannot be read.
    num_threads: Threads that decode.
    process_index: This process reads every `process_count`-th video from here.
    process_count: Processes that share the data.

  Yields:
    {"clip": (B, T, S, S, 3) uint8, "label": (B,) int32, "weight": (B,) float32,
    0 for a masked clip, "id": (B,) str}.

  Raises:
    ValueError: If there are fewer videos than processes.
  """
  if len(source) < process_count:
    raise ValueError(
      f"{len(source)} training videos are too few for {process_count} "
      "processes."
    )
  read = _ReadClip(source, clip, bad_videos)
  videos = grain.MapDataset.range(len(source)).seed(seed).shuffle()
  clips = videos[process_index::process_count].repeat().random_map(read)
  options = grain.ReadOptions(
    num_threads=num_threads, prefetch_buffer_size=2 * batch_size + num_threads
  )
  return iter(clips.to_iter_dataset(options).batch(batch_size))


def eval_batches(
  source: Source,
  clip: ClipFormat,
  *,
  batch_size: int,
  bad_videos: BadVideos,
  num_threads: int = 4,
  process_index: int = 0,
  process_count: int = 1,
) -> grain.IterDataset:
  """Every video once, in order, in full batches.

  The last batch is filled with black clips of weight 0, and so is the place of
  a bad video; all processes get the same number of batches.

  Args:
    source: The videos.
    clip: How a clip is cut from a video; frames and crop are the middle ones.
    batch_size: Clips a batch, of this process.
    bad_videos: What to do with a video that cannot be read.
    num_threads: Threads that decode.
    process_index: This process reads every `process_count`-th video from here.
    process_count: Processes that share the data.

  Returns:
    An iterable of batches as of `train_batches`; it can be walked again.
  """
  read = _ReadClip(source, clip, bad_videos)
  together = batch_size * process_count
  padded = -(-len(source) // together) * together

  def read_or_pad(index: int) -> dict[str, Any]:
    if index >= len(source):
      return read.blank()
    return read(index, None) or read.blank(source[index]["label"])

  videos = grain.MapDataset.range(padded)[process_index::process_count]
  options = grain.ReadOptions(
    num_threads=num_threads, prefetch_buffer_size=2 * batch_size + num_threads
  )
  clips = videos.map(read_or_pad).to_iter_dataset(options)
  return clips.batch(batch_size)
