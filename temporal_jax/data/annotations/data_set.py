"""The declaration of a data set by its module."""

import pathlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from temporal_jax.data.annotations.films import FilmAnnotations
from temporal_jax.data.annotations.record import Annotations


class DataSet(NamedTuple):
  """A data set in the files that its authors publish.

  Attributes:
    read: Reads the folder that holds the files.
    files: Paths of the files in the folder; capital letters mark the parts that
      vary.
    videos: Place of a video in the folder of videos, in words, with paths in
      backticks.
    read_test_set: Reads the videos that results are uploaded of, as the records
      of split "test"; their labels may not be published. None without a set
      that is not the test of `read`.
    test_files: Paths of its files that `files` has not; those after the first
      are read if they are there.
    read_films: Reads films with their segments from the folder; called with
      `on_error` too. None if it has no such films.
  """

  read: Callable[[pathlib.Path], Annotations]
  files: Sequence[str]
  videos: str
  read_test_set: Callable[[pathlib.Path], Annotations] | None = None
  test_files: Sequence[str] = ()
  read_films: Callable[[pathlib.Path, str], FilmAnnotations] | None = None
