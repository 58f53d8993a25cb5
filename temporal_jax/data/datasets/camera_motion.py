"""camera_motion: eight camera motions over real photographs.

compound_motion is the same with six others, for networks that know the eight.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from temporal_jax.data.datasets import virtual_camera
from temporal_jax.data.datasets.photograph_clips import PhotographClips
from temporal_jax.data.video.encoding import encode_mp4

MIN_CONTRAST = 8.0  # Standard deviation over space of a channel, of 255.


class CameraMotion(PhotographClips):
  """Clips of a photograph seen by a moving camera.

  The classes are `virtual_camera.MOTIONS`. For every class its time-reversal is
  a class too, drawn from the same distribution, so that single frames, or
  frames without their order, do not help (chance is 12.5 %).
  """

  # 2.0.0 is without three photographs that state no licence, and with `text`.
  VERSION = tfds.core.Version("2.0.0")
  CLASSES = virtual_camera.MOTIONS
  NUM_FRAMES = 12
  FPS = 12
  VIEW = 64
  SPEEDS = virtual_camera.SPEEDS  # The least and the greatest one.

  @classmethod
  def film(
    cls,
    name: str,
    rng: np.random.Generator,
    photographs: Mapping[str, Image.Image],
  ) -> tuple[str, np.ndarray]:
    """See `PhotographClips.film`."""
    photograph = sorted(photographs)[rng.integers(len(photographs))]
    return photograph, cls.film_texture(name, rng, photographs[photograph])

  @classmethod
  def film_texture(
    cls, motion: str, rng: np.random.Generator, photograph: Image.Image
  ) -> np.ndarray:
    """Films until the middle of every frame shows more than plain sky."""
    middle = slice(cls.VIEW // 4, -cls.VIEW // 4)
    while True:
      path = virtual_camera.sample_path(
        motion,
        rng,
        num_frames=cls.NUM_FRAMES,
        view=cls.VIEW,
        photograph=photograph.size[::-1],
        speeds=cls.SPEEDS,
      )
      frames = virtual_camera.film(photograph, path, cls.VIEW)
      if contrast(frames[:, middle, middle]).min() >= MIN_CONTRAST:
        return frames

  @classmethod
  def encode(cls, frames: np.ndarray) -> bytes:
    """See `PhotographClips.encode`."""
    return encode_mp4(frames, fps=cls.FPS)


class CameraMotionLarge(CameraMotion):
  """`CameraMotion` with 32 frames of 112 pixels, for accelerators.

  A clip goes as far, in views, as one of 12 frames.
  """

  VERSION = tfds.core.Version("1.0.0")
  NUM_CLIPS = MappingProxyType({"train": 4096, "test": 512})
  NUM_FRAMES = 32
  FPS = 32
  VIEW = 112
  SPEEDS = tuple(np.multiply(virtual_camera.SPEEDS, 11 / 31))  # Steps of clips.


class CompoundMotion(CameraMotion):
  """Clips of a photograph seen by a camera with compound motions.

  The classes are `virtual_camera.COMPOUND_MOTIONS`: diagonals, spirals, starts
  and stops; photographs and the rest are those of `CameraMotion` (chance is
  16.7 %).
  """

  VERSION = tfds.core.Version("1.0.0")
  CLASSES = virtual_camera.COMPOUND_MOTIONS


def contrast(frames: np.ndarray) -> np.ndarray:
  """Returns each frame's (T,) standard deviation over space, mean of channels.

  Over space only: a plain blue sky has different channels and no texture.
  """
  return frames.std(axis=(1, 2)).mean(axis=-1)
