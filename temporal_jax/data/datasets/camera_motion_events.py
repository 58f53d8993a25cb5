"""camera_motion_events: long films in which the camera moves now and then."""

import csv
import functools
import pathlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from PIL import Image

from temporal_jax.data.annotations.segment_list import COLUMNS, MORE_COLUMNS
from temporal_jax.data.datasets import virtual_camera
from temporal_jax.data.datasets.camera_motion import (
  MIN_CONTRAST,
  CameraMotion,
  contrast,
)
from temporal_jax.data.datasets.photograph_clips import PHOTOGRAPHS, load_photographs
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.thread_map import run_in_order

VERSION = "1.0.0"
VIEW, FPS = CameraMotion.VIEW, CameraMotion.FPS
NUM_FILMS = {"train": 40, "test": 12}
NUM_SHOTS = 12  # Shots of a film, which takes about a minute.
_WITH_MOTION = 0.75  # Share of the shots in which the camera moves.
_MOTION = (1.5, 3.5)  # Seconds of a motion,
_AROUND = (0.5, 2.5)  # of the stretch before and of the one after it,
_WITHOUT = (2.0, 5.0)  # and of a shot without a motion.
# Slower than motions of `camera_motion`, whose clips take a second: long
# motions at such speeds would need larger photographs.
_SPEEDS = (0.03, 0.06)
_STILL = 0.5  # Share of the stretches that are still; the others drift.
_DRIFT = (0.05, 0.12)  # Speed of a drift, as a part of its motion's.
_CHECKED = 5  # Places of a path whose contrast is looked at.
_MIDDLE = np.s_[:, VIEW // 4 : -VIEW // 4, VIEW // 4 : -VIEW // 4]


class Shot(NamedTuple):
  """Frames that a camera films without a cut.

  Attributes:
    frames: (T, VIEW, VIEW, 3) uint8.
    motion: One of `virtual_camera.MOTIONS`, "" if there is none.
    start: The first frame that the motion brings.
    stop: The frame after the last one.
  """

  frames: np.ndarray
  motion: str = ""
  start: int = 0
  stop: int = 0


def write_films(folder: pathlib.Path) -> None:
  """Writes the films SPLIT/NUMBER.mp4 and their segments, always the same.

  The classes are `virtual_camera.MOTIONS`. A film is spliced of shots of its
  split's photographs. In most shots the camera moves once, between stretches in
  which it is still or drifts: the same way or back, at a tenth of the motion's
  speed. Cuts are between shots, and so never where a segment starts or ends.

  Args:
    folder: Empty or new folder; segments.csv in it is the list of segments, see
      `annotations.read_segment_list`.
  """
  rows = []
  for split in PHOTOGRAPHS:
    (folder / split).mkdir(parents=True)
    photographs = load_photographs(split)
    write = functools.partial(_write_film, folder, split, photographs)
    # PIL and x264 leave Python's lock.
    films = run_in_order(write, range(NUM_FILMS[split]), num_threads=4, ahead=8)
    rows += [row for film in films for row in film]
  with (folder / "segments.csv").open("w", newline="", encoding="utf-8") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow((*COLUMNS, *MORE_COLUMNS))
    writer.writerows(rows)


def _write_film(
  folder: pathlib.Path,
  split: str,
  photographs: Mapping[str, Image.Image],
  index: int,
) -> list[tuple[str, ...]]:
  """Writes film `index` of a split, and returns its rows of the list."""
  rng = np.random.default_rng([sorted(PHOTOGRAPHS).index(split), index])
  frames: list[np.ndarray] = []
  segments, length = [], 0
  for shot in _shots(rng, photographs):
    if shot.motion:
      start, stop = (_seconds(length + frame) for frame in (shot.start, shot.stop))
      segments.append((start, stop, shot.motion))
    frames.append(shot.frames)
    length += len(shot.frames)
  path = f"{split}/{index:03d}.mp4"
  (folder / path).write_bytes(encode_mp4(np.concatenate(frames), fps=FPS))
  film = (split, _seconds(length), str(FPS))
  # A film without segments has one row, too.
  return [(path, *segment, *film) for segment in segments or [("", "", "")]]


def _seconds(frames: int) -> str:
  return f"{frames / FPS:.4f}"


def _shots(
  rng: np.random.Generator, photographs: Mapping[str, Image.Image]
) -> Iterator[Shot]:
  """Yields the shots of a film."""
  for _ in range(NUM_SHOTS):
    photograph = photographs[rng.choice(sorted(photographs))]
    motion = str(rng.choice(virtual_camera.MOTIONS))
    yield _film_shot(rng, motion, photograph, moves=rng.random() < _WITH_MOTION)


def _film_shot(
  rng: np.random.Generator, motion: str, photograph: Image.Image, *, moves: bool
) -> Shot:
  """Films a shot in which the middle of the view shows more than plain sky.

  Args:
    rng: Source of all randomness.
    motion: Name of the camera's movement, one of the classes or a drift.
    photograph: Photograph that is filmed.
    moves: Whether the camera moves.
  """
  if moves:
    lengths = [_draw_frames(rng, seconds) for seconds in (_AROUND, _MOTION, _AROUND)]
    speeds = [_draw_drift(rng), 1.0, _draw_drift(rng)]
  else:
    lengths, speeds = [_draw_frames(rng, _WITHOUT)], [_draw_drift(rng)]
  # Place of the camera in each frame of the shot, in frames of its path.
  places = np.cumsum(np.repeat(speeds, lengths))
  places -= places.min()
  while True:
    path = virtual_camera.sample_path(
      motion,
      rng,
      num_frames=int(np.ceil(places.max())) + 2,
      view=VIEW,
      photograph=photograph.size[::-1],
      speeds=_SPEEDS,
    )
    some = path.at(np.linspace(0, places.max(), _CHECKED))
    views = virtual_camera.film(photograph, some, VIEW)
    if contrast(views[_MIDDLE]).min() >= MIN_CONTRAST:
      break
  # A still camera's frames are the same: each is rendered once.
  distinct, shown = np.unique(places, return_inverse=True)
  frames = virtual_camera.film(photograph, path.at(distinct), VIEW)[shown]
  if not moves:
    return Shot(frames)
  return Shot(frames, motion, lengths[0], lengths[0] + lengths[1])


def _draw_frames(rng: np.random.Generator, seconds: tuple[float, float]) -> int:
  return round(rng.uniform(*seconds) * FPS)


def _draw_drift(rng: np.random.Generator) -> float:
  """Draws the speed around a motion, as a part of the motion's."""
  if rng.random() < _STILL:
    return 0.0
  return rng.choice((-1, 1)) * rng.uniform(*_DRIFT)
