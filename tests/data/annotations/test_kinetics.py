import pytest

from temporal_jax import data
from temporal_jax.data import annotations
from temporal_jax.data.annotations import Record
from tests.support.kinetics_classes import rows_by_name

# Files that `test_registry` opens by name, as published, a few lines long.
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
  with pytest.raises(ValueError, match=r"path may have only the fields \{label\}, "):
    annotations.read_kinetics(files, path="{id}.mp4")


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
  assert got.note == (
    "k400, k600, k700 have 3 classes together, 3 training and 3 test videos; left "
    "out by YouTube id: copies 2, training videos that are in any test 2"
  )

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


@pytest.fixture
def published(tmp_path):
  """A video of each class of Kinetics in each split, with their names there.

  The first test video of Kinetics-400 is a training video of Kinetics-700, as
  many are.
  """
  for part in ("k400", "k600", "k700"):
    (tmp_path / part).mkdir()
    for split in ("train", "validate"):
      lines = [
        f"{name},{part}{split}{row},0,10" for name, row in rows_by_name(part).items()
      ]
      if (part, split) == ("k700", "train"):
        lines.append("zumba,k400validate0,0,10")
      (tmp_path / part / f"{split}.csv").write_text(_HEADER + "\n".join(lines))
  return tmp_path


def test_the_published_classes_are_710(published):
  got = annotations.open_annotations("k710", published)
  assert got.class_names == tuple(sorted(rows_by_name("k710")))
  assert len(got.class_names) == 710
  assert {record.label for record in got.split("train")} == set(range(710))


def test_the_published_order_gives_the_published_rows(published):
  names = tuple(rows_by_name("k710"))
  (published / "classes.txt").write_text("\n".join(names))
  got = annotations.open_annotations("k710", published)
  assert got.class_names == names
  assert len(got.records) == 2 * (400 + 600 + 700)
  rows = {part: rows_by_name(part) for part in ("k400", "k600", "k700")}
  for record in got.records:
    part, name, _ = record.path.split("/")
    assert record.label == rows[part][name]


def test_only_classes_of_the_parts_have_another_name_in_kinetics_710():
  names = tuple(rows_by_name("k710"))
  want = {
    name: names[row]
    for part in ("k400", "k600", "k700")
    for name, row in rows_by_name(part).items()
    if name != names[row]
  }
  assert want == annotations.KINETICS_710_NAMES
  assert len(want) == 15


def test_a_test_video_of_one_set_is_no_training_video_of_another(published):
  said = []
  sources = data.open_sources(
    name="",
    root=str(published),
    data_dir="",
    splits={"train": "", "test": ""},
    test_fraction=0.0,
    annotations="k710",
    say=said.append,
  )
  assert said == [
    "k400, k600, k700 have 710 classes together, 1700 training and 1700 test "
    "videos; left out by YouTube id: copies 0, training videos that are in any test "
    "1."
  ]
  ids = {
    split: [source[i]["id"].split("/")[1] for i in range(len(source))]
    for split, source in sources.items()
  }
  assert "k400validate0_000000_000010" in ids["test"]
  assert not set(ids["train"]) & set(ids["test"])
