"""The sampling rules by name, and the frames that they choose."""

import dataclasses
import functools
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from temporal_jax.config_strings import read_call
from temporal_jax.data.sampling.base import Lengths, Sampling
from temporal_jax.data.sampling.other_libraries import (
  Mmaction2Clips,
  Mmaction2Segments,
  SlowFastClips,
  TsmClips,
  TsmSegments,
  UniformTemporalSubsample,
)
from temporal_jax.data.sampling.rounded_segments import RandomClips, RoundedSegments
from temporal_jax.data.sampling.segments import (
  EqualSegments,
  NearestSegments,
  Segments,
  WholeSegments,
)
from temporal_jax.data.sampling.shuffled import Shuffled
from temporal_jax.data.sampling.windows import Dense, FixedStride, Interval
from temporal_jax.validation import check_at_least, check_whole

SAMPLINGS: Mapping[str, type[Sampling]] = MappingProxyType(
  {
    "segments": Segments,
    "nearest_segments": NearestSegments,
    "whole_segments": WholeSegments,
    "rounded_segments": RoundedSegments,
    "random_clips": RandomClips,
    "equal_segments": EqualSegments,
    "dense": Dense,
    "fixed_stride": FixedStride,
    "interval": Interval,
    "mmaction2_clips": Mmaction2Clips,
    "mmaction2_segments": Mmaction2Segments,
    "tsm_clips": TsmClips,
    "tsm_segments": TsmSegments,
    "slowfast_clips": SlowFastClips,
    "uniform_temporal_subsample": UniformTemporalSubsample,
    "shuffled": Shuffled,
  }
)


@functools.lru_cache
def parse_sampling(sampling: str, stride: int = 1) -> Sampling:
  """Reads the name of a rule: "segments", "interval(16, fps=60)".

  Args:
    sampling: A name of `SAMPLINGS`, with its arguments in brackets if any.
    stride: Stride of "dense" if it has no argument for it, in frames.

  Raises:
    ValueError: If it cannot be read, is unknown, has a wrong argument, or
      `stride` is below 1.
  """
  check_at_least("stride", stride, 1)
  rule = read_call(sampling, SAMPLINGS, "sampling")
  if isinstance(rule, Dense) and not rule.stride:
    return dataclasses.replace(rule, stride=stride)
  return rule


def describe_sampling(sampling: str, stride: int = 1) -> str:
  """Returns the rule as text that includes `stride`.

  Args:
    sampling: See `parse_sampling`.
    stride: See `parse_sampling`.

  Raises:
    ValueError: See `parse_sampling`.
  """
  rule = parse_sampling(sampling, stride)
  if not isinstance(rule, Dense):
    return sampling
  short = "" if rule.short == Dense.short else f", short={rule.short!r}"
  return f"dense(stride={rule.stride}{short})"


def check(sampling: str, num_frames: int, stride: int = 1, num_clips: int = 1) -> None:
  """Checks a rule before there is a video.

  Args:
    sampling: See `parse_sampling`.
    num_frames: Frames in a clip, T.
    stride: See `parse_sampling`.
    num_clips: Clips of a test, K.

  Raises:
    ValueError: If `sampling` cannot be parsed, a number is below 1, or the rule
      has no such clips.
  """
  rule = parse_sampling(sampling, stride)
  check_at_least("num_frames", num_frames, 1)
  check_whole("num_clips", num_clips, 1)
  rule.check(num_frames, num_clips)


def sample_indices(
  total: int,
  num_frames: int,
  *,
  sampling: str,
  stride: int = 1,
  fps: float | None = None,
  rng: np.random.Generator | None = None,
  clip: int = 0,
  num_clips: int = 1,
) -> np.ndarray:
  """Chooses the frames of a clip.

  Args:
    total: Frames in the video, at least 1, L.
    num_frames: Frames in the clip, T.
    sampling: See `parse_sampling`.
    stride: See `parse_sampling`.
    fps: Frames per second of the video, which rules that count seconds need.
    rng: Source of randomness in training; None in evaluation.
    clip: Number of the clip in a test, k in [0, K).
    num_clips: Clips of a test, K; 1 with `rng`.

  Returns:
    Indices (T,) in [0, L), int64, see `Sampling.choose`.

  Raises:
    ValueError: If `sampling` is wrong, or a number out of its range.
  """
  check(sampling, num_frames, stride, num_clips)
  rule = parse_sampling(sampling, stride)
  lengths = Lengths(total, num_frames, fps)
  return rule.choose(lengths, rng=rng, clip=clip, num_clips=num_clips)
