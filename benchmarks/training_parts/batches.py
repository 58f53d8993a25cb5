"""Times batches of clips, for benchmarks.training.

They are compared with decoding by PyAV only, and with torch's DataLoader with
as many processes as ours has threads.
"""

import concurrent.futures
import contextlib
import functools
import itertools
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

import av
import numpy as np

from benchmarks.reference import data_loader
from benchmarks.shared import timing
from benchmarks.shared.videos import LENGTH, write_videos
from temporal_jax import data

# The videos are so short that every drawn clip has the same frames.
_FRAMES, _STRIDE = 8, 8


class Setting(NamedTuple):
  """Size of the videos, and of the clips read from them, in pixels.

  Attributes:
    size: Height and width of the videos.
    short_side: Shorter side of a frame after resizing.
    image_size: Side of the random crop.
    canvas: Height and width to which whole frames are stretched instead.
  """

  size: tuple[int, int]
  short_side: int | None = 256
  image_size: int = 224
  canvas: tuple[int, int] | None = None

  def clip(self) -> data.ClipFormat:
    """Returns the format of the clips."""
    return data.ClipFormat(
      num_frames=_FRAMES,
      image_size=self.image_size,
      short_side=None if self.canvas else self.short_side,
      sampling="dense",
      stride=_STRIDE,
      canvas=self.canvas,
    )

  def resized(self) -> tuple[int, int]:
    """Returns height and width of a frame after resizing."""
    if self.canvas:
      return self.canvas
    scale = self.short_side / min(self.size)
    return tuple(round(side * scale) for side in self.size)


SETTINGS = tuple(
  Setting(size, canvas=canvas)
  for size in ((240, 320), (480, 640))
  for canvas in (None, (256, 340))
)


def measure(
  setting: Setting,
  *,
  seconds: float = 2.0,
  batch: int = 8,
  num_threads: int = 4,
  videos: int = 16,
) -> dict[str, Any]:
  """Times our batches of clips, decoding only, and torch's DataLoader.

  Each runs for some batches in turns, and none works in the timed run of
  another: clips that ours decodes ahead are used up and replaced in runs that
  are not timed; a turn of the loader is an epoch.

  Args:
    setting: Sizes of videos and clips.
    seconds: Seconds to spend.
    batch: Clips per batch.
    num_threads: Threads of ours and of PyAV, and processes of the loader.
    videos: Number of files.
  """
  ahead = 2 * batch + num_threads  # Clips.
  batches = -(-ahead // batch) + 1
  # Each of the loader's processes makes whole batches; all end together.
  batches = -(-batches // num_threads) * num_threads
  with (
    tempfile.TemporaryDirectory() as folder,
    concurrent.futures.ThreadPoolExecutor(num_threads) as pool,
  ):
    files = write_videos(pathlib.Path(folder), videos, setting.size)
    mine = train_batches(setting, files, batch, num_threads)
    clips = [*itertools.islice(itertools.cycle(files), batches * batch)]

    def ours() -> None:
      for _ in range(batches):
        next(mine)

    def theirs() -> None:
      for _ in pool.map(lambda file: decode(setting, file), clips):
        pass

    loader = data_loader.batches(
      files=2 * clips,
      decode=functools.partial(decode, setting),
      side=0 if setting.canvas else setting.image_size,
      batch=batch,
      workers=num_threads,
    )

    def loaded() -> None:
      for _ in range(batches):
        next(loader)

    with contextlib.closing(loader):  # And its processes.
      times, by_loader = (
        timing.side_by_side(ours, other, seconds=seconds, turns=(3, 20), repeats=1)
        for other in (theirs, loaded)
      )
  form = setting.clip()
  return {
    "videos": f"{setting.size[1]} x {setting.size[0]}, {LENGTH} frames",
    "clip": (_FRAMES, *(form.canvas or 2 * (form.image_size,)), 3),
    "threads": num_threads,
    "clips_per_second": {
      "ours": 1e3 * len(clips) / times.ours,
      "theirs": 1e3 * len(clips) / times.theirs,
      "loader": 1e3 * len(clips) / by_loader.theirs,
    },
    "ratio": times.ratio,
    "loader_ratio": by_loader.ratio,
  }


def train_batches(
  setting: Setting, files: list[str], batch: int, num_threads: int
) -> Iterator[dict[str, np.ndarray]]:
  """Returns endless batches of clips of the files, listed about 1000 times.

  grain takes 20 microseconds to draw one of a thousand files, but
  3 milliseconds to draw one of eight.
  """
  listed = [(file, 0) for file in files] * -(-1000 // len(files))
  return data.train_batches(
    data.VideoOpener(data.FileSource(listed, ("any",)), data.BadVideos("raise")),
    setting.clip(),
    batch_size=batch,
    seed=0,
    num_threads=num_threads,
  )


def decode(setting: Setting, file: str) -> list[np.ndarray]:
  """Returns the resized frames of a file's clip, decoded by PyAV only."""
  height, width = setting.resized()
  interpolation = "BICUBIC" if setting.canvas else "BILINEAR"
  pictures = []
  with av.open(file) as container:
    stream = container.streams.video[0]
    stream.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    for number, frame in enumerate(container.decode(stream)):
      if number % _STRIDE == 0:
        picture = frame.reformat(width, height, "rgb24", interpolation=interpolation)
        pictures.append(picture.to_ndarray())
  return pictures
