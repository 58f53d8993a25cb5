"""Every module's data sets are found, opened and documented.

The test of a module x, test_x.py, has `FILES`: names of `DATA_SETS` -> the
published files that they read, a few lines each.
"""

import importlib
import itertools
import pathlib

import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import (
  DATA_SETS,
  open_annotations,
  open_test_set,
  registry,
)
from temporal_jax.data.tools.annotations_page import create_page

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "annotations.md"


def _files(module):
  return importlib.import_module(f"tests.data.annotations.test_{module}").FILES


CASES = [
  pytest.param(names, files, id=names[0])
  for module in registry.BY_MODULE
  for names, files in _files(module).items()
]


@pytest.mark.parametrize(("names", "files"), CASES)
def test_each_name_finds_the_published_files(tmp_path, names, files):
  for file, text in files.items():
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
  for name in names:
    got = open_annotations(name, tmp_path)
    assert got.split("train"), name
    assert got.split("test"), name
    if name[-2] == "_":  # One of three splits.
      assert all(name[-1] in record.path for record in got.records)
    for file in DATA_SETS[name].files:
      assert file.replace("CLASS", "run") in files, name


@pytest.mark.parametrize(("names", "files"), CASES)
def test_a_missing_file_is_named(tmp_path, names, files):
  missing = next(iter(files))
  for file, text in files.items():
    (tmp_path / file).parent.mkdir(exist_ok=True)
    if file != missing:
      (tmp_path / file).write_text(text)
  # HMDB51 has a file for each class, and no list of classes.
  error = ValueError if names[0].startswith("hmdb51") else FileNotFoundError
  with pytest.raises(error, match=missing.replace("run", "")):
    open_annotations(names[0], tmp_path)


def test_every_name_is_tried_and_in_one_module():
  for module, declared in registry.BY_MODULE.items():
    tried = [name for names in _files(module) for name in names]
    assert sorted(tried) == sorted(declared), module
  declared = list(itertools.chain.from_iterable(registry.BY_MODULE.values()))
  assert sorted(declared) == sorted(DATA_SETS)


def test_the_page_lists_them():
  assert PAGE.read_text() == create_page()


def test_unknown_names_are_refused(tmp_path):
  message = "unknown annotations 'k401'; did you mean 'k400'"
  with pytest.raises(ValueError, match=message):
    open_annotations("k401", tmp_path)


def test_numbers_as_names_have_one_order_everywhere(write):
  header = "label,youtube_id,time_start,time_end\n"
  rows = "".join(f"{i},abc{i},1,2\n" for i in range(12))
  file = write("train.csv", "\ufeff" + (header + rows).replace(",", ";"))
  got = annotations.read_kinetics({"train": file})
  assert got.class_names == tuple(map(str, range(12)))
  assert [record.label for record in got.records] == list(range(12))
  merged = annotations.merge({"k": got})
  assert merged.class_names == got.class_names


TEST_SETS = {
  "ssv1": {
    "something-something-v1-test.csv": "8\n9\n",
    "something-something-v1-labels.csv": "Doing it\nRest\n",
  },
  "ssv2": {
    "test.json": '[{"id": "8"}, {"id": "9"}]',
    "labels.json": '{"Doing it": "0", "Rest": "1"}',
  },
  "ek100": {
    "EPIC_100_test_timestamps.csv": (
      "narration_id,participant_id,video_id,start_timestamp,stop_timestamp\n"
      "8,P01,P01_01,0:0:1,0:0:2\n9,P01,P01_01,0:0:3,0:0:5\n"
    ),
    "EPIC_100_verb_classes.csv": "id,key\n0,cut\n",
    "EPIC_100_noun_classes.csv": "id,key\n0,tap\n",
  },
}


@pytest.mark.parametrize(("name", "files"), TEST_SETS.items())
def test_test_sets_have_no_labels(tmp_path, name, files):
  for file, text in files.items():
    (tmp_path / file).write_text(text)
  got = open_test_set(name, tmp_path)
  assert [record.id for record in got.records] == ["8", "9"]
  assert {(record.split, record.label) for record in got.records} == {("test", None)}
  if name == "ek100":
    assert got.class_names == {"verb": ("cut",), "noun": ("tap",)}
    assert got.records[1][4:7] == (3, 5, "P01_01")
  else:
    assert got.class_names == ("Doing it", "Rest")
  path = {"ssv1": "9", "ssv2": "9.webm", "ek100": "P01/videos/P01_01.MP4"}
  assert got.records[1].path == path[name]
  for file in DATA_SETS[name].test_files[:1]:
    (tmp_path / file).unlink()
    with pytest.raises(FileNotFoundError, match=file):
      open_test_set(name, tmp_path)


def test_answers_are_read_where_they_are(tmp_path):
  for file, text in TEST_SETS["ssv2"].items():
    (tmp_path / file).write_text(text)
  answers = tmp_path / "test-answers.csv"
  answers.write_text("9;Rest\n8;Doing it\n7;Rest\n")
  got = open_test_set("ssv2", tmp_path)
  assert [record.label for record in got.records] == [0, 1]
  answers.write_text("9;Rest\n")
  with pytest.raises(ValueError, match=r"no class of 1 of the 2 videos .*\['8'\]"):
    open_test_set("ssv2", tmp_path)


def test_the_sets_with_a_test_set_are_listed(tmp_path):
  with_set = [name for name, one in DATA_SETS.items() if one.read_test_set]
  assert sorted(with_set) == sorted(TEST_SETS)
  assert all(bool(DATA_SETS[name].test_files) for name in with_set)
  with pytest.raises(ValueError, match=r"unknown test set 'k400'"):
    open_test_set("k400", tmp_path)
