"""Entries of the catalog: all facts of a network."""

import dataclasses
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
TORCHVISION_VIDEO = Pixels((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))


class ReferenceCost(NamedTuple):
  """The cost of a network in its authors' own code, for one view.

  Attributes:
    params: Trained values of the authors' module.
    gmacs: 1e9 multiply-adds of its products and convolutions.
    clip_shape: (T, H, W) of the view.
    num_classes: Classes of the head, L.
    paper: Cost as the paper or its repository states it; "" if it states none.
  """

  params: int
  gmacs: float
  clip_shape: tuple[int, int, int]
  num_classes: int = 400
  paper: str = ""


class Accuracy(NamedTuple):
  """One figure of a paper's table.

  Attributes:
    data: The data set.
    frames: Frames of a clip; None where the paper does not state them.
    clips: Clips of a video, likewise.
    crops: Crops of a clip, likewise.
    top1: Top-1 accuracy in percent.
    start: Data that the weights were trained on before; "" where it is not
      stated.
    where: Paper and table.
  """

  data: str
  frames: int | None
  clips: int | None
  crops: int | None
  top1: float
  start: str
  where: str

  @property
  def view(self) -> str:
    """Frames x clips x crops, e.g. "32x4x3", as far as they are stated."""
    if self.frames is None:
      return ""
    views = "" if self.clips is None else f"x{self.clips}x{self.crops}"
    return f"{self.frames}{views}"

  def __str__(self) -> str:
    """Returns the accuracy and, in brackets, its view."""
    view = f" ({self.view})" if self.view else ""
    return f"{self.data} {self.top1:.1f}{view}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
  """All facts of a named network, except its own cost, which is counted.

  Attributes:
    module: Class of the network.
    kwargs: Arguments of the class; they cannot be changed.
    temporal: Name of the operator in its temporal slots.
    clip_shape: (T, H, W) it was published with: frames, pixels, pixels.
    pixels: Statistics of its pixels.
    paper: Paper that describes it.
    repository: Its authors' code, owner/name on GitHub, or a description of it
      in words; "" for none.
    weights: Address of the page where its authors, or those who trained it
      first, have weights for it; None if none are published.
    reference_cost: Its cost in the authors' code, None if that was not counted.
    accuracies: Accuracies that papers publish for it.
  """

  module: type[Network]
  kwargs: Mapping[str, Any]
  temporal: str = "none"
  clip_shape: tuple[int, int, int]
  pixels: Pixels
  paper: str
  repository: str = ""
  weights: str | None = None
  reference_cost: ReferenceCost | None = None
  accuracies: tuple[Accuracy, ...] = ()

  def __post_init__(self) -> None:
    object.__setattr__(self, "kwargs", MappingProxyType(dict(self.kwargs)))

  @property
  def mean(self) -> Channels:
    """Pixel mean for each of R, G, B, of values in [0, 1]."""
    return self.pixels.mean

  @property
  def std(self) -> Channels:
    """Pixel standard deviation, likewise."""
    return self.pixels.std

  def best_accuracies(self) -> dict[str, Accuracy]:
    """Returns data set -> the figure of the best top-1 accuracy for it."""
    best = {}
    for figure in self.accuracies:
      other = best.get(figure.data)
      if other is None or figure.top1 > other.top1:
        best[figure.data] = figure
    return best

  @property
  def source(self) -> str:
    """Paper, then repository."""
    return "; ".join(part for part in (self.paper, self.repository) if part)
