"""Whatever an annotation file holds, one error names the file and the place."""

import json
import time

import pytest

from tests.support import hostile_annotations as hostile

CASES = [
  pytest.param(reader, file, content, words, id=f"{reader}-{number}")
  for number, (reader, file, content, words) in enumerate(hostile.cases())
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
  """A good folder for each reader, which it reads."""
  root = tmp_path_factory.mktemp("annotations")
  for reader, files in hostile.GOOD.items():
    folder = root / reader
    folder.mkdir()
    for name, content in files.items():
      (folder / name).write_bytes(hostile.as_bytes(content))
    assert hostile.READERS[reader](folder).records
  return root


@pytest.mark.parametrize(("reader", "file", "content", "words"), CASES)
def test_one_error_names_file_and_place(
  folders, tmp_path, reader, file, content, words
):
  for name, good in hostile.GOOD[reader].items():
    (tmp_path / name).write_bytes(hostile.as_bytes(good))
  (tmp_path / file).write_bytes(hostile.as_bytes(content))
  began = time.monotonic()
  with pytest.raises(ValueError, match=words) as caught:
    hostile.READERS[reader](tmp_path)
  assert str(tmp_path / file) in str(caught.value)
  assert len(str(caught.value)) < 1000
  assert time.monotonic() - began < 2


@pytest.mark.parametrize("reader", ["activity_net", "ssv2"])
def test_every_value_of_another_type_is_refused_or_read(tmp_path, reader):
  """Replaces every value of a JSON file by values of all types."""
  files = hostile.GOOD[reader]
  for name, good in files.items():
    (tmp_path / name).write_bytes(hostile.as_bytes(good))
  for name, good in files.items():
    for changed in hostile.replacements(good):
      (tmp_path / name).write_text(json.dumps(changed))
      message = str(tmp_path / name)
      try:
        hostile.READERS[reader](tmp_path)
      except ValueError as error:
        message = str(error)
      assert str(tmp_path) in message
      assert len(message) < 1000
    (tmp_path / name).write_bytes(hostile.as_bytes(good))
