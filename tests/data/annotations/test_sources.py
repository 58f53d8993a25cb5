import pathlib

import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import Record


def test_a_source_has_the_records_of_a_split(tmp_path):
  records = [
    Record("a", "a.mp4", 1, "train"),
    Record("b_0", "b.mp4", 0, "train", 1.5, 4.0),
    Record("c", "c.mp4", 0, "test"),
  ]
  given = annotations.Annotations(records, ("run", "walk"))
  source = annotations.AnnotatedSource(given, "train", tmp_path)
  assert len(source) == 2
  assert source.class_names == ("run", "walk")
  assert not source.multi_label
  assert source[0] == {"id": "a", "label": 1, "video": str(tmp_path / "a.mp4")}
  assert source[1] == {
    "id": "b_0",
    "label": 0,
    "video": str(tmp_path / "b.mp4"),
    "start": 1.5,
    "stop": 4.0,
  }
  (folder,) = annotations.AnnotatedSource(
    given, "test", "~", as_video=lambda path: ("pictures", path)
  )
  assert folder["video"] == (
    "pictures",
    str(pathlib.Path("~/c.mp4").expanduser()),
  )
  with pytest.raises(ValueError, match="no records of the split 'val'"):
    annotations.AnnotatedSource(given, "val", tmp_path)
  twice = given._replace(records=records[:1] * 2)
  with pytest.raises(ValueError, match="two records are called 'a'"):
    annotations.AnnotatedSource(twice, "train", tmp_path)
