"""Builders of clips that are filmed from photographs."""

import abc
from collections.abc import Iterator, Mapping, Sequence
from concurrent import futures
from types import MappingProxyType
from typing import Any

import numpy as np
import skimage.data
import tensorflow_datasets as tfds
from PIL import Image

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


class PhotographClips(tfds.core.GeneratorBasedBuilder):
  """Clips that are filmed from photographs, always the same ones.

  The classes take turns.

  Attributes:
    CLASSES: Names of the classes.
    NUM_CLIPS: Number of clips of each split.
    NUM_FRAMES: Frames of a clip, T.
    FPS: Frames per second.
    VIEW: Side of a frame, in pixels.
  """

  CLASSES: Sequence[str]
  NUM_CLIPS: Mapping[str, int] = MappingProxyType({"train": 2048, "test": 512})
  NUM_FRAMES: int
  FPS: int
  VIEW: int

  @classmethod
  @abc.abstractmethod
  def film(
    cls,
    name: str,
    rng: np.random.Generator,
    photographs: Mapping[str, Image.Image],
  ) -> tuple[str, np.ndarray]:
    """Films a clip of the class `name`.

    Args:
      name: One of `CLASSES`.
      rng: Source of all randomness.
      photographs: Name -> photograph of the split.

    Returns:
      Name of the photograph that fills the frames, and frames
      (T, VIEW, VIEW, 3), uint8.
    """

  @classmethod
  @abc.abstractmethod
  def encode(cls, frames: np.ndarray) -> bytes:
    """Returns the mp4 file of frames."""

  @classmethod
  def photograph(cls, key: str) -> str:
    """Returns the photograph that fills a clip's frames, by the clip's id."""
    _, _, rest = key.split("_", 2)  # Split and number come first.
    # "spiral_in", and not "in", if both were classes.
    ends = sorted((f"_{_word(name)}" for name in cls.CLASSES), key=len)
    return rest.removesuffix(next(end for end in reversed(ends) if rest.endswith(end)))

  def _info(self) -> tfds.core.DatasetInfo:
    return tfds.core.DatasetInfo(
      builder=self,
      description=type(self).__doc__,
      homepage="https://scikit-image.org/docs/stable/api/skimage.data.html",
      features=tfds.features.FeaturesDict(
        {
          "id": tfds.features.Text(),
          "label": tfds.features.ClassLabel(names=self.CLASSES),
          "video": tfds.features.Scalar(np.object_),  # An mp4 file's bytes.
        }
      ),
    )

  def _split_generators(self, dl_manager: Any) -> dict[str, Iterator]:
    del dl_manager  # Nothing is downloaded.
    return {split: self._generate_examples(split) for split in PHOTOGRAPHS}

  def _generate_examples(self, split: str) -> Iterator[tuple[str, dict]]:
    photographs = load_photographs(split)

    def example(index: int) -> tuple[str, dict]:
      rng = np.random.default_rng([sorted(PHOTOGRAPHS).index(split), index])
      label = index % len(self.CLASSES)
      photograph, frames = self.film(self.CLASSES[label], rng, photographs)
      key = f"{split}_{index:05d}_{photograph}_{_word(self.CLASSES[label])}"
      return key, {"id": key, "label": label, "video": self.encode(frames)}

    with futures.ThreadPoolExecutor() as pool:  # PIL and x264 free the GIL.
      yield from pool.map(example, range(self.NUM_CLIPS[split]))


def load_photographs(split: str) -> dict[str, Image.Image]:
  """Returns the photographs of a split by name, as RGB."""
  return {name: load_photograph(name) for name in PHOTOGRAPHS[split]}


def load_photograph(name: str) -> Image.Image:
  """Returns a photograph of scikit-image as RGB."""
  return Image.fromarray(getattr(skimage.data, name)()).convert("RGB")


def _word(name: str) -> str:
  """Returns a class name as a part of an id."""
  return name.replace(",", "").replace(" ", "_")
