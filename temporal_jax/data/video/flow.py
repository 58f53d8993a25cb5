"""Optical flow kept as pairs of pictures."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from temporal_jax.data.video.image_folder import (
  EvenlyTimedReader,
  ImageFolder,
  ImageFolderReader,
)
from temporal_jax.data.video.pictures import VideoError, check_indices
from temporal_jax.validation import check_at_least


@dataclasses.dataclass(frozen=True)
class FlowFolder:
  """The optical flow of a video: two grey pictures for each pair of frames.

  Attributes:
    folder: Path of the folder.
    x: Pattern of the names of the horizontal part's pictures, see
      `ImageFolder`: "*_x.jpg", "flow_x_*.jpg", "x/*.jpg".
    y: Pattern of the vertical part's pictures.
    first: Number of the first pair; None for the lowest that is there.
    num_pairs: Pairs from there on, one less than the video has frames; None for
      all that are there.
    fps: Pairs per second, if known.
    stack: Consecutive pairs that make a frame.
  """

  folder: str
  x: str = "*_x.jpg"
  y: str = "*_y.jpg"
  first: int | None = None
  num_pairs: int | None = None
  fps: float | None = None
  stack: int = 5

  def __post_init__(self) -> None:
    check_at_least("stack", self.stack, 1)
    self.part(self.x), self.part(self.y)

  def part(self, pattern: str) -> ImageFolder:
    """Returns the pictures of one part.

    Raises:
      ValueError: See `ImageFolder`.
    """
    return ImageFolder(self.folder, pattern, self.first, self.num_pairs, self.fps)


class FlowReader(EvenlyTimedReader):
  """Reads stacks of flow as if they were frames of many channels.

  Frame i is (x, y) of pair i, (x, y) of pair i + 1, and so on for all of the
  stack. Numbers past the last pair mean the last.

  Attributes:
    num_frames: Whole stacks; 1 where there are fewer pairs than a stack has.
    fps: Pairs per second, if known.

  Source: `VideoDataSet` in core/video_dataset.py of IBM/bLVNet-TAM at feadcd3.
  """

  def __init__(self, flow: FlowFolder):
    """Lists the pictures.

    Raises:
      VideoError: If the folder or a picture is missing.
    """
    self.fps = flow.fps
    self._stack = flow.stack
    self._parts = [
      ImageFolderReader(flow.part(pattern), form="gray") for pattern in (flow.x, flow.y)
    ]
    x, y = (part.num_frames for part in self._parts)
    if x != y:
      raise VideoError(f"there are {x} pictures {flow.x}, {y} {flow.y}")
    self._pairs = x
    self.num_frames = max(x - flow.stack + 1, 1)

  def close(self) -> None:
    """Frees the decoders; further calls do nothing."""
    for part in self._parts:
      part.close()

  def pictures(
    self, indices: Sequence[int], *, short_side: int | None = None
  ) -> list[np.ndarray]:
    """Returns frames (H, W, 2 stack), as `ImageFolderReader.pictures`."""
    pairs = self._of_stacks(indices)
    x, y = (part.pictures(pairs, short_side=short_side) for part in self._parts)
    return self._join(x, y, len(indices))

  def read_stretched(
    self, indices: Sequence[int], canvas: tuple[int, int]
  ) -> tuple[np.ndarray, tuple[int, int]]:
    """Returns frames as `ImageFolderReader.read_stretched`, C = 2 stack."""
    pairs = self._of_stacks(indices)
    (x, size), (y, _) = (part.read_stretched(pairs, canvas) for part in self._parts)
    return np.stack(self._join(x, y, len(indices))), size

  def _of_stacks(self, indices: Sequence[int]) -> list[int]:
    """Returns the pairs of all stacks, one after the other."""
    check_indices(indices, self.num_frames)
    return [
      min(index + step, self._pairs - 1)
      for index in indices
      for step in range(self._stack)
    ]

  def _join(
    self, x: Sequence[np.ndarray], y: Sequence[np.ndarray], count: int
  ) -> list[np.ndarray]:
    """Returns `count` frames of the parts of all stacks."""
    parts = [part for pair in zip(x, y, strict=True) for part in pair]
    size = 2 * self._stack
    return [
      np.concatenate(parts[size * n : size * (n + 1)], axis=-1) for n in range(count)
    ]
