"""Random erasing."""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import jax
import jax.numpy as jnp

from temporal_jax.data.augmentation import boxes
from temporal_jax.data.augmentation.operation import Clip, Given
from temporal_jax.validation import check_number, check_range


@dataclasses.dataclass(frozen=True)
class RandomErasing:
  """Sets one box to zero, the same in all frames, after normalisation.

  The first of ten draws that is smaller than the frame is taken.

  Attributes:
    probability: That a clip loses a box.
    area: Smallest and largest share of the frame's area.
    aspect: Smallest and largest width / height; its logarithm is uniform.

  Source: Zhong et al. 2017, https://arxiv.org/abs/1708.04896; X-ViT,
    slowfast/datasets/rand_erasing.py.
  """

  stage: ClassVar[str] = "normalized"
  probability: float = 0.5
  area: Sequence[float] = (0.02, 1 / 3)
  aspect: Sequence[float] = (0.3, 10 / 3)

  def __post_init__(self) -> None:
    check_number("probability", self.probability, 0, 1)
    check_range("area", self.area, 0, 1)
    check_range("aspect", self.aspect, 0, float("inf"))

  def __call__(self, key: jax.Array, clip: Clip, given: Given) -> Clip:
    """Returns the clip, erased or not."""
    del given
    keys = jax.random.split(key, 4)
    size = jnp.asarray(clip.frames.shape[1:3], jnp.float32)
    heights, widths = boxes.draw_sides(
      keys[0], size, area=self.area, aspect=self.aspect, log_aspect=True
    )
    fits = (heights < size[0]) & (widths < size[1])
    first = jnp.argmax(fits)
    height, width = heights[first], widths[first]
    top = boxes.draw_offset(keys[1], size[0] - height)
    left = boxes.draw_offset(keys[2], size[1] - width)
    rows = jnp.arange(clip.frames.shape[1], dtype=jnp.float32)
    columns = jnp.arange(clip.frames.shape[2], dtype=jnp.float32)
    inside = ((rows >= top) & (rows < top + height))[:, None]
    inside &= ((columns >= left) & (columns < left + width))[None]
    inside &= fits[first] & jax.random.bernoulli(keys[3], self.probability)
    frames = jnp.where(inside[None, :, :, None], 0, clip.frames)
    return clip._replace(frames=frames)
