"""Every module's data sets are found, opened and documented.

The test of a module x, test_x.py, has `FILES`: names of `DATA_SETS` -> the
published files that they read, a few lines each.
"""

import importlib
import itertools
import pathlib

import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import DATA_SETS, open_annotations, registry
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
