"""Building a TFDS data set, with messages that fit a terminal."""

import contextlib
import io
import pathlib
import sys
from collections.abc import Callable
from typing import Any


def prepare(builder: Any, say: Callable[[str], None] = print) -> None:
  """Builds a data set, unless it is there.

  TFDS's own two sentences, of 110 characters and more, are left out; its bars
  of progress are shown on a terminal only, which they fit.

  Args:
    builder: A tfds.core.DatasetBuilder.
    say: Gets a sentence before, if there is something to build.
  """
  import tensorflow_datasets as tfds  # Takes seconds.

  folder = pathlib.Path(builder.data_dir)
  if not folder.exists():
    say(f"building {builder.name} in {folder}.")
  tfds.display_progress_bar(enable=sys.stderr.isatty())
  with contextlib.redirect_stdout(io.StringIO()):
    builder.download_and_prepare()
