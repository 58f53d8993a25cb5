"""something_moves: pairs of events in both orders, sixteen classes."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from temporal_jax.data.datasets import moving_cutouts, virtual_camera
from temporal_jax.data.datasets.moving_cutouts import Track
from temporal_jax.data.datasets.photograph_clips import PhotographClips
from temporal_jax.data.video.encoding import encode_mp4

_QUANTIZER = 24  # Every frame is coded with it.
_LENGTHS = (0.3, 0.38)  # An event's, as shares of the clip.
_DRIFT = (0.025, 0.05)  # Amplitude of each of the camera's waves, in views,
_WAVES = (0.5, 1.5)  # and its periods in a clip,
_NUM_WAVES = 2  # on both axes.
_DISTANCE = 80.0  # Mean colours this far apart, of 255, are seen as two.
_DYED = 0.4  # Share of a random colour in the pictures' colours.
_NUM_DYES = 16  # A cut-out gets one of them.


class Stage(NamedTuple):
  """Sizes of a clip's events at their full extent.

  Attributes:
    way: Length of a move, in views.
    growth: Logarithm of a change in size.
    turn: Angle of a turn, in radians.
    towards: (2,), direction from the first cut-out to the second, of length 1.
    gap: Distance of the two, in views.
    touch: Way of the first one until they touch, in views.
    vertical: 1 for moves downwards, -1 for upwards.
  """

  way: float
  growth: float
  turn: float
  towards: np.ndarray
  gap: float
  touch: float
  vertical: int


class _Background(NamedTuple):
  """A photograph seen by a camera that drifts.

  Attributes:
    frames: T pictures.
    drift: (T, 2), places of the camera, in views.
    color: (3,), the mean colour around which it drifts.
  """

  frames: list[Image.Image]
  drift: np.ndarray
  color: np.ndarray


# Maps the event's extent in each frame, (T,) in [0, 1], to the changes of the
# first and the second cut-out.
Event = Callable[[np.ndarray, Stage], tuple[Track, Track]]
_STILL = Track()


def _go(way: np.ndarray, direction: np.ndarray) -> Track:
  return Track(x=way * direction[0], y=way * direction[1])


def _move(x: float, y: float) -> Event:
  return lambda extent, stage: (
    _go(extent * stage.way, np.array([x, y])),
    _STILL,
  )


def _grow(sign: int) -> Event:
  return lambda extent, stage: (Track(growth=sign * extent * stage.growth), _STILL)


def _turn(sign: int) -> Event:
  return lambda extent, stage: (Track(turn=sign * extent * stage.turn), _STILL)


def _pass(depth: int) -> Event:
  """The first one goes to the second."""

  def event(extent: np.ndarray, stage: Stage) -> tuple[Track, Track]:
    way = _go(0.85 * extent * stage.gap, stage.towards)
    return way + Track(depth=depth * np.sign(extent)), _STILL

  return event


def _hit(share: float) -> Event:
  """The first one goes to the second, which goes on with it for a share."""

  def event(extent: np.ndarray, stage: Stage) -> tuple[Track, Track]:
    way = extent * (stage.touch + 0.8 * stage.way)
    on = np.maximum(way - stage.touch, 0)
    first = way - on + share * on
    return _go(first, stage.towards), _go(share * on, stage.towards)

  return event


def _vanish(extent: np.ndarray, stage: Stage) -> tuple[Track, Track]:
  del stage
  return Track(fade=extent), _STILL


def _cover(extent: np.ndarray, stage: Stage) -> tuple[Track, Track]:
  """The second one goes over the first."""
  way = _go(-extent * stage.gap, stage.towards)
  return _STILL, way + Track(depth=np.sign(extent))


def _left_moves(extent: np.ndarray, stage: Stage) -> tuple[Track, Track]:
  return Track(y=extent * stage.way * stage.vertical), _STILL


def _right_moves(extent: np.ndarray, stage: Stage) -> tuple[Track, Track]:
  return _left_moves(extent, stage)[::-1]


EVENTS: Mapping[str, Event] = {
  "goes left": _move(-1, 0),
  "goes right": _move(1, 0),
  "falls": _move(0, 1),
  "jumps": _move(0, -1),
  "grows": _grow(1),
  "shrinks": _grow(-1),
  "turns clockwise": _turn(1),
  "turns counter-clockwise": _turn(-1),
  "left one moves": _left_moves,
  "right one moves": _right_moves,
  "hits and pushes": _hit(1),
  "hits and stops": _hit(0),
  "is covered": _cover,
  "vanishes": _vanish,
  "passes over": _pass(1),
  "passes under": _pass(-1),
}
# Each pair is two classes, one the time-reversal of the other.
PAIRS = tuple(zip([*EVENTS][::2], [*EVENTS][1::2], strict=True))
_WITH_ONE = PAIRS[:4]  # Cut-out; the others have two.


def _in_order(first: str, second: str) -> str:
  """Returns "goes left, then right" of "goes left" and "goes right"."""
  ahead, words = first.split(), second.split()
  while ahead[0] == words[0]:
    ahead, words = ahead[1:], words[1:]
  return f"{first}, then {' '.join(words)}"


# Class -> its events in their order.
CLASSES: Mapping[str, tuple[str, str]] = {
  _in_order(*order): order for pair in PAIRS for order in (pair, pair[::-1])
}


class SomethingMoves(PhotographClips):
  """Cut-outs of photographs that move over a photograph.

  In every clip two events take place, one after the other, each of which goes
  and comes back. A class is a pair of events in an order, and each of the eight
  pairs is there in both orders. A clip of one order is drawn as a clip of the
  other and played backwards, and every event backwards is itself: frames
  without their order, or two neighbouring frames, show the pair and not the
  order (50 % at best; chance is 6.25 %). The camera drifts.
  """

  VERSION = tfds.core.Version("1.0.0")
  CLASSES = tuple(CLASSES)
  NUM_CLIPS = MappingProxyType({"train": 3072, "test": 512})
  NUM_FRAMES = 16
  FPS = 8
  VIEW = 64

  @classmethod
  def film(
    cls,
    name: str,
    rng: np.random.Generator,
    photographs: Mapping[str, Image.Image],
  ) -> tuple[str, np.ndarray]:
    """See `PhotographClips.film`."""
    pair = CLASSES[name]
    if pair not in PAIRS:  # It is drawn in the other order.
      photograph, frames = cls.film(_in_order(*pair[::-1]), rng, photographs)
      return photograph, frames[::-1]
    names = [str(one) for one in rng.permutation(sorted(photographs))]
    background = _film_background(rng, photographs[names[0]], cls.NUM_FRAMES, cls.VIEW)
    count = 1 if pair in _WITH_ONE else 2
    radii = rng.uniform(0.13, 0.17, count)
    stage, places = _sample_stage(rng, pair, radii)
    if pair == ("is covered", "vanishes"):
      radii[1] = 1.35 * radii[0]
    cutouts = _distinct_cutouts(
      rng,
      [photographs[one] for one in names[1 : count + 1]],
      radii,
      background.color,
      cls.VIEW,
    )
    changes = [
      EVENTS[event](extent, stage)
      for event, extent in zip(pair, sample_extents(rng, cls.NUM_FRAMES), strict=True)
    ]
    tracks = []
    for place, first, second in zip(places, *changes, strict=False):
      x, y = place[:, None] - background.drift.T  # (2, T)
      tracks.append(Track(x=x, y=y) + first + second)
    return names[0], moving_cutouts.paint(background.frames, cutouts, tracks)

  @classmethod
  def encode(cls, frames: np.ndarray) -> bytes:
    """See `PhotographClips.encode`; a frame's code does not show its place."""
    return encode_mp4(frames, fps=cls.FPS, intra_qp=_QUANTIZER)


class SomethingMovesLarge(SomethingMoves):
  """`SomethingMoves` with 32 frames of 112 pixels, for accelerators."""

  NUM_CLIPS = MappingProxyType({"train": 4096, "test": 512})
  NUM_FRAMES = 32
  FPS = 16
  VIEW = 112


def sample_extents(rng: np.random.Generator, num_frames: int) -> np.ndarray:
  """Draws when the two events of a clip take place.

  An event rises and falls as 1 - sin(...)^4 around a frame, or the middle of
  two frames; before, between and after the events is rest.

  Args:
    rng: Source of all randomness.
    num_frames: Frames of a clip, T.

  Returns:
    Extents of the first and the second event in each frame, (2, T) in [0, 1].
  """
  lengths = rng.uniform(*_LENGTHS, 2) * num_frames
  rests = 0.28 + 0.16 * rng.dirichlet((1, 1, 1))  # Shares; their sum is 1.
  rests *= num_frames - lengths.sum()
  ends = rests[:2].cumsum() + lengths.cumsum()
  middles = np.round(2 * (ends - lengths / 2 - 0.5)) / 2
  distances = np.arange(num_frames) - middles[:, None]
  shares = np.minimum(np.abs(distances) / lengths[:, None], 0.5)
  extents = 1 - np.sin(np.pi * shares) ** 4
  return np.where(shares < 0.5, extents, 0)


def sample_drift(rng: np.random.Generator, num_frames: int) -> np.ndarray:
  """Draws the places (T, 2) of a camera that drifts, in views.

  They are sums of waves of random phases: their distribution is the same in
  every part of a clip, and backwards.
  """
  time = np.arange(num_frames)[:, None, None] / num_frames
  shape = (_NUM_WAVES, 2)
  phases = 2 * np.pi * (time * rng.uniform(*_WAVES, shape) + rng.uniform(size=shape))
  return (rng.uniform(*_DRIFT, shape) * np.sin(phases)).sum(1)


def _sample_stage(
  rng: np.random.Generator, pair: tuple[str, str], radii: np.ndarray
) -> tuple[Stage, np.ndarray]:
  """Returns the events' sizes, and the cut-outs' places (N, 2) at rest."""
  if pair == ("left one moves", "right one moves"):
    angle = rng.uniform(-0.3, 0.3)
  else:
    angle = rng.uniform(-0.5, 0.5) + np.pi * rng.integers(2)
  towards = np.array([np.cos(angle), np.sin(angle)])
  gap = rng.uniform(0.42, 0.5)
  stage = Stage(
    way=rng.uniform(0.2, 0.28),
    growth=rng.uniform(0.5, 0.7),
    turn=rng.uniform(0.9, 1.3),
    towards=towards,
    gap=gap,
    touch=gap - 0.9 * radii.sum(),
    vertical=int(rng.choice((-1, 1))),
  )
  middle = rng.uniform(-0.05, 0.05, 2)
  if len(radii) == 1:
    return stage, middle[None]
  if pair == ("hits and pushes", "hits and stops"):
    middle -= 0.3 * stage.way * towards  # There is room to push.
  return stage, middle + np.array([[-0.5], [0.5]]) * gap * towards


def _film_background(
  rng: np.random.Generator, photograph: Image.Image, num_frames: int, view: int
) -> _Background:
  """Films a photograph with a camera that drifts."""
  drift = sample_drift(rng, num_frames)
  # The canvas holds a view at every place of the camera, whole pixels around.
  room = int(np.ceil(_NUM_WAVES * _DRIFT[1] * view)) + 2
  side = view + 2 * room
  reach = side * np.sqrt(0.5)
  scale = rng.uniform(0.5, 0.95) * min(photograph.size) / 2 / reach
  margin = reach * scale
  centre = rng.uniform((margin, margin), np.subtract(photograph.size, margin))
  angle = rng.uniform(0, 2 * np.pi)
  path = virtual_camera.Path(centre[None], np.full(1, scale), np.full(1, angle))
  (canvas,) = virtual_camera.film(photograph, path, side).astype(np.float32)
  middle = canvas[room:-room, room:-room].mean((0, 1))
  dye = rng.uniform(0, 255, 3)
  picture = Image.fromarray(_dyed(canvas, dye).round().astype(np.uint8))
  frames = [
    picture.transform(
      (view, view),
      Image.Transform.AFFINE,
      (1, 0, room + x, 0, 1, room + y),
      Image.Resampling.BICUBIC,
    )
    for x, y in drift * view
  ]
  return _Background(frames, drift, _dyed(middle, dye))


def _distinct_cutouts(
  rng: np.random.Generator,
  photographs: Sequence[Image.Image],
  radii: np.ndarray,
  color: np.ndarray,
  view: int,
) -> list[Image.Image]:
  """Cuts out of photographs; mean colours differ, also from that of `color`."""
  seen, cutouts = [color], []
  for photograph, radius in zip(photographs, radii, strict=True):
    cutout = moving_cutouts.cut_out(photograph, rng, radius=radius, view=view)
    # The first of several dyes that is seen, or the one that is seen best.
    dyes = rng.uniform(0, 255, (_NUM_DYES, 3))
    means = _dyed(_mean_color(cutout), dyes)
    distances = np.linalg.norm(means[:, None] - seen, axis=-1).min(1)
    best = np.minimum(distances, _DISTANCE).argmax()
    pixels = np.asarray(cutout).astype(np.float32)
    pixels[..., :3] = _dyed(pixels[..., :3], dyes[best])
    cutouts.append(Image.fromarray(pixels.round().astype(np.uint8)))
    seen.append(means[best])
  return cutouts


def _dyed(colors: np.ndarray, dye: np.ndarray) -> np.ndarray:
  return (1 - _DYED) * colors + _DYED * dye


def _mean_color(cutout: Image.Image) -> np.ndarray:
  pixels = np.asarray(cutout).astype(np.float32)
  return np.average(pixels[..., :3], axis=(0, 1), weights=pixels[..., 3])
