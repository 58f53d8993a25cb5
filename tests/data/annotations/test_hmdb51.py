import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import Record

# Files that `test_registry` opens by name, as published, a few lines long.
FILES = {
  (f"hmdb51_{split}",): {
    f"run_test_split{split}.txt": f"a{split}.avi 1\nb{split}.avi 2\n"
  }
  for split in (1, 2, 3)
}


def test_hmdb51(write, tmp_path):
  write("wave_test_split1.txt", "b.avi 2 \nc (x) 1.avi 0 \n")
  write("brush_hair_test_split1.txt", "a.avi 1 \n")
  write("brush_hair_test_split2.txt", "a.avi 2 \n")
  got = annotations.read_hmdb51(tmp_path)
  assert got.class_names == ("brush_hair", "wave")
  assert got.records == [
    Record("brush_hair/a.avi", "brush_hair/a.avi", 0, "train"),
    Record("wave/b.avi", "wave/b.avi", 1, "test"),
  ]
  write("wave_test_split1.txt", "b.avi 3\n")
  with pytest.raises(ValueError, match=r"split1.txt, line 1: .* got '3'"):
    annotations.read_hmdb51(tmp_path)
  with pytest.raises(ValueError, match="has no lists"):
    annotations.read_hmdb51(tmp_path, split=3)
