"""Cut-outs of photographs, painted onto frames where they move."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image

_FINE = 2  # Samples of a pixel's side.
_REACH = 1.7  # Half the side of a cut-out's picture, in its radii.
_EDGE = 1.5  # Width of the soft edge, in pixels of a frame.


@dataclasses.dataclass(frozen=True)
class Track:
  """Changes of a cut-out in each of T frames; those of several events add up.

  Attributes:
    x: (T,), to the right, in views.
    y: (T,), downwards, in views.
    growth: (T,), logarithm of its size.
    turn: (T,), clockwise, in radians.
    fade: (T,), share of its opacity that is gone.
    depth: (T,), cut-outs of greater depth are painted over others.
  """

  x: np.ndarray | float = 0.0
  y: np.ndarray | float = 0.0
  growth: np.ndarray | float = 0.0
  turn: np.ndarray | float = 0.0
  fade: np.ndarray | float = 0.0
  depth: np.ndarray | float = 0.0

  def __add__(self, other: "Track") -> "Track":
    return Track(
      *(
        getattr(self, field.name) + getattr(other, field.name)
        for field in dataclasses.fields(self)
      )
    )

  def at(self, time: int) -> "Track":
    """Returns the changes in one frame."""
    values = (getattr(self, field.name) for field in dataclasses.fields(self))
    return Track(*(value[time] if np.ndim(value) else value for value in values))


def cut_out(
  photograph: Image.Image, rng: np.random.Generator, *, radius: float, view: int
) -> Image.Image:
  """Cuts a smooth longish shape out of a random place of a photograph.

  Args:
    photograph: RGB picture.
    rng: Source of all randomness.
    radius: Mean radius of the shape, in views.
    view: Side of a frame, in pixels.

  Returns:
    RGBA picture, finer than frames, with the shape in its middle.
  """
  side = round(2 * _REACH * radius * view * _FINE)
  patch = min(photograph.size) * rng.uniform(0.3, 0.7)
  left, top = rng.uniform((0, 0), np.subtract(photograph.size, patch))
  picture = photograph.resize(
    (side, side),
    Image.Resampling.BICUBIC,
    (left, top, left + patch, top + patch),
    reducing_gap=2,
  )
  y, x = np.mgrid[:side, :side] - (side - 1) / 2
  angle = np.arctan2(y, x) + rng.uniform(0, 2 * np.pi)
  # An ellipse, and waves of its border.
  outline = np.exp(rng.uniform(0.15, 0.3) * np.cos(2 * angle))
  for waves in (3, 4, 5):
    wave = np.cos(waves * angle + rng.uniform(0, 2 * np.pi))
    outline += rng.uniform(0, 0.08) * wave
  inside = outline * radius * view - np.hypot(x, y) / _FINE  # Pixels.
  alpha = np.clip(inside / _EDGE + 0.5, 0, 1)
  picture.putalpha(Image.fromarray(np.uint8(255 * alpha + 0.5)))
  return picture


def paint(
  frames: Sequence[Image.Image],
  cutouts: Sequence[Image.Image],
  tracks: Sequence[Track],
) -> np.ndarray:
  """Paints cut-outs onto frames.

  Args:
    frames: T square RGB pictures, which are changed.
    cutouts: N pictures of `cut_out`.
    tracks: N tracks, from the middle of the frames.

  Returns:
    Frames (T, V, V, 3), uint8. Each depends on the tracks in that frame only.
  """
  for time, frame in enumerate(frames):
    now = [track.at(time) for track in tracks]
    for number in sorted(range(len(now)), key=lambda number: now[number].depth):
      layer, corner = _place(cutouts[number], now[number], frame.width)
      frame.paste(layer, corner, layer)
  return np.stack([np.asarray(frame) for frame in frames])


def _place(
  cutout: Image.Image, now: Track, view: int
) -> tuple[Image.Image, tuple[int, int]]:
  """Returns a cut-out as a frame shows it, and its upper left pixel."""
  side = int(np.ceil(cutout.width / _FINE * np.exp(now.growth))) + 1
  middle = np.multiply(0.5 + np.array([now.x, now.y]), view)  # Pixels.
  corner = np.floor(middle - side / 2)
  x, y = (middle - corner) * _FINE  # Fine pixels.
  scale = np.exp(-now.growth)  # The cut-out's pixels per fine pixel.
  cos, sin = scale * np.cos(now.turn), scale * np.sin(now.turn)
  half = cutout.width / 2
  # PIL maps a fine pixel (u, v) to the cut-out's (x, y).
  fine = cutout.transform(
    (side * _FINE, side * _FINE),
    Image.Transform.AFFINE,
    (cos, sin, half - cos * x - sin * y, -sin, cos, half + sin * x - cos * y),
    Image.Resampling.BILINEAR,
  )
  layer = fine.reduce(_FINE)
  if now.fade:
    opacity = layer.getchannel("A").point(lambda alpha: round(alpha * (1 - now.fade)))
    layer.putalpha(opacity)
  return layer, (int(corner[0]), int(corner[1]))
