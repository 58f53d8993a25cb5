"""Finds the files of films' features."""

import hashlib
import os
import pathlib
from collections.abc import Iterable
from typing import NamedTuple

from temporal_jax.data.annotations.film_builder import with_durations, without_films
from temporal_jax.data.annotations.films import Film, FilmAnnotations, LeftOut
from temporal_jax.display import printable
from temporal_jax.localization.features.film_features import (
  FeatureKind,
  FilmFeatures,
  check_kind,
)
from temporal_jax.localization.features.read_features import (
  AS_THE_FILE,
  HDF5,
  SUFFIXES,
  FeatureFile,
  FeatureSettings,
  check_settings,
  describe_features,
  read_features,
)
from temporal_jax.untrusted.hdf5 import open_hdf5
from temporal_jax.validation import fill_template

NO_FEATURES = "a film without features"
WRONG_FEATURES = "a film whose features are damaged or of another kind"
# Parts of a file that differ from another one of its size: an npz file has the
# checksums of its arrays at the end.
_NUM_SAMPLES, _SAMPLE_BYTES = 16, 4096


class _Place(NamedTuple):
  """A file, and the film's name in it if it is HDF5."""

  file: pathlib.Path
  key: str


class FeatureStore:
  """The features of films: a file of each in a folder, or one HDF5 file.

  A film's file is called as the film, or as its video, with or without the
  folders, and ends in .npz, .npy, .h5 or .hdf5; a pattern names it otherwise.
  """

  def __init__(
    self,
    root: str | pathlib.Path,
    *,
    settings: FeatureSettings = AS_THE_FILE,
    pattern: str = "",
  ):
    """Looks where the features are.

    Args:
      root: The folder, or the HDF5 file.
      settings: Settings that the files must match, or that they lack.
      pattern: Name of a film's file in the folder, with its ending, or in HDF5:
        "v_{id}.npy". "" tries the names above.

    Raises:
      FileNotFoundError: If there is no such folder or file.
      ValueError: If the file is no HDF5 by its name, the pattern lacks {id} or
        has other fields in braces, or a setting makes no sense.
    """
    check_settings(settings)
    self._root = pathlib.Path(root).expanduser()
    self._settings, self._pattern = settings, pattern
    self._digests: dict[pathlib.Path, str] = {}
    if not self._root.exists():
      raise FileNotFoundError(f"{root} is not there; features are read from it.")
    self._is_file = not self._root.is_dir()
    if self._is_file and self._root.suffix.lower() not in HDF5:
      raise ValueError(
        f"{root} must be a folder of features or an HDF5 file "
        f"({', '.join(HDF5)}); a single film's file is read by `read_features`."
      )
    if pattern and "{id}" not in pattern:
      raise ValueError(f"pattern must contain {{id}}, got {pattern!r}.")
    fill_template("pattern", pattern, id="")

  def describe(self, film: Film) -> FeatureFile:
    """Reads the description of a film's features, without their values.

    Raises:
      FileNotFoundError: If it has none.
      ValueError: See `describe_features`.
    """
    file, key = self.find(film)
    return describe_features(file, self._settings, key=key, fps=film.fps)

  def read(self, film: Film) -> FilmFeatures:
    """Reads the features of a film.

    Raises:
      FileNotFoundError: If it has none.
      ValueError: See `read_features`.
    """
    file, key = self.find(film)
    return read_features(file, self._settings, key=key, fps=film.fps)

  def digest(self, films: Iterable[Film]) -> str:
    """Returns the sha256 of films' names and of samples of their files.

    The same files elsewhere have the same one.

    Raises:
      FileNotFoundError: If a film has no features.
      OSError: If a file cannot be read.
    """
    total = hashlib.sha256()
    for film in films:
      file, key = self.find(film)
      if file not in self._digests:
        self._digests[file] = _sample_digest(file)
      total.update(f"{film.id}\0{key}\0{self._digests[file]}\n".encode())
    return total.hexdigest()

  def find(self, film: Film) -> tuple[pathlib.Path, str]:
    """Returns a film's file, and its name in there if that is HDF5.

    Raises:
      FileNotFoundError: If there is none.
      ValueError: If an HDF5 file cannot be read.
    """
    names = self._names(film)
    if self._is_file:
      with open_hdf5(self._root, "features") as hdf5:
        for name in names:
          if name in hdf5:
            return _Place(self._root, name)
    else:
      endings = ("",) if self._pattern else SUFFIXES
      for name in names:
        for ending in endings:
          file = self._root / f"{name}{ending}"
          if file.is_file():
            # HDF5 then holds the array of this film only.
            return _Place(file, "")
    raise FileNotFoundError(
      f"the film {printable(film.id[:80])!r} has no features in {self._root}; "
      f"tried were {printable(str(names)[:200])}"
      f"{'' if self._pattern or self._is_file else ' with ' + ', '.join(SUFFIXES)}."
    )

  def _names(self, film: Film) -> list[str]:
    """Returns possible file names of a film's features, all in the folder."""
    names = film_names(film)
    if self._pattern:
      names = [fill_template("pattern", self._pattern, id=film.id)]
    return [name for name in names if _is_inside(name)]


def film_names(film: Film) -> list[str]:
  """Returns a film's names in files: its id or its video, no folders."""
  video = os.path.splitext(os.path.basename(film.path))[0]
  names = (film.id, os.path.basename(film.id), video)
  return list(dict.fromkeys(filter(None, names)))


def _sample_digest(file: pathlib.Path) -> str:
  """Returns the sha256 of a file's size and of bytes at even distances."""
  size = file.stat().st_size
  last = max(size - _SAMPLE_BYTES, 0)
  total = hashlib.sha256(str(size).encode())
  with file.open("rb") as opened:
    for number in range(_NUM_SAMPLES):
      opened.seek(last * number // (_NUM_SAMPLES - 1))
      total.update(opened.read(_SAMPLE_BYTES))
  return total.hexdigest()


def _is_inside(name: str) -> bool:
  """Whether a name from a list stays in the folder it is looked up in."""
  normal = os.path.normpath(name)
  outside = os.path.isabs(name) or normal.split(os.sep)[0] == ".."
  return bool(name) and "\0" not in name and not outside


def match_features(
  annotations: FilmAnnotations,
  store: FeatureStore,
  *,
  kind: FeatureKind | None = None,
  on_error: str = "raise",
) -> tuple[FilmAnnotations, FeatureKind]:
  """Keeps the films that have features, all of one kind.

  Segments are checked against the durations that the features' files know.

  Args:
    annotations: The films.
    store: The films' features.
    kind: Kind that the features must have, such as a detector's; None takes the
      first film's.
    on_error: "raise", or "skip" to leave out, and count, a film whose features
      are missing, damaged or of another kind, and a segment past its end.

  Returns:
    The films, and the kind of their features.

  Raises:
    ValueError: If something is wrong and nothing may be, two films have the
      same features, or no film is left.
  """
  left_out, durations = [], {}
  owners: dict[tuple[pathlib.Path, str], str] = {}
  for film in annotations.films:
    try:
      place = store.find(film)
      found = store.describe(film)
      check_kind(f"the film {film.id[:80]!r}", found.kind, kind or found.kind)
    except FileNotFoundError as error:
      left_out.append(LeftOut(film.id, NO_FEATURES, str(error)))
      continue
    except (ValueError, OSError) as error:
      left_out.append(LeftOut(film.id, WRONG_FEATURES, str(error)))
      continue
    if place in owners:
      raise ValueError(
        f"the films {owners[place]!r} and {film.id!r} would both have the "
        f"features {place[0]}."
      )
    owners[place] = film.id
    kind = kind or found.kind
    durations[film.id] = found.longest
  kept = without_films(annotations, left_out, on_error=on_error)
  if kind is None:
    raise ValueError("there is no film that has features.")
  return with_durations(kept, durations, on_error=on_error), kind
