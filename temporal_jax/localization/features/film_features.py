"""Features of a film, and the time of each position."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from temporal_jax.validation import check_number, check_whole


class FeatureKind(NamedTuple):
  """Kind of features; a detector takes only features of its own kind.

  Attributes:
    width: Numbers of a position, C.
    stride: Frames from one position to the next.
    window: Frames that a position sees.
    model: The network that made them, "" if that is not known.
    feature: Name of the extracted features, such as "pooled"; "" if not known.
    weights: The sha256 of the network's weights, "" if not known.
    frames: Cut of the frames: "square" (as the network is tested), "stretched"
      (whole, to a square) or "short side 224" (whole, as they are); "" if not
      known.
    rate: Frames per second that videos were read at, "own" for each video's
      own, "" if not known.
  """

  width: int
  stride: float
  window: float
  model: str = ""
  feature: str = ""
  weights: str = ""
  frames: str = ""
  rate: str = ""


def extraction_kind(
  width: int, stride: float, window: float, settings: Mapping[str, Any]
) -> FeatureKind:
  """Returns the kind of features that an extraction writes.

  Args:
    width: Numbers of a position.
    stride: Frames from one position to the next.
    window: Frames that a position sees.
    settings: See `inference.extract_files`; missing ones are not known.

  Raises:
    ValueError: If a setting is of another type than extraction writes.
  """
  texts = {}
  for name, key in (("model",) * 2, ("feature",) * 2, ("weights", "sha256")):
    texts[name] = settings.get(key, "")
    if not isinstance(texts[name], str):
      raise ValueError(f"{key} must be text, got {texts[name]!r}")
  short_side, fps = settings.get("whole_short_side"), settings.get("fps")
  frames = rate = ""
  if "whole_short_side" in settings:
    frames = "stretched" if settings.get("stretch") is True else "square"
    if short_side is not None:
      check_whole("whole_short_side", short_side, 1)
      frames = f"short side {short_side}"
  if "fps" in settings:
    rate = "own"
    if fps is not None:
      check_number("fps", fps, 0)
      rate = f"{fps:.10g}"
  return FeatureKind(width, stride, window, **texts, frames=frames, rate=rate)


def check_kind(where: str, got: FeatureKind, expected: FeatureKind) -> None:
  """Refuses features of another kind.

  Args:
    where: Film or file of the features, for messages.
    got: Kind of the features.
    expected: Required kind; a field that is not known, "", allows all.

  Raises:
    ValueError: If they differ, naming all that differs.
  """
  differ = [
    f"{name} {have!r} instead of {want!r}"
    for name, have, want in zip(FeatureKind._fields, got, expected, strict=True)
    if have != want and want != ""
  ]
  if differ:
    raise ValueError(f"the features of {where} have {', '.join(differ)}.")


@dataclasses.dataclass(frozen=True)
class FilmFeatures:
  """The features of a film.

  Position p is the frames offset + stride p to offset + stride p + window - 1,
  and its time is their middle. Positions need not be whole.

  Attributes:
    values: (T, C) float32.
    stride: Frames from one position to the next.
    window: Frames that a position sees.
    fps: Frames per second.
    offset: First frame of position 0.
    duration: The film's seconds, None if not known.
    kind: Kind of the features in the file, before they were resampled.
  """

  values: np.ndarray
  stride: float
  window: float
  fps: float
  offset: float
  duration: float | None
  kind: FeatureKind

  @property
  def longest(self) -> float:
    """The seconds that the film has at most, see `longest_seconds`."""
    if self.duration is not None:
      return self.duration
    return longest_seconds(
      len(self.values), self.stride, self.window, self.fps, self.offset
    )

  def seconds(self, positions: np.ndarray) -> np.ndarray:
    """Returns the seconds (...) of positions (...)."""
    frames = self.offset + np.asarray(positions) * self.stride + self.window / 2
    return frames / self.fps

  def positions(self, seconds: np.ndarray) -> np.ndarray:
    """Returns the positions (...) of seconds (...); `seconds` backwards."""
    frames = np.asarray(seconds) * self.fps - self.window / 2 - self.offset
    return frames / self.stride

  def resampled(self, length: int) -> "FilmFeatures":
    """Returns the same film with `length` positions, see `resample`.

    The first and the last position stay where they are. The single position of
    a short film becomes `length` equal parts of its window.

    Args:
      length: Number of positions, at least 2.

    Raises:
      ValueError: If `length` is below 2.
    """
    values, frames = resample(self.values, length), len(self.values)
    if frames == 1:
      part = self.window / length
      return dataclasses.replace(self, values=values, stride=part, window=part)
    stride = self.stride * (frames - 1) / (length - 1)
    return dataclasses.replace(self, values=values, stride=stride)


def longest_seconds(
  length: int, stride: float, window: float, fps: float, offset: float
) -> float:
  """Returns the seconds of a film whose features just lack one more window.

  Args:
    length: Number of positions.
    stride: Frames from one position to the next.
    window: Frames that a position sees.
    fps: Frames per second.
    offset: First frame of position 0.
  """
  return (offset + length * stride + window) / fps


def resample(values: np.ndarray, length: int) -> np.ndarray:
  """Changes the number of positions by linear interpolation.

  The corners are aligned: the first position stays the first, the last one the
  last, and the others are at equal distances.

  Args:
    values: (T, C), T at least 1.
    length: Number of positions, at least 2.

  Returns:
    (length, C) in the dtype of `values`.

  Raises:
    ValueError: If `values` is not (T, C) or `length` is below 2.
  """
  check_whole("length", length, 2)
  if values.ndim != 2 or not len(values):
    raise ValueError(f"values must be (T, C) with T > 0, got {values.shape}.")
  return interpolate(values, np.linspace(0.0, len(values) - 1, length))


def interpolate(values: np.ndarray, places: np.ndarray) -> np.ndarray:
  """Returns the values (N, C) at places (N,) between the positions of (T, C).

  Before the first position is the first value, after the last one the last.
  """
  places = np.clip(places, 0, len(values) - 1)
  low = np.minimum(places.astype(np.int64), max(len(values) - 2, 0))
  high = np.minimum(low + 1, len(values) - 1)
  share = (places - low).astype(values.dtype)[:, None]
  return values[low] * (1 - share) + values[high] * share
