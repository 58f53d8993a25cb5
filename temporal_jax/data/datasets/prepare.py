"""Building data sets made by code, with messages that fit a terminal."""

import contextlib
import io
import pathlib
import sys
from collections.abc import Callable
from typing import Any

from temporal_jax.data import datasets
from temporal_jax.storage import whole_folder


def prepare(builder: Any, say: Callable[[str], None] = print) -> None:
  """Builds a TFDS data set, unless it is there.

  TFDS's own two sentences, of 110 characters and more, are left out; its bars
  of progress are shown on a terminal only, which they fit.

  Args:
    builder: A tfds.core.DatasetBuilder.
    say: Called with a sentence before, if there is something to build.
  """
  import tensorflow_datasets as tfds  # Takes seconds.

  folder = pathlib.Path(builder.data_dir)
  if not folder.exists():
    say(f"building {builder.name} in {folder}.")
  tfds.display_progress_bar(enable=sys.stderr.isatty())
  with contextlib.redirect_stdout(io.StringIO()):
    builder.download_and_prepare()


def prepare_films(
  name: str, data_dir: str | pathlib.Path, say: Callable[[str], None] = print
) -> pathlib.Path:
  """Writes the films of a data set, unless they are there.

  Args:
    name: One of `datasets.FILMS`.
    data_dir: Folder of prepared data sets.
    say: Called with a sentence before, if there is something to write.

  Returns:
    The folder of the films, which holds segments.csv too.

  Raises:
    ValueError: If the data set is unknown.
  """
  films = datasets.find_films(name)
  folder = pathlib.Path(data_dir).expanduser() / name / films.VERSION
  if not folder.exists():
    say(f"building {name} in {folder}.")
    with whole_folder(folder) as partial:
      films.write_films(partial)
  return folder
