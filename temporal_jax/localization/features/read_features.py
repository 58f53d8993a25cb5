"""Reading the features of a film from a file."""

import contextlib
import math
import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from temporal_jax.data.annotations.fields import MAX_SECONDS
from temporal_jax.localization.features.film_features import (
  FeatureKind,
  FilmFeatures,
  extraction_kind,
  longest_seconds,
)
from temporal_jax.untrusted.hdf5 import open_hdf5
from temporal_jax.untrusted.json_text import parse_json
from temporal_jax.untrusted.npy import Declared, open_npy
from temporal_jax.untrusted.npz import Npz, check_arrays, open_npz
from temporal_jax.validation import check_number, check_whole

HDF5 = (".h5", ".hdf5")
SUFFIXES = (".npz", ".npy", *HDF5)
# Names of features in npz files: this package's, and in ActionFormer's files.
_NAMES = ("features", "feats")
_NUMBERS = ("stride", "window", "fps", "offset", "duration")
# Frames and frames per second that features may have; the slowest are pictures
# of a quarter of an hour each.
FPS_BOUNDS = (1e-3, 1e4)
_BOUNDS = {"stride": (1e-6, 1e6), "window": (1e-6, 1e6), "fps": FPS_BOUNDS}
_MAX_OFFSET = 1e6
# A film may have parts without features, but no more than this many times those
# with features: milliseconds or frames instead of seconds are above it.
_MOST_FILMS = 10
# Durations and the times of positions are rounded, or counted by other readers.
_SLACK_SECONDS = 1.0
_WHAT = "usable features"
_PICKLES = (".pkl", ".pickle", ".pt", ".pth")
_NO_PICKLES = (
  f"pickles ({', '.join(_PICKLES)}) can run code and are not read: save their array "
  "by numpy.save."
)


class FeatureSettings(NamedTuple):
  """Settings of features in a config; None leaves one to their file.

  Attributes:
    stride: Frames from one position to the next.
    window: Frames that a position sees.
    fps: Frames per second of the films, as they were read for the features.
    width: Numbers of a position.
  """

  stride: float | None = None
  window: float | None = None
  fps: float | None = None
  width: int | None = None


AS_THE_FILE = FeatureSettings()


def check_no_pickle(file: str | os.PathLike) -> None:
  """Raises ValueError if a file is a pickle by its name."""
  if pathlib.Path(file).suffix.lower() in _PICKLES:
    raise ValueError(f"{file}: {_NO_PICKLES}")


def check_settings(settings: FeatureSettings) -> None:
  """Raises ValueError if a number of the settings makes no sense, naming it."""
  for name, (low, high) in _BOUNDS.items():
    if (value := getattr(settings, name)) is not None:
      check_number(name, value, low, high)
  if settings.width is not None:
    check_whole("width", settings.width, 1)


class FeatureFile(NamedTuple):
  """A file of features as its headers describe it.

  Attributes:
    kind: Kind of the features.
    length: Positions, T.
    fps: Frames per second.
    offset: First frame of position 0.
    duration: The film's seconds, None if the file has none.
  """

  kind: FeatureKind
  length: int
  fps: float
  offset: float
  duration: float | None

  @property
  def longest(self) -> float:
    """The seconds that the film has at most: one more window would fit."""
    if self.duration is not None:
      return self.duration
    return longest_seconds(
      self.length, self.kind.stride, self.kind.window, self.fps, self.offset
    )


def describe_features(
  file: str | os.PathLike,
  settings: FeatureSettings = AS_THE_FILE,
  *,
  key: str = "",
  fps: float | None = None,
) -> FeatureFile:
  """Reads the description of a file's features, without their values.

  Args:
    file: npz as `temporal-jax extract` writes it, npz or npy of one array
      (T, C), or HDF5 with an array (T, C) for each film.
    settings: Settings that the file must match, or that it lacks.
    key: Name of the film's array in HDF5; "" is the only one there.
    fps: The film's frames per second, where neither file nor settings say it.

  Raises:
    ImportError: If it is HDF5 and the extra "hdf5" is not installed.
    OSError: If it cannot be opened.
    ValueError: If it holds no features or others than the settings say, or
      something is not known; the file is named. If a setting makes no sense.
  """
  check_settings(settings)
  with _open(file, key) as (declared, facts, _):
    return _describe(declared, facts, settings, fps)


def read_features(
  file: str | os.PathLike,
  settings: FeatureSettings = AS_THE_FILE,
  *,
  key: str = "",
  fps: float | None = None,
) -> FilmFeatures:
  """Reads the features of a film.

  Args:
    file: See `describe_features`.
    settings: Settings that the file must match, or that it lacks.
    key: Name of the film's array in HDF5; "" is the only one there.
    fps: The film's frames per second, where neither file nor settings say it.

  Raises:
    ImportError: If it is HDF5 and the extra "hdf5" is not installed.
    OSError: If it cannot be opened.
    ValueError: See `describe_features`; or if a value is NaN or infinite.
  """
  check_settings(settings)
  with _open(file, key) as (declared, facts, read):
    found = _describe(declared, facts, settings, fps)
    with np.errstate(over="ignore"):  # It is found below.
      values = np.ascontiguousarray(read(), np.float32)
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
      raise ValueError(
        f"{np.count_nonzero(~finite)} of {found.length} positions are NaN or "
        f"infinite, the first of them {int(np.argmin(finite))}"
      )
  kind = found.kind
  return FilmFeatures(
    values, kind.stride, kind.window, found.fps, found.offset, found.duration, kind
  )


def _describe(
  declared: Declared,
  facts: Mapping[str, Any],
  settings: FeatureSettings,
  fps: float | None,
) -> FeatureFile:
  """Joins the settings of a file and a config; they must not differ."""
  if len(declared.shape) != 2 or declared.kind != "float" or 0 in declared.shape:
    raise ValueError(
      "they must be float of shape (T, C), one row for each position, got "
      f"{declared.kind} of {declared.shape}"
    )
  length, width = declared.shape
  if settings.width not in (None, width):
    turned = "; they seem to be (C, T)" if settings.width == length else ""
    raise ValueError(
      f"their width must be {settings.width}, got {width} in {declared.shape}{turned}"
    )
  numbers = {}
  for name in _NUMBERS:
    number, wanted = facts.get(name), getattr(settings, name, None)
    if number is not None:
      _check_fact(name, number)
    if None not in (number, wanted) and number != wanted:
      raise ValueError(f"their {name} must be {wanted:g}, got {number:g}")
    numbers[name] = wanted if number is None else number
  if numbers["fps"] is None:
    numbers["fps"] = fps
    if fps is not None:
      _check_fact("fps", fps)
  missing = [name for name in ("stride", "window", "fps") if numbers[name] is None]
  if missing:
    raise ValueError(
      f"their {', '.join(missing)} is known neither from the file nor from settings: "
      "`temporal-jax localize` has --fps and takes the others of its detector, "
      f"configs have {', '.join(f'data.feature_{name}' for name in missing)}"
    )
  found = FeatureFile(
    extraction_kind(
      width, numbers["stride"], numbers["window"], facts.get("settings", {})
    ),
    length,
    numbers["fps"],
    numbers["offset"] or 0.0,
    numbers["duration"],
  )
  _check_times(found)
  return found


def _check_fact(name: str, number: float) -> None:
  """Raises ValueError if a number of a file makes no sense."""
  if name in _BOUNDS:
    low, high = _BOUNDS[name]
    if not low <= number <= high:
      raise ValueError(f"their {name} must be in [{low:g}, {high:g}], got {number:g}")
  elif not math.isfinite(number) or (name == "duration" and number <= 0):
    allowed = "finite" if name == "offset" else "finite and above 0"
    raise ValueError(f"their {name} must be {allowed}, got {number:g}")


def _check_times(file: FeatureFile) -> None:
  """Raises ValueError if positions are outside of any film, or of their own."""
  _, stride, window, *_ = file.kind
  if not -window <= file.offset <= _MAX_OFFSET:
    raise ValueError(
      f"their offset must be in [{-window:g}, {_MAX_OFFSET:g}] frames, at most a "
      f"window before the film, got {file.offset:g}"
    )
  longest = longest_seconds(file.length, stride, window, file.fps, file.offset)
  if longest > MAX_SECONDS:
    raise ValueError(
      f"their {file.length} positions, each {stride:g} frames at {file.fps:g} fps, "
      f"end after {longest:g} s, at most {MAX_SECONDS:g} are allowed"
    )
  if file.duration is None:
    return
  last = (file.offset + (file.length - 1) * stride + window / 2) / file.fps
  least = max(last - max(window / file.fps, _SLACK_SECONDS), 0)
  most = max(_MOST_FILMS * longest, _SLACK_SECONDS)
  if not least <= file.duration <= most:
    raise ValueError(
      f"their duration must be from {least:.6g} to {most:.6g} s, as the middle of "
      f"the last of {file.length} positions is at {last:.6g} s; got "
      f"{file.duration:g}"
    )


@contextlib.contextmanager
def _open(
  file: str | os.PathLike, key: str
) -> Iterator[tuple[Declared, dict[str, Any], Any]]:
  """Yields the features' description, facts of the file, and their reader."""
  suffix = pathlib.Path(file).suffix.lower()
  if suffix == ".npy":
    with open_npy(file, _WHAT) as npy:
      yield npy.declared, {}, npy.read
  elif suffix == ".npz":
    with open_npz(file, _WHAT) as npz:
      name = _find_array(npz)
      yield npz.declared[name], _facts(npz), lambda: npz.read(name)
  elif suffix in HDF5:
    with open_hdf5(file, f"{_WHAT} of {key[:80]!r}") as hdf5:
      facts = {name: hdf5.number(key, name) for name in _NUMBERS}
      yield hdf5.declare(key), facts, lambda: hdf5.read(key)
  else:
    raise ValueError(
      f"{file} must end in one of {', '.join(SUFFIXES)} to be read as features; "
      f"{_NO_PICKLES}"
    )


def _find_array(npz: Npz) -> str:
  """Returns the name of the array that holds the features."""
  names = list(npz.declared)
  found = [name for name in _NAMES if name in npz.declared]
  found = found or (names if len(names) == 1 else [])
  if not found:
    raise ValueError(
      f"one array must be called {' or '.join(_NAMES)}, there is {sorted(names)[:9]}"
    )
  return found[0]


def _facts(npz: Npz) -> dict[str, Any]:
  """Returns the facts that an npz file states about its features."""
  facts: dict[str, Any] = {}
  for name in _NUMBERS:
    if name in npz.declared:
      check_arrays(npz.declared, {name: (("integer", "float"), ())})
      facts[name] = float(npz.read(name))
  settings = {}
  if "settings" in npz.declared:
    check_arrays(npz.declared, {"settings": ("text", ())})
    settings = parse_json(str(npz.read("settings")), "settings")
    if not isinstance(settings, dict):
      raise ValueError("the entry settings must be a JSON object")
  for name in ("model", "feature"):
    if name in npz.declared:
      check_arrays(npz.declared, {name: ("text", ())})
      settings[name] = str(npz.read(name))
  facts["settings"] = settings
  return facts
