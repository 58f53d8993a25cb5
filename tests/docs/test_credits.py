"""The page of credits names every photograph and video that is used."""

import pathlib
import re

import pytest

pytest.importorskip("skimage")
pytest.importorskip("tensorflow_datasets")

from temporal_jax.data.datasets import photograph_clips
from tests.test_finetune import VIDEOS

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "credits.md").read_text()


def _rows(heading):
  """Returns the names and licences of the table under a heading."""
  section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
  return dict(re.findall(r"^\| `(.+?)` \|.*\| (.+?) \|$", section, re.MULTILINE))


def test_every_photograph_has_a_licence():
  licences = _rows("Photographs")
  used = {name for split in photograph_clips.PHOTOGRAPHS.values() for name in split}
  assert set(licences) == used
  allowed = {"CC0", "public domain", "no known copyright restrictions"}
  assert set(licences.values()) <= allowed


def test_every_video_is_named():
  assert set(_rows("Videos")) == set(VIDEOS)
