import pytest

from temporal_jax.data import annotations

# Files that `test_registry` opens by name, as published, a few lines long.
FILES = {
  (f"ucf101_{split}",): {
    "classInd.txt": "1 Run\n",
    f"trainlist0{split}.txt": f"Run/v_train{split}_c00.avi\n",
    f"testlist0{split}.txt": f"Run/v_test{split}_c00.avi\n",
  }
  for split in (1, 2, 3)
}


def test_ucf101(write, tmp_path):
  write("classInd.txt", "1 ApplyEyeMakeup\n2 YoYo\n")
  write("trainlist02.txt", "YoYo/v_YoYo_g08_c01.avi 2\n")
  write("testlist02.txt", "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c03.avi\n")
  got = annotations.read_ucf101(tmp_path, split=2)
  assert got.class_names == ("ApplyEyeMakeup", "YoYo")
  assert [(r.path, r.label, r.split, r.origin) for r in got.records] == [
    ("YoYo/v_YoYo_g08_c01.avi", 1, "train", "YoYo/v_YoYo_g08"),
    (
      "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c03.avi",
      0,
      "test",
      "ApplyEyeMakeup/v_ApplyEyeMakeup_g01",
    ),
  ]
  write("classInd.txt", "1 ApplyEyeMakeup\n3 YoYo\n")
  with pytest.raises(ValueError, match=r"from 1 on, \[2\] are missing"):
    annotations.read_ucf101(tmp_path, split=2)
  with pytest.raises(ValueError, match="split must be 1, 2 or 3, got 4"):
    annotations.read_ucf101(tmp_path, split=4)
