"""A picture of augmented clips."""

import pathlib
import textwrap
from collections.abc import Sequence

import matplotlib.figure
import numpy as np

from temporal_jax.display.picture_text import as_colors, save_figure, short_label

_LONGEST = 200  # Letters of a title.


def draw_clips(
  file: str | pathlib.Path,
  clips: np.ndarray,
  *,
  mean: Sequence[float],
  std: Sequence[float],
  titles: Sequence[str],
  frames_shown: int = 8,
) -> None:
  """Draws normalised clips, one per row, their frames from left to right.

  Args:
    file: PNG to write.
    clips: (N, T, H, W, C), floating point, as the model takes them; of optical
      flow see `picture_text.as_colors`.
    mean: Pixel mean of R, G, B that was subtracted, of values in [0, 1]; of
      flow see `Augmentation`.
    std: Pixel standard deviation that they were divided by.
    titles: Text above each clip (N,).
    frames_shown: Frames of a clip, at most, evenly spread from first to last.

  Raises:
    ValueError: If clips are of another shape or dtype, or titles do not match.
  """
  clips = np.asarray(clips)
  floating = np.issubdtype(clips.dtype, np.floating)
  if clips.ndim != 5 or not floating:
    raise ValueError(
      f"clips must be floating point (N, T, H, W, C), got {clips.dtype}{clips.shape}."
    )
  rows, frames, height, width, _ = clips.shape
  if len(titles) != rows or not rows:
    raise ValueError(f"{len(titles)} titles were given for {rows} clips.")
  pixels = np.clip(clips * np.asarray(std) + np.asarray(mean), 0, 1)
  columns = min(frames, frames_shown)
  shown = np.linspace(0, frames - 1, columns).round().astype(int)
  wrapped = [
    textwrap.fill(short_label(title, _LONGEST), 14 * columns) for title in titles
  ]
  heights = [
    1.3 * height / width + 0.2 + 0.15 * (1 + title.count("\n")) for title in wrapped
  ]
  figure = matplotlib.figure.Figure(
    figsize=(1.3 * columns, sum(heights) + 0.2), layout="constrained"
  )
  # A figure a row, since an axes' own title would widen its column.
  parts = figure.subfigures(rows, height_ratios=heights, squeeze=False)[:, 0]
  for part, clip, title in zip(parts, pixels, wrapped, strict=True):
    part.suptitle(title, x=0.01, ha="left", fontsize=9)
    grid = part.subplots(1, columns, squeeze=False)[0]
    for axes, frame in zip(grid, shown, strict=True):
      axes.imshow(as_colors(clip[frame]))
      axes.set(xticks=[], yticks=[])
      if part is parts[-1]:
        axes.set_xlabel(f"frame {frame}", fontsize=8)
  save_figure(figure, file, dpi=120)
