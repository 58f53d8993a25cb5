"""What a row of the catalog says."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from temporal_jax.models.network import Network

Channels = tuple[float, float, float]


class Pixels(NamedTuple):
  """Statistics of R, G and B, of values in [0, 1]."""

  mean: Channels
  std: Channels


IMAGENET = Pixels((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CLIP = Pixels((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
HALF = Pixels((0.5,) * 3, (0.5,) * 3)
TADA = Pixels((0.45,) * 3, (0.225,) * 3)


class ModelSpec(NamedTuple):
  """A named model: its class, its arguments, its clip and its source.

  Attributes:
    module: Class of the network.
    kwargs: Arguments of the class.
    temporal: Name of the operator in its temporal slots.
    clip_shape: (T, H, W) it was published with: frames, pixels, pixels.
    mean: Pixel mean for each of R, G, B, of values in [0, 1].
    std: Pixel standard deviation, likewise.
    source: Paper, then repository.
  """

  module: type[Network]
  kwargs: Mapping[str, Any]
  temporal: str
  clip_shape: tuple[int, int, int]
  mean: Channels
  std: Channels
  source: str


def row(
  module: type[Network],
  kwargs: Mapping[str, Any],
  temporal: str,
  clip_shape: tuple[int, int, int],
  pixels: Pixels,
  source: str,
) -> ModelSpec:
  """Returns a row whose arguments cannot be changed."""
  kwargs = MappingProxyType(dict(kwargs))
  return ModelSpec(module, kwargs, temporal, clip_shape, *pixels, source)
