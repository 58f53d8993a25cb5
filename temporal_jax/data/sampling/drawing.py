"""A picture of the frames that sampling rules take."""

import pathlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib.figure
import numpy as np

from temporal_jax.data.sampling.registry import sample_indices
from temporal_jax.display.picture_text import save_figure

_DRAWN = 3  # Random clips shown of each rule.


class Row(NamedTuple):
  """A rule, and the video that it is shown on.

  Attributes:
    sampling: See `parse_sampling`.
    total: Frames of the video.
    num_frames: Number of frames of a clip.
    num_clips: Number of clips of a test.
    stride: See `parse_sampling`.
    fps: Frames per second of the video.
  """

  sampling: str
  total: int
  num_frames: int = 8
  num_clips: int = 1
  stride: int = 1
  fps: float = 30.0


# The picture of docs/sampling.md, in the order of its table.
PAGE = (
  Row("segments", 100, num_clips=2),
  Row("whole_segments", 100, num_clips=2),
  Row("rounded_segments", 100, num_clips=4),
  Row("rounded_segments('inside')", 100, num_clips=4),
  Row("random_clips", 100, num_clips=4),
  Row("fixed_stride", 100),
  Row("rounded_segments('borders')", 100, num_clips=3),
  Row("interval(16, single='start')", 100, num_frames=4, num_clips=3),
  Row("equal_segments", 100, num_clips=3),
  Row("equal_segments(shared=True)", 100, num_clips=3),
  Row("nearest_segments", 100, num_clips=2),
  Row("interval(8)", 100, num_clips=4),
  Row("dense(stride=2)", 100, num_clips=3),
  Row("mmaction2_clips(2)", 100, num_clips=3),
  Row("mmaction2_segments", 100, num_clips=2),
  Row("tsm_segments", 100, num_clips=2),
  Row("tsm_clips", 100, num_clips=3),
  Row("slowfast_clips(2)", 100, num_clips=3),
  Row("slowfast_clips(2, offset=True)", 100, num_clips=3),
  Row("uniform_temporal_subsample", 100),
  Row("uniform_temporal_subsample(2)", 100, num_clips=3),
  Row("shuffled('dense(2)')", 100),
  Row("segments", 6),
  Row("interval(8)", 6),
  Row("dense(stride=2)", 6),
  Row("dense(stride=2, short='repeat_last')", 6),
  Row("dense(stride=2, short='loop')", 6),
  Row("mmaction2_segments", 6, num_clips=2),
  Row("tsm_segments", 6, num_clips=2),
)


def draw_sampling(
  file: str | pathlib.Path, rows: Sequence[Row], *, seed: int = 0
) -> None:
  """Draws the frames that rules take: random clips above, a test's below.

  A row is a video from its first frame to its last, with one dot per frame of a
  clip and one line of dots per clip.

  Args:
    file: PNG to write.
    rows: Rules with their videos, from top to bottom.
    seed: Seed of the random clips.

  Raises:
    ValueError: If there are no rows, or one is wrong.
  """
  if not rows:
    raise ValueError("rows must hold at least one row to draw, got none.")
  heights = [_DRAWN + row.num_clips + 3 for row in rows]
  figure = matplotlib.figure.Figure(
    figsize=(8, 0.16 * sum(heights) + 0.3), layout="constrained"
  )
  grid = figure.subplots(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
  for axes, row in zip(grid, rows, strict=True):
    random, fixed = _clips(row, np.random.default_rng(seed))
    for line, clip in enumerate(random + fixed):
      color = "0.6" if line < len(random) else "tab:red"
      axes.plot(clip, [line] * len(clip), "o", color=color, markersize=4)
    axes.set_title(
      f"{row.sampling}: {row.num_frames} of {row.total} frames",
      fontsize=9,
      loc="left",
    )
    axes.set(
      xlim=(-0.02 * row.total - 0.5, 1.02 * row.total - 0.5),
      ylim=(len(random) + len(fixed) - 0.3, -0.7),
      yticks=[(_DRAWN - 1) / 2, _DRAWN + (row.num_clips - 1) / 2],
      yticklabels=["training", "test"],
    )
    axes.tick_params(labelsize=8, left=False)
    axes.spines[["left", "right", "top"]].set_visible(False)
  save_figure(figure, file, dpi=120)


def _clips(
  row: Row, rng: np.random.Generator
) -> tuple[list[np.ndarray], list[np.ndarray]]:
  """Returns random clips, and the clips of a test."""
  common = {"sampling": row.sampling, "stride": row.stride, "fps": row.fps}
  random = [
    sample_indices(row.total, row.num_frames, rng=rng, **common) for _ in range(_DRAWN)
  ]
  fixed = [
    sample_indices(
      row.total,
      row.num_frames,
      **common,
      clip=clip,
      num_clips=row.num_clips,
    )
    for clip in range(row.num_clips)
  ]
  return random, fixed


if __name__ == "__main__":
  draw_sampling(sys.argv[1], PAGE)
