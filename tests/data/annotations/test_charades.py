import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import Record

# Files that `test_registry` opens by name, as published, a few lines long.
FILES = {
  ("charades", "charades_parts"): {
    "Charades_v1_train.csv": "id,actions,length\na,c000 0 1,9\n",
    "Charades_v1_test.csv": "id,actions,length\nb,c000 0 1,9\n",
    "Charades_v1_classes.txt": "c000 Running\n",
  }
}


def test_charades(write):
  classes = write("classes.txt", "c000 Holding some clothes\nc001 Putting\n")
  header = "id,subject,scene,script,actions,length\n"
  rows = (
    '46GP8,HR43,Kitchen,"A person, cooking.",'
    "c001 0.00 12.60;c000 11.90 41.20;c001 9 8,24.83\n"
    "YSKX3,UBYB,Bedroom,None.,,19.5\n"
  )
  files = {"train": write("a.csv", header + rows)}
  got = annotations.read_charades(files, classes)
  assert got.class_names == ("Holding some clothes", "Putting")
  assert got.multi_label
  assert got.records == [
    Record("46GP8", "46GP8.mp4", frozenset({0, 1}), "train", origin="46GP8"),
    Record("YSKX3", "YSKX3.mp4", frozenset(), "train", origin="YSKX3"),
  ]
  parts = annotations.read_charades(files, classes, parts=("train",))
  assert [(r.label, r.start, r.stop) for r in parts.records] == [
    ({1}, 0.0, 12.6),
    ({0}, 11.9, 24.83),  # As long as the video.
  ]
  for cell, message in (("c000 1", "needs class, start"), ("c7 1 2", "'c7'")):
    write("a.csv", f"{header}46GP8,,,,{cell},24\n")
    with pytest.raises(ValueError, match=rf"a.csv, line 2: .*{message}"):
      annotations.read_charades(files, classes)
