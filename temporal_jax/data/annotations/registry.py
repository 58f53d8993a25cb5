"""The data sets by name, read from the modules next to this one.

A module that declares `DATA_SETS`, names and facts of each, adds them;
no other file has to know it.
"""

import pathlib
from collections.abc import Mapping
from types import MappingProxyType

from temporal_jax.data.annotations.data_set import DataSet
from temporal_jax.data.annotations.films import FilmAnnotations
from temporal_jax.data.annotations.record import Annotations
from temporal_jax.lookup import declared, lookup

BY_MODULE: Mapping[str, Mapping[str, DataSet]] = declared(__package__, "DATA_SETS")
DATA_SETS: Mapping[str, DataSet] = MappingProxyType(
  {name: one for table in BY_MODULE.values() for name, one in table.items()}
)


def open_annotations(name: str, folder: str | pathlib.Path) -> Annotations:
  """Reads a data set from a folder that holds its files.

  docs/annotations.md lists the names and the files of each. Kinetics' classes
  are in alphabetical order, or in the order of classes.txt in the folder.

  Args:
    name: One of `DATA_SETS`.
    folder: Folder of the files.

  Raises:
    FileNotFoundError: If a file is missing.
    ValueError: If the name is unknown or a file wrong.
  """
  data_set = lookup(DATA_SETS, name, "annotations")
  return data_set.read(pathlib.Path(folder).expanduser())


def open_test_set(name: str, folder: str | pathlib.Path) -> Annotations:
  """Reads the videos of a data set that results are uploaded of.

  Args:
    name: One of `DATA_SETS` that has a `read_test_set`.
    folder: Folder of the files.

  Returns:
    Records of the split "test", without labels where these are not published.

  Raises:
    FileNotFoundError: If a file is missing.
    ValueError: If the name is unknown or has no such set, or a file is wrong.
  """
  with_set = {name: one for name, one in DATA_SETS.items() if one.read_test_set}
  data_set = lookup(with_set, name, "test set")
  return data_set.read_test_set(pathlib.Path(folder).expanduser())


def open_films(
  name: str, folder: str | pathlib.Path, *, on_error: str = "raise"
) -> FilmAnnotations:
  """Reads the films of a data set with their segments.

  Args:
    name: One of `DATA_SETS` that has films.
    folder: Folder of the files, see docs/annotations.md.
    on_error: "raise", or "skip" to leave out, and count, a segment whose times
      or label are wrong, or that is past the film's end.

  Raises:
    FileNotFoundError: If a file is missing.
    ValueError: If the name is unknown or has no films, or a file is wrong.
  """
  of_films = {
    known: one.read_films for known, one in DATA_SETS.items() if one.read_films
  }
  read = lookup(of_films, name, "annotations of films")
  return read(pathlib.Path(folder).expanduser(), on_error)
