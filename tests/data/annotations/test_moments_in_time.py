import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import Record

# Files that `test_registry` opens by name, as published, a few lines long.
FILES = {
  ("mit",): {
    "trainingSet.csv": "run/a.mp4,run,3,0\n",
    "validationSet.csv": "run/b.mp4,run,3,0\n",
    "moments_categories.txt": "run,0\n",
  }
}


def test_moments_in_time(write):
  categories = write("categories.txt", "aiming,0\nadult+male+speaking,1\n")
  files = {"test": write("val.csv", "aiming/a-1_2.mp4,aiming,3,0\n")}
  got = annotations.read_moments_in_time(files, categories)
  assert got.class_names == ("aiming", "adult+male+speaking")
  assert got.records == [
    Record("aiming/a-1_2.mp4", "validation/aiming/a-1_2.mp4", 0, "test")
  ]
  write("val.csv", "aiming/a-1_2.mp4,aiming,3\n")
  with pytest.raises(ValueError, match=r"val.csv, line 1: needs 4 cells"):
    annotations.read_moments_in_time(files, categories)
