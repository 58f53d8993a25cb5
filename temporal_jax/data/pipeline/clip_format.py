"""How a training clip is cut from a video."""

import dataclasses

from temporal_jax.data import sampling


@dataclasses.dataclass(frozen=True)
class ClipFormat:
  """How a training clip is cut from a video.

  Attributes:
    num_frames: Frames in a clip, T.
    image_size: Side of the square crop, in pixels.
    short_side: Pixels to which a frame's shorter side is resized before the
      crop; None keeps the video's size or, with a canvas, takes the canvas'
      shorter side.
    sampling: Which frames, see `sampling.parse_sampling`.
    stride: Of "dense", in frames.
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

  def resized_side(self) -> int | None:
    """Returns the shorter side of a frame before the crop, if it is resized."""
    if self.short_side is None and self.canvas is not None:
      return min(self.canvas)
    return self.short_side
