"""The page about additions names files that exist."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
_PATH = re.compile(r"`((?:temporal_jax|convert_weights|docs|tests)/[^`*{} ]+)`")


def test_every_file_exists():
  page = (ROOT / "docs" / "changing.md").read_text()
  paths = _PATH.findall(page)
  assert len(paths) > 30
  for path in paths:
    if re.search(r"\bx\.py$|test_x\.py$", path):  # A name of the reader's own.
      assert (ROOT / path).parent.is_dir(), path
    else:
      assert (ROOT / path).exists(), path
