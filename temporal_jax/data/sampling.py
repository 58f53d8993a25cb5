"""Which frames of a video make a clip."""

import numpy as np

SAMPLINGS = ("segment", "dense")


def check(sampling: str, num_frames: int, stride: int) -> None:
  """Raises ValueError if `sampling` is unknown or a number is below 1."""
  if sampling not in SAMPLINGS:
    raise ValueError(f"sampling must be in {SAMPLINGS}, got {sampling!r}.")
  if min(num_frames, stride) < 1:
    raise ValueError(
      f"num_frames and stride must be at least 1, got {num_frames}, {stride}."
    )


def sample_indices(
  total: int,
  num_frames: int,
  *,
  sampling: str,
  stride: int = 1,
  rng: np.random.Generator | None = None,
) -> np.ndarray:
  """Chooses the frames of a clip.

  "segment" cuts the video into `num_frames` equal parts and takes one frame of
  each: a random one, or the middle one without `rng`. "dense" takes frames
  `stride` apart from a random start, or from the middle without `rng`. A video
  that is too short repeats frames ("segment") or its last frame ("dense").

  Args:
    total: Frames in the video, at least 1.
    num_frames: Frames in the clip, T.
    sampling: One of `SAMPLINGS`.
    stride: Frames from one to the next, for "dense".
    rng: Source of randomness in training; None in evaluation.

  Returns:
    Ascending indices (T,) in [0, total).

  Raises:
    ValueError: If `sampling` is unknown or a number is below 1.

  Source: segments as Wang et al. 2016, https://arxiv.org/abs/1608.00859 (TSN).
  """
  check(sampling, num_frames, stride)
  if total < 1:
    raise ValueError(f"a video has at least 1 frame, got {total}.")
  if sampling == "segment":
    edges = np.linspace(0, total, num_frames + 1)
    place = 0.5 if rng is None else rng.random(num_frames)
    indices = edges[:-1] + place * np.diff(edges)
  else:
    room = max(total - ((num_frames - 1) * stride + 1), 0)
    start = room // 2 if rng is None else rng.integers(room + 1)
    indices = start + stride * np.arange(num_frames)
  return np.minimum(indices.astype(int), total - 1)
