"""Pictures of growth: lines in log-log with their names at their ends."""

import pathlib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from temporal_jax.display.picture_text import new_figure, save_figure

_GAP = 13.0  # Points between the names of two lines, at least.
_DECADES = 100.0  # Span of values over which only powers of ten are marked.
_COLORS = (
  "#4c72b0",
  "#c44e52",
  "#55a868",
  "#dd8452",
  "#8172b3",
  "#937860",
  "#da8bc3",
  "#4c4c4c",
)

Row = Mapping[str, Any]


class Panel(NamedTuple):
  """One of two pictures next to each other.

  Attributes:
    title: Title.
    ylabel: Name of the values with their unit.
    quantity: Quantity of the rows.
    names: Subjects, and the words for them.
    unit: Value of one unit of the axis.
  """

  title: str
  ylabel: str
  quantity: str
  names: Mapping[str, str]
  unit: float


_ATTENTION = MappingProxyType(
  {
    "joint attention": "joint, 7 x 7",
    "temporal attention": "over time",
    "messages of X-CLIP": "messages",
    "spatial attention": "spatial",
    "space-time mixing": "mixing",
    "divided attention": "divided",
    "alignment of ILA": "alignment",
    "ATA": "ATA",
  }
)
_NETWORKS = MappingProxyType(
  {
    "timesformer_b16_joint": "B/16, joint",
    "xvit_b16": "B/16, mixing",
    "atm_vit_b16": "B/16, arithmetic",
    "vit_b32_joint": "B/32, joint",
    "vit_b32_divided": "B/32, divided",
    "ila_vit_b32": "B/32, ILA",
    "tada2d_resnet50": "R50, TAda2D",
    "blvnet_tam_50": "bLVNet-TAM-50",
  }
)
_MEMORY = MappingProxyType(
  {
    "vit_b32_joint": "B/32, joint",
    "vit_b32_divided": "B/32, divided",
    "vit_b32_spatial": "B/32, spatial",
    "xvit_b16": "B/16, mixing",
    "tsn_resnet50": "R50, no operator",
    "blvnet_tam_50": "bLVNet-TAM-50",
  }
)
PANELS: Mapping[str, Sequence[Panel]] = MappingProxyType(
  {
    "operators": (
      Panel("Multiply-adds", "billions", "multiply-adds", _ATTENTION, 1e9),
      Panel("Estimate for a TPU v5e, 32 clips", "milliseconds", "TPU", _ATTENTION, 1e3),
    ),
    "networks": (
      Panel("Multiply-adds", "billions", "multiply-adds", _NETWORKS, 1e9),
      Panel("Memory of a training step", "GiB", "memory", _MEMORY, 2**30),
    ),
  }
)


def draw(rows: Iterable[Row], panels: Sequence[Panel], file: pathlib.Path) -> None:
  """Draws the rows over the frames of a clip, a panel next to another.

  Args:
    rows: Rows of benchmarks.growth.
    panels: Panels, each of which needs a row at least.
    file: PNG to write.

  Raises:
    ValueError: If a panel has no row.
  """
  found = {
    (row["name"], row["quantity"]): row
    for row in rows
    if row.get("axis") == "frames" and "exponent" in row
  }
  figure = new_figure(9.6, 4.4)
  axes = figure.subplots(1, len(panels), squeeze=False)[0]
  for part, panel in zip(axes, panels, strict=True):
    lines = {
      words: found[name, panel.quantity]
      for name, words in panel.names.items()
      if (name, panel.quantity) in found
    }
    if not lines:
      raise ValueError(f"no row has the {panel.quantity} of one of {[*panel.names]}.")
    _draw_panel(part, panel, lines)
  save_figure(figure, file, dpi=100)


def _draw_panel(axes: Any, panel: Panel, lines: Mapping[str, Row]) -> None:
  from matplotlib.ticker import LogLocator

  axes.set_xscale("log", base=2)
  axes.set_yscale("log")
  colors = dict(zip(lines, _COLORS, strict=False))
  for words, row in lines.items():
    values = np.array(row["values"]) / panel.unit
    axes.plot(row["sizes"], values, marker="o", ms=3.5, lw=1.8, color=colors[words])
  ticks = sorted({size for row in lines.values() for size in row["sizes"]})
  axes.set_xticks(ticks, [str(tick) for tick in ticks])
  low, high = axes.get_ylim()
  marks = (1,) if high > _DECADES * low else (1, 2, 5)
  axes.yaxis.set_major_locator(LogLocator(subs=marks))
  axes.yaxis.set_major_formatter(lambda value, place: f"{value:g}")
  axes.minorticks_off()
  axes.set_title(panel.title, loc="left")
  axes.set(xlabel="frames of a clip; exponents at the ends", ylabel=panel.ylabel)
  axes.grid(alpha=0.3)
  axes.set_axisbelow(True)
  axes.spines[["top", "right"]].set_visible(False)
  ends = {words: row["values"][-1] / panel.unit for words, row in lines.items()}
  # Heights are known in points only once the axes have their place.
  axes.figure.draw_without_rendering()
  points = 72 / axes.figure.dpi
  heights = {
    words: axes.transData.transform((1, value))[1] * points
    for words, value in ends.items()
  }
  right = max(ticks)
  for words, moved in spread(heights, _GAP).items():
    axes.annotate(
      f"{words}  {lines[words]['exponent']:.2f}",
      (right, ends[words]),
      xytext=(9, moved - heights[words]),
      textcoords="offset points",
      va="center",
      fontsize=9.5,
      color=colors[words],
      annotation_clip=False,
    )


def spread(heights: Mapping[str, float], gap: float) -> dict[str, float]:
  """Returns heights that are `gap` apart, as near to the given as can be.

  Neighbours that are too close become a block around the mean of their places.

  Args:
    heights: Heights by name.
    gap: Smallest distance.
  """
  order = sorted(heights, key=heights.__getitem__)
  # Each block has names, and the mean of the heights of its lowest name.
  blocks: list[tuple[list[str], float]] = []
  for name in order:
    names, low = [name], heights[name]
    while blocks and blocks[-1][1] + gap * len(blocks[-1][0]) > low:
      before, below = blocks.pop()
      # A name of the upper block wants to be `gap` higher for each below it.
      wanted = len(before) * below + len(names) * (low - gap * len(before))
      names = before + names
      low = wanted / len(names)
    blocks.append((names, low))
  return {
    name: low + gap * place for names, low in blocks for place, name in enumerate(names)
  }
