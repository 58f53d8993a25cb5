"""camera_motion: eight camera motions over real photographs.

compound_motion is the same with six others, for networks that know the eight.
"""

from collections.abc import Iterator, Sequence
from concurrent import futures
from typing import Any

import numpy as np
import skimage.data
import tensorflow_datasets as tfds
from PIL import Image

from temporal_jax.data.datasets import virtual_camera
from temporal_jax.data.video.encoding import encode_mp4

VIEW = 64  # Pixels, both sides.
NUM_FRAMES = 12
FPS = 12
MIN_CONTRAST = 8.0  # Standard deviation over space of a channel, of 255.
# Pictures of scikit-image's wheel that anybody may use: each is CC0, in the
# public domain, or without known restrictions. The splits share none.
PHOTOGRAPHS = {
  "train": (
    "astronaut",
    "brick",
    "camera",
    "cell",
    "clock",
    "coffee",
    "coins",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "text",
  ),
  "test": ("cat", "grass", "retina", "rocket"),
}
NUM_CLIPS = {"train": 2048, "test": 512}


class CameraMotion(tfds.core.GeneratorBasedBuilder):
  """Clips of a photograph seen by a moving camera.

  The classes are `virtual_camera.MOTIONS`. For every class its time-reversal is
  a class too, drawn from the same distribution, so that single frames, or
  frames without their order, do not help (chance is 12.5 %).
  """

  # 2.0.0 is without three photographs that state no licence, and with `text`.
  VERSION = tfds.core.Version("2.0.0")
  MOTIONS = virtual_camera.MOTIONS

  @classmethod
  def photograph(cls, key: str) -> str:
    """Returns the photograph of a clip, by its id."""
    _, _, rest = key.split("_", 2)  # Split and number come first.
    motions = (motion.replace(" ", "_") for motion in cls.MOTIONS)
    # "spiral_in", and not "in", if both were motions.
    ends = sorted((f"_{motion}" for motion in motions), key=len)
    return rest.removesuffix(next(end for end in reversed(ends) if rest.endswith(end)))

  def _info(self) -> tfds.core.DatasetInfo:
    return tfds.core.DatasetInfo(
      builder=self,
      description=type(self).__doc__,
      homepage="https://scikit-image.org/docs/stable/api/skimage.data.html",
      features=tfds.features.FeaturesDict(
        {
          "id": tfds.features.Text(),
          "label": tfds.features.ClassLabel(names=self.MOTIONS),
          "video": tfds.features.Scalar(np.object_),  # An mp4 file's bytes.
        }
      ),
    )

  def _split_generators(self, dl_manager: Any) -> dict[str, Iterator]:
    del dl_manager  # Nothing is downloaded.
    return {split: self._generate_examples(split) for split in PHOTOGRAPHS}

  def _generate_examples(self, split: str) -> Iterator[tuple[str, dict]]:
    photographs = {name: load_photograph(name) for name in PHOTOGRAPHS[split]}

    def example(index: int) -> tuple[str, dict]:
      return _example(split, index, photographs, self.MOTIONS)

    with futures.ThreadPoolExecutor() as pool:  # PIL and x264 free the GIL.
      yield from pool.map(example, range(NUM_CLIPS[split]))


class CompoundMotion(CameraMotion):
  """Clips of a photograph seen by a camera with compound motions.

  The classes are `virtual_camera.COMPOUND_MOTIONS`: diagonals, spirals, starts
  and stops; photographs and the rest are those of `CameraMotion` (chance is
  16.7 %).
  """

  VERSION = tfds.core.Version("1.0.0")
  MOTIONS = virtual_camera.COMPOUND_MOTIONS


def load_photograph(name: str) -> Image.Image:
  """Returns a photograph of scikit-image as RGB."""
  return Image.fromarray(getattr(skimage.data, name)()).convert("RGB")


def _example(
  split: str,
  index: int,
  photographs: dict[str, Image.Image],
  motions: Sequence[str],
) -> tuple[str, dict]:
  """Returns the key and the features of clip `index`, always the same."""
  rng = np.random.default_rng([sorted(PHOTOGRAPHS).index(split), index])
  label = index % len(motions)
  motion = motions[label]
  name = sorted(photographs)[rng.integers(len(photographs))]
  frames = _film_texture(motion, rng, photographs[name])
  key = f"{split}_{index:05d}_{name}_{motion.replace(' ', '_')}"
  video = encode_mp4(frames, fps=FPS)
  return key, {"id": key, "label": label, "video": video}


def _film_texture(
  motion: str, rng: np.random.Generator, photograph: Image.Image
) -> np.ndarray:
  """Films until the middle of every frame shows more than plain sky."""
  while True:
    path = virtual_camera.sample_path(
      motion,
      rng,
      num_frames=NUM_FRAMES,
      view=VIEW,
      photograph=photograph.size[::-1],
    )
    frames = virtual_camera.film(photograph, path, VIEW)
    middle = frames[:, VIEW // 4 : -VIEW // 4, VIEW // 4 : -VIEW // 4]
    if contrast(middle).min() >= MIN_CONTRAST:
      return frames


def contrast(frames: np.ndarray) -> np.ndarray:
  """Returns each frame's (T,) standard deviation over space, mean of channels.

  Over space only: a plain blue sky has different channels and no texture.
  """
  return frames.std(axis=(1, 2)).mean(axis=-1)
