"""Draws the two blocks with their temporal slots, for README and the docs.

python -m docs.draw_slots  # docs/pictures/slots_{light,dark}.svg

Names and papers are those of the drawing below; a test compares the slots with
those of the networks.
"""

import pathlib

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

FOLDER = pathlib.Path(__file__).parent / "pictures"
# (slot, what fills it), in the order in which a clip passes them.
RESIDUAL = (
  ("block_input", "ATM"),
  ("branch_input", "TSM, TAM (bLVNet)"),
  ("convolution", "TAdaConv, TAdaConvV2"),
  ("temporal_convolution", "TAdaConv in R(2+1)D"),
  ("after_convolution", "TAda's pooling over time"),
)
TRANSFORMER = (
  ("block_input", "ATM, TokenT1D, X-CLIP"),
  ("attention_branch", "ILA, TAdaFormer, divided, ATA"),
  ("keys_values", "X-ViT's space-time mixing"),
  ("attention", "joint attention (in its place)"),
  ("mlp_input", "TokenT1D, X-CLIP"),
  ("mlp_branch", "TAdaFormer's second branch"),
)
_THEMES = {
  "light": {"ink": "#1f2328", "fixed": "#eef1f4", "slot": "#d8ebff", "edge": "#0969da"},
  "dark": {"ink": "#e6edf3", "fixed": "#21262d", "slot": "#12304f", "edge": "#58a6ff"},
}
_WIDTH = 3.2  # A box's width, in the drawing's units; a row is 1 high.


class _Column:
  """A block: boxes from top to bottom, on the way of a clip."""

  def __init__(self, axes: plt.Axes, theme: dict[str, str], left: float):
    self.axes, self.theme, self.left = axes, theme, left
    self.row = 0.0
    self.slots = {}

  @property
  def middle(self) -> float:
    return self.left + _WIDTH / 2

  def title(self, words: str) -> None:
    self.axes.text(
      self.left, 0.75, words, color=self.theme["ink"], fontsize=13, weight="bold"
    )

  def box(self, words: str, paper: str = "") -> float:
    """Adds a box below the last one, and returns its height above 0."""
    is_slot = bool(paper)
    top = self.row
    self.axes.annotate(
      "",
      (self.middle, top - 0.28),
      (self.middle, top + 0.05),
      arrowprops={"arrowstyle": "->", "color": self.theme["ink"], "lw": 1.2},
    )
    self.axes.add_patch(
      FancyBboxPatch(
        (self.left, top - 0.82),
        _WIDTH,
        0.52,
        boxstyle="round,pad=0.02,rounding_size=0.1",
        facecolor=self.theme["slot" if is_slot else "fixed"],
        edgecolor=self.theme["edge" if is_slot else "ink"],
        linewidth=1.6 if is_slot else 0.8,
        linestyle="-",
      )
    )
    self.axes.text(
      self.middle,
      top - 0.56,
      words,
      color=self.theme["ink"],
      ha="center",
      va="center",
      fontsize=11,
      family="monospace" if is_slot else None,
    )
    if is_slot:
      self.axes.text(
        self.left + _WIDTH + 0.3,
        top - 0.56,
        paper,
        color=self.theme["edge"],
        va="center",
        fontsize=11,
      )
    self.row -= 0.85
    return top - 0.56

  def plus(self, start: float) -> None:
    """Adds the sum that ends a residual branch which began at `start`."""
    y, x = self.row - 0.22, self.left - 0.35
    ink = self.theme["ink"]
    self.axes.plot(
      [self.middle, x, x, self.middle],
      [start, start, y, y],
      color=ink,
      lw=1.2,
      zorder=0,
    )
    self.axes.plot([self.middle] * 2, [self.row + 0.05, y], color=ink, lw=1.2)
    self.axes.text(
      self.middle,
      y,
      "+",
      color=ink,
      ha="center",
      va="center",
      fontsize=13,
      bbox={"boxstyle": "circle,pad=0.12", "fc": self.theme["fixed"], "ec": ink},
    )
    self.row -= 0.36

  def entry(self) -> float:
    """Adds a place where a residual branch begins, and returns its height."""
    self.axes.plot(
      [self.middle] * 2, [self.row, self.row - 0.2], color=self.theme["ink"], lw=1.2
    )
    self.row -= 0.2
    return self.row + 0.08


def draw(theme: dict[str, str]) -> plt.Figure:
  """Returns the drawing in the colours of a theme."""
  figure, axes = plt.subplots(figsize=(10.4, 7.2))
  papers = dict(RESIDUAL)
  column = _Column(axes, theme, 0.0)
  column.title("Residual block (ResNet, ConvNeXt, 3D)")
  column.box("block_input", papers["block_input"])
  start = column.entry()
  column.box("branch_input", papers["branch_input"])
  column.box("1 x 1 convolution")
  column.box("convolution", papers["convolution"])
  column.box("temporal_convolution", papers["temporal_convolution"])
  column.box("after_convolution", papers["after_convolution"])
  column.box("1 x 1 convolution")
  column.plus(start)
  papers = dict(TRANSFORMER)
  column = _Column(axes, theme, 7.6)
  column.title("Transformer block (ViT, CLIP, EVA-02)")
  column.box("block_input", papers["block_input"])
  start = column.entry()
  column.box("attention_branch", papers["attention_branch"])
  column.plus(start)
  start = column.entry()
  column.box("keys_values", papers["keys_values"])
  column.box("attention", papers["attention"])
  column.plus(start)
  column.box("mlp_input", papers["mlp_input"])
  start = column.entry()
  column.box("mlp_branch", papers["mlp_branch"])
  column.plus(start)
  start = column.entry()
  column.box("MLP")
  column.plus(start)
  axes.set(xlim=(-0.6, 14.6), ylim=(column.row - 0.2, 1.2))
  axes.axis("off")
  figure.tight_layout(pad=0.2)
  return figure


def main() -> None:
  """Writes the drawings."""
  matplotlib.rcParams["svg.hashsalt"] = "slots"  # The same bytes every time.
  FOLDER.mkdir(exist_ok=True)
  for name, theme in _THEMES.items():
    figure = draw(theme)
    figure.savefig(
      FOLDER / f"slots_{name}.svg", transparent=True, metadata={"Date": None}
    )
    plt.close(figure)


if __name__ == "__main__":
  main()
