"""Top-1 accuracy that papers give, by the name of the network."""

import collections
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from temporal_jax.models.catalog.accuracy_tables import TABLES


class Accuracy(NamedTuple):
  """One figure of a paper's table.

  Attributes:
    data: The data set.
    frames: Of a clip; None where the paper does not say it.
    clips: Of a video, likewise.
    crops: Of a clip, likewise.
    top1: In percent.
    start: What the weights were trained on before; "" where it is not said.
    where: Paper and table.
  """

  data: str
  frames: int | None
  clips: int | None
  crops: int | None
  top1: float
  start: str
  where: str


def _figures() -> Iterator[tuple[str, Accuracy]]:
  """Yields name and figure, in the order of the tables."""
  for where, data_sets, rows in TABLES:
    for name, start, frames, views, *figures in rows:
      for data, top1 in zip(data_sets, figures, strict=True):
        if top1 is not None:
          views = views or (None, None)
          yield name, Accuracy(data, frames, *views, top1, start, where)


def _by_name() -> Mapping[str, tuple[Accuracy, ...]]:
  found = collections.defaultdict(list)
  for name, figure in _figures():
    found[name].append(figure)
  return MappingProxyType({name: tuple(some) for name, some in found.items()})


ACCURACIES: Mapping[str, tuple[Accuracy, ...]] = _by_name()
