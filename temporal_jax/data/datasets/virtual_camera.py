"""A virtual camera that moves over a photograph."""

import dataclasses
from typing import NamedTuple

import numpy as np
from PIL import Image

from temporal_jax.validation import check_choice


class Motion(NamedTuple):
  """Parts of a camera's motion, as shares of the drawn speeds.

  Attributes:
    direction: x and y of the pan.
    zoom: Share of the zoom, inwards.
    turn: Share of the turn, clockwise.
    speeds_up: Whether it starts at rest and ends at twice its mean speed.
  """

  direction: tuple[float, float] = (0.0, 0.0)
  zoom: float = 0.0
  turn: float = 0.0
  speeds_up: bool = False


_HALF = 0.5**0.5  # A diagonal has this on both axes, and the same speed.
# Motions that are drawn, and their time-reversals.
_DRAWN = {
  "pan right": Motion(direction=(1, 0)),
  "pan down": Motion(direction=(0, 1)),
  "zoom in": Motion(zoom=1),
  "rotate clockwise": Motion(turn=1),
  "pan down right": Motion(direction=(_HALF, _HALF)),
  "spiral in": Motion(zoom=1, turn=1),
  "start to the right": Motion(direction=(1, 0), speeds_up=True),
}
# A motion's time-reversal is the motion listed with it.
REVERSAL = {
  "pan left": "pan right",
  "pan up": "pan down",
  "zoom out": "zoom in",
  "rotate counter-clockwise": "rotate clockwise",
}
COMPOUND_REVERSAL = {
  "pan up left": "pan down right",
  "spiral out": "spiral in",
  "stop from the right": "start to the right",
}
_REVERSALS = {**REVERSAL, **COMPOUND_REVERSAL}
MOTIONS, COMPOUND_MOTIONS = (
  tuple(sorted(motion for pair in pairs.items() for motion in pair))
  for pairs in (REVERSAL, COMPOUND_REVERSAL)
)

# A frame's step: views of a pan, logarithms of a zoom, 100 degrees of a turn.
SPEEDS = (0.03, 0.08)
_SUPERSAMPLING = 3  # Samples a pixel side; their mean is the pixel.


@dataclasses.dataclass(frozen=True)
class Path:
  """Place of the camera in each of T frames.

  Attributes:
    centre: (T, 2), x and y of the view's centre, in photograph pixels.
    scale: (T,), photograph pixels per view pixel.
    angle: (T,), roll of the camera in radians, clockwise positive.
  """

  centre: np.ndarray
  scale: np.ndarray
  angle: np.ndarray

  def reversed(self) -> "Path":
    """Returns the same path walked backwards."""
    return Path(self.centre[::-1], self.scale[::-1], self.angle[::-1])

  def at(self, frames: np.ndarray) -> "Path":
    """Returns the path in other frames, which need not be whole.

    Args:
      frames: (N,) in [0, T - 1]. Between frames the centre, the angle and the
        logarithm of the scale are linear.
    """
    known = np.arange(len(self.scale))
    centre = [np.interp(frames, known, axis) for axis in self.centre.T]
    scale = np.exp(np.interp(frames, known, np.log(self.scale)))
    return Path(np.stack(centre, 1), scale, np.interp(frames, known, self.angle))


def sample_path(
  motion: str,
  rng: np.random.Generator,
  *,
  num_frames: int,
  view: int,
  photograph: tuple[int, int],
  speeds: tuple[float, float] = SPEEDS,
) -> Path:
  """Draws a path with random start, scale, speed and tilt.

  A motion and its reversal are drawn alike and one of them is played backwards,
  so that no frame, and no set of frames without its order, distinguishes them.

  Args:
    motion: One of `MOTIONS` or `COMPOUND_MOTIONS`, as the camera moves: when it
      pans left, the picture moves right.
    rng: Source of all randomness.
    num_frames: Number of frames, T.
    view: Side of the square view, in pixels.
    photograph: Its (height, width) in pixels; the view never leaves it.
    speeds: The least and the greatest speed, see `SPEEDS`.

  Raises:
    ValueError: If `motion` is in neither.
  """
  check_choice("motion", motion, (*MOTIONS, *COMPOUND_MOTIONS))
  if motion in _REVERSALS:
    return sample_path(
      _REVERSALS[motion],
      rng,
      num_frames=num_frames,
      view=view,
      photograph=photograph,
      speeds=speeds,
    ).reversed()
  drawn = _DRAWN[motion]
  time = np.linspace(-0.5, 0.5, num_frames)[:, None]  # Over the clip.
  if drawn.speeds_up:
    time = (time + 0.5) ** 2 - 0.5
  steps = num_frames - 1
  slow, fast = speeds
  pan = rng.uniform(slow, fast) * view * steps  # View pixels in the clip.
  zoom = rng.uniform(slow, fast) * steps  # Log scale in the clip.
  degrees = rng.uniform(100 * slow, 100 * fast)
  turn = np.deg2rad(degrees) * steps  # Radians in the clip.
  tilt = rng.uniform(-0.3, 0.3)  # Radians.

  offset = time * pan * np.array(drawn.direction)  # (T, 2), view pixels.
  log_scale = -time[:, 0] * zoom * drawn.zoom
  angle = tilt + time[:, 0] * turn * drawn.turn

  # Half the view's diagonal and the way to go, in view pixels, on every side.
  reach = view / np.sqrt(2) * np.exp(log_scale.max()) + np.abs(offset).max()
  largest = min(photograph) / 2 / reach
  scale = largest * rng.uniform(0.35, 0.95) * np.exp(log_scale)
  margin = reach * scale.max() / np.exp(log_scale.max())
  height, width = photograph
  start = rng.uniform((margin, margin), (width - margin, height - margin))
  cos, sin = np.cos(tilt), np.sin(tilt)
  rotation = np.array([[cos, -sin], [sin, cos]])
  centre = start + scale[:, None] * (offset @ rotation.T)
  return Path(centre, scale, angle)


def film(photograph: Image.Image, path: Path, view: int) -> np.ndarray:
  """Renders the view along a path.

  Args:
    photograph: RGB picture.
    path: T camera positions.
    view: Side of the square view, in pixels.

  Returns:
    Frames (T, view, view, 3), uint8, each pixel the mean of its area.
  """
  return np.stack(
    [
      _render(photograph, centre, scale, angle, view)
      for centre, scale, angle in zip(path.centre, path.scale, path.angle, strict=True)
    ]
  )


def _render(photograph, centre, scale, angle, view) -> np.ndarray:
  """Renders one frame (view, view, 3), uint8."""
  side = view * _SUPERSAMPLING
  step = scale / _SUPERSAMPLING
  a, b = step * np.cos(angle), step * np.sin(angle)
  # PIL maps an output pixel (u, v) to the photograph's (x, y).
  x = centre[0] - a * side / 2 + b * side / 2
  y = centre[1] - b * side / 2 - a * side / 2
  fine = photograph.transform(
    (side, side),
    Image.Transform.AFFINE,
    (a, -b, x, b, a, y),
    Image.Resampling.BILINEAR,
  )
  return np.asarray(fine.reduce(_SUPERSAMPLING))
