"""Building data sets made by code, with messages that fit a terminal."""

import contextlib
import io
import pathlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from temporal_jax.data import datasets
from temporal_jax.storage import FolderLock, whole_folder


def prepare(builder: Any, say: Callable[[str], None] = print) -> bool:
  """Builds a TFDS data set, unless it is there.

  TFDS's own two sentences, of 110 characters and more, are left out; its bars
  of progress are shown on a terminal only, which they fit.

  Args:
    builder: A tfds.core.DatasetBuilder.
    say: Called with a sentence before, if there is something to build.

  Returns:
    Whether it was built.
  """
  import tensorflow_datasets as tfds  # Takes seconds.

  tfds.display_progress_bar(enable=sys.stderr.isatty())
  with (
    _to_build(pathlib.Path(builder.data_dir), builder.name, say) as missing,
    contextlib.redirect_stdout(io.StringIO()),
  ):
    if missing:
      builder.download_and_prepare()
    elif not builder.info.initialized:  # Another process has built it since.
      builder.info.read_from_directory(builder.data_dir)
  return missing


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
  with _to_build(folder, name, say) as missing:
    if missing:
      with whole_folder(folder) as partial:
        films.write_films(partial)
  return folder


@contextlib.contextmanager
def _to_build(
  folder: pathlib.Path, name: str, say: Callable[[str], None]
) -> Iterator[bool]:
  """Yields whether a folder must be built, by this process and no other.

  A process that builds it at the same time is waited for.
  """
  if folder.exists():
    yield False
    return
  with FolderLock(folder.parent, wait=True, say=say):
    missing = not folder.exists()
    if missing:
      say(f"building {name} in {folder}.")
    yield missing
