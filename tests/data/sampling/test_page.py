"""docs/sampling.md and its picture show every rule, by lines that work."""

import pathlib
import re

import pytest

from temporal_jax.data.sampling import SAMPLINGS, check, sample_indices
from temporal_jax.data.sampling.drawing import PAGE

TEXT = (pathlib.Path(__file__).parents[3] / "docs/sampling.md").read_text()
SHORT = r"^\| `('\w+')`: .*? \| ([\d, ]+) \|"
LINES = re.findall(r'`(?:data|eval)\.sampling="?([^"`]+)"?`', TEXT)


def names(rules):
  return {rule.split("(")[0] for rule in rules}


def test_the_page_and_its_picture_have_every_rule():
  rows = re.findall(r"^\|[^|]*\| `([^`]+)`", TEXT, re.MULTILINE)
  assert names(SAMPLINGS) <= names(rows)
  assert names(SAMPLINGS) == names(row.sampling for row in PAGE)


@pytest.mark.parametrize("rule", sorted(set(LINES)))
def test_lines_for_other_libraries_are_rules(rule):
  check(rule, num_frames=8)


def test_there_are_lines_for_other_libraries():
  assert len(set(LINES)) > 10


def test_rows_of_the_picture_are_clips_of_their_rules():
  for row in PAGE:
    check(row.sampling, row.num_frames, row.stride, row.num_clips)


def test_short_videos_become_what_the_page_says():
  said = re.findall(SHORT, TEXT, re.MULTILINE)
  assert len(said) == 3
  for short, frames in said:
    got = sample_indices(10, 4, sampling=f"dense(4, short={short})")
    assert got.tolist() == [int(frame) for frame in frames.split(", ")]
