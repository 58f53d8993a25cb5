"""Reads the explained clip, and the frames between its frames."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from temporal_jax.data.video.readers import Reader
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.data.views.read_views import clip_indices, crop_places, read_views


class ReadClip(NamedTuple):
  """The clip of a video that a network is shown.

  Attributes:
    frames: (T, S, S, 3) uint8.
    indices: Their numbers in the video (T,).
    times: Text under each frame (T,): seconds, or numbers of frames where the
      video has no rate.
  """

  frames: np.ndarray
  indices: np.ndarray
  times: tuple[str, ...]


def middle_view(protocol: EvalProtocol) -> EvalProtocol:
  """Returns the protocol of one clip and one crop, in the middle."""
  return dataclasses.replace(protocol, num_clips=1, num_crops=1)


def read_clip(reader: Reader, protocol: EvalProtocol) -> ReadClip:
  """Reads the first view of a protocol.

  Raises:
    VideoError: If a frame cannot be decoded.
    ValueError: If the frames do not fit the protocol, or are no RGB.
  """
  frames = read_views(reader, protocol, fps=reader.fps)[0]
  if frames.shape[-1] != 3:
    raise ValueError(f"frames must be RGB, got shape {frames.shape}.")
  indices = clip_indices(protocol, reader.num_frames, reader.fps)[0]
  if reader.fps:
    times = [f"{index / reader.fps:.2f} s" for index in indices]
  else:
    times = [f"frame {index}" for index in indices]
  return ReadClip(frames, indices, tuple(times))


def read_frames(
  reader: Reader, protocol: EvalProtocol, indices: Sequence[int]
) -> np.ndarray:
  """Reads any frames as the first view of a protocol shows them.

  Args:
    reader: Reader of the video.
    protocol: Test protocol with the size of frames and crops.
    indices: Their numbers.

  Returns:
    Frames (len(indices), S, S, 3) uint8.
  """
  indices = [int(index) for index in indices]
  if protocol.stretch is None:
    frames = reader.pictures(indices, short_side=protocol.short_side)
  else:
    frames, _ = reader.read_stretched(indices, protocol.stretch)
  size = protocol.crop_size
  place, *_ = crop_places(
    *frames[0].shape[:2], size, protocol.num_crops, protocol.crop_rule
  )
  rows = slice(place.top, place.top + size)
  columns = slice(place.left, place.left + size)
  return np.stack([frame[rows, columns] for frame in frames])
