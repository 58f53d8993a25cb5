import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import Record

# What `test_registry` opens by name: published files, a few lines long.
_HEADER = "label,youtube_id,time_start,time_end\n"
FILES = {
  ("k400", "k600", "k700"): {
    "train.csv": _HEADER + "run,a,0,10\nwalk,b,0,10\n",
    "validate.csv": _HEADER + "run,c,0,10\n",
    "classes.txt": "walk\nrun\n",
  },
  ("k710",): {
    f"{part}/{file}": f"{_HEADER}{name},{part}_{file},0,9\n"
    for part, name in (("k400", "run"), ("k600", "walk"), ("k700", "run"))
    for file in ("train.csv", "validate.csv")
  },
}


def test_kinetics(write):
  header = "label,youtube_id,time_start,time_end,split,is_cc\n"
  files = {
    "train": write(
      "train.csv",
      header
      + "testifying,---QUuC4vJs,84,94,train,0\n"
      + '"""eating spaghetti""",--3ouPhoy2A,20,30,train,0\n',
    ),
    "test": write("val.csv", header + "testifying,0wR5jVB-WPk,417,427,val,0\n"),
  }
  got = annotations.read_kinetics(files)
  assert got.class_names == ("eating spaghetti", "testifying")
  assert not got.multi_label
  assert got.records[0] == Record(
    id="---QUuC4vJs_000084_000094",
    path="testifying/---QUuC4vJs_000084_000094.mp4",
    label=1,
    split="train",
    origin="---QUuC4vJs",
  )
  assert [r.label for r in got.records] == [1, 0, 1]
  assert [r.id for r in got.split("test")] == ["0wR5jVB-WPk_000417_000427"]

  other = annotations.read_kinetics(
    files,
    class_names=("testifying", "zumba", "eating spaghetti"),
    path="{youtube_id}.mp4",
  )
  assert [r.label for r in other.records] == [0, 2, 0]
  assert other.records[0].path == "---QUuC4vJs.mp4"


def kinetics(names, rows):
  return annotations.Annotations(
    [
      Record(video, f"{video}.mp4", label, split, origin=video)
      for video, label, split in rows
    ],
    names,
  )


def test_merged_kinetics_has_no_video_twice_and_trains_on_no_test_video():
  parts = {
    "k400": kinetics(
      ("archery", "zumba"),
      [("a", 0, "train"), ("b", 1, "train"), ("t", 1, "test")],
    ),
    "k600": kinetics(
      ("archery (range)", "baking", "zumba"),
      [
        ("a", 0, "train"),
        ("t", 2, "train"),
        ("c", 1, "train"),
        ("u", 2, "test"),
      ],
    ),
    "k700": kinetics(
      ("baking", "zumba"),
      [("d", 0, "train"), ("u", 1, "test"), ("b", 0, "test")],
    ),
  }
  got = annotations.merge(parts, same={"archery (range)": "archery"})
  assert got.class_names == ("archery", "baking", "zumba")
  assert [(r.path, r.label, r.split) for r in got.records] == [
    ("k400/a.mp4", 0, "train"),
    ("k600/c.mp4", 1, "train"),
    ("k700/d.mp4", 1, "train"),
    ("k400/t.mp4", 2, "test"),
    ("k600/u.mp4", 2, "test"),
    ("k700/b.mp4", 1, "test"),
  ]
  assert annotations.overlap(got.records) == []
  both = [r for part in parts.values() for r in part.records]
  assert annotations.overlap(both) == ["b", "t"]
  rows = annotations.class_rows(got.class_names, ("zumba", "archery"))
  assert rows == (2, 0)

  with pytest.raises(ValueError, match=r"2 classes are not among the 2.*range"):
    annotations.merge(parts, class_names=("archery", "zumba"))
  nameless = parts["k400"]._replace(records=[Record("a", "a", 0, "train")])
  with pytest.raises(ValueError, match=r"1 records have no origin.*k400/a"):
    annotations.merge({"k400": nameless})
  with pytest.raises(ValueError, match="k400 has several classes"):
    annotations.merge({"k400": nameless._replace(multi_label=True)})


def test_classes_are_in_the_order_of_a_file_with_their_names(write, tmp_path):
  for file, text in FILES[("k400", "k600", "k700")].items():
    write(file, text)
  got = annotations.open_annotations("k400", tmp_path)
  assert got.class_names == ("walk", "run")
