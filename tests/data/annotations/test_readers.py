"""Files in the published formats, and what each record must be."""

import json
import pathlib

import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import Record


@pytest.fixture
def write(tmp_path):
  def write_(name, content):
    file = tmp_path / name
    text = content if isinstance(content, str) else json.dumps(content)
    file.write_text(text)
    return file

  return write_


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


def test_something_something_v1(write):
  labels = write("labels.csv", "Holding something\nPushing something\n")
  files = {
    "train": write("train.csv", "100218;Pushing something\n"),
    "test": write("val.csv", "24413;Holding something\n"),
  }
  got = annotations.read_something_something_v1(files, labels, path="jpg/{id}")
  assert got.records == [
    Record("100218", "jpg/100218", 1, "train"),
    Record("24413", "jpg/24413", 0, "test"),
  ]
  files["test"] = write("val.csv", "24413;Holding something\n7;Holding it\n")
  with pytest.raises(ValueError, match=r"val.csv, line 2: .*'Holding it'"):
    annotations.read_something_something_v1(files, labels)


def test_something_something_v2(write):
  labels = write("labels.json", {"Holding something": "1", "Poking": "0"})
  entry = {
    "id": "78687",
    "label": "holding potato",
    "template": "Holding [something]",
    "placeholders": ["potato"],
  }
  got = annotations.read_something_something_v2(
    {"train": write("train.json", [entry])}, labels
  )
  assert got.records == [Record("78687", "78687.webm", 1, "train")]
  assert got.class_names == ("Poking", "Holding something")

  for content, message in (
    ([entry, {"id": "1"}], "entry 1: 'template' is missing"),
    ("[{", "train.json, line 1"),
    ({"id": 1}, "must hold a list, got dict"),
  ):
    with pytest.raises(ValueError, match=message):
      annotations.read_something_something_v2(
        {"train": write("train.json", content)}, labels
      )
  gaps = write("gaps.json", {"Holding something": "2", "Poking": "0"})
  with pytest.raises(ValueError, match=r"from 0 on, \[1\] are missing"):
    annotations.read_something_something_v2({}, gaps)


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


EPIC = (
  "narration_id,participant_id,video_id,narration_timestamp,start_timestamp,"
  "stop_timestamp,start_frame,stop_frame,narration,verb,verb_class,noun,"
  "noun_class,all_nouns,all_noun_classes\n"
  "P01_01_0,P01,P01_01,00:00:01.089,00:00:00.14,00:01:03.37,8,202,open door,"
  "open,1,door,{noun},['door'],[3]\n"
)


def test_epic_kitchens(write):
  verbs = write(
    "v.csv", "id,key,instances,category\n0,take,[],x\n1,open,[],x\n"
  )
  nouns = write("n.csv", "id,key\n0,tap\n1,spoon\n2,door\n")
  files = {"train": write("train.csv", EPIC.format(noun=2))}
  got = annotations.read_epic_kitchens(files, verbs, nouns)
  assert got.class_names == {
    "verb": ("take", "open"),
    "noun": ("tap", "spoon", "door"),
  }
  assert got.records == [
    Record(
      id="P01_01_0",
      path="P01/videos/P01_01.MP4",
      label=(1, 2),
      split="train",
      start=pytest.approx(0.14),
      stop=pytest.approx(63.37),
      origin="P01_01",
    )
  ]
  (cut,) = annotations.read_epic_kitchens(
    files, verbs, nouns, path="{narration_id}.MP4", cut=True
  ).records
  assert (cut.path, cut.start, cut.stop) == ("P01_01_0.MP4", None, None)

  write("train.csv", EPIC.format(noun=3))
  with pytest.raises(
    ValueError, match=r"line 2: .* must be in \[0, 3\), got 3"
  ):
    annotations.read_epic_kitchens(files, verbs, nouns)
  write("train.csv", EPIC.format(noun=2).replace("00:01:03.37", "00:00:00.10"))
  with pytest.raises(ValueError, match=r"line 2: it stops at 0.1 s, before"):
    annotations.read_epic_kitchens(files, verbs, nouns)
  write("train.csv", EPIC.format(noun=2).replace("00:01:03.37", "soon"))
  with pytest.raises(ValueError, match=r"stop_timestamp must be seconds or"):
    annotations.read_epic_kitchens(files, verbs, nouns)
  write("train.csv", EPIC.replace("verb_class", "verb"))
  with pytest.raises(ValueError, match=r"line 1 lacks the columns \['verb_cl"):
    annotations.read_epic_kitchens(files, verbs, nouns)


def part(label, start, stop):
  return {"label": label, "segment": [start, stop]}


NET = {
  "version": "VERSION 1.3",
  "database": {
    "abc": {
      "subset": "training",
      "annotations": [part("Beer pong", 1.5, 4.0), part("Ballet", 4.0, 9.0)],
    },
    "def": {
      "subset": "validation",
      "annotations": [
        part("Ballet", 0.0, 3.0),
        part("Beer pong", 3.0, 5.0),
        part("Beer pong", 6.0, 8.0),
        part("Ballet", 9.0, 9.0),
      ],
    },
    "ghi": {"subset": "testing", "annotations": []},
  },
}


def test_activity_net(write):
  file = write("net.json", NET)
  got = annotations.read_activity_net(file)
  assert got.class_names == ("Ballet", "Beer pong")
  assert got.records == [
    Record("abc_0", "v_abc.mp4", 1, "train", 1.5, 4.0, "abc"),
    Record("abc_1", "v_abc.mp4", 0, "train", 4.0, 9.0, "abc"),
    # Of eight seconds four are beer pong.
    Record("def", "v_def.mp4", 1, "test", origin="def"),
  ]
  several = annotations.read_activity_net(file, multi_label=True)
  assert several.multi_label
  assert [r.label for r in several.records] == [{1}, {0}, {0, 1}]

  for broken, message in (
    ({"subset": "training"}, "abc: 'annotations' is missing"),
    (
      {"subset": "training", "annotations": [part("a", 1, 2) | {"segment": 3}]},
      r"abc: segment must be \[start, stop\], got 3",
    ),
    (
      {"subset": "training", "annotations": [part("a", -1, 2)]},
      "abc: segment must be seconds",
    ),
  ):
    with pytest.raises(ValueError, match=message):
      annotations.read_activity_net(
        write("net.json", {"database": {"abc": broken}})
      )


def test_hacs(write):
  segments = annotations.read_hacs_segments(write("hacs.json", NET))
  assert [(r.path, r.label, r.start, r.split) for r in segments.records] == [
    ("Ballet/v_abc.mp4", 1, 1.5, "train"),
    ("Ballet/v_abc.mp4", 0, 4.0, "train"),
    ("Beer pong/v_def.mp4", 0, 0.0, "test"),
    ("Beer pong/v_def.mp4", 1, 3.0, "test"),
    ("Beer pong/v_def.mp4", 1, 6.0, "test"),
  ]
  header = "classname,youtube_id,subset,start,end,label\n"
  clips = write(
    "clips.csv",
    header
    + "Archery,a2X2hz1G6i8,training,15.5,17.5,1\n"
    + "Zumba,NUdji_CqvcY,training,77.5,79.5,-1\n"
    + "Ballet,0O_qMHxBfXg,validation,24.5,26.5,1\n",
  )
  got = annotations.read_hacs_clips(clips)
  assert got.class_names == ("Archery", "Ballet")
  assert [r._replace(id="") for r in got.records] == [
    Record(
      *("", "Archery/v_a2X2hz1G6i8.mp4", 0, "train"), 15.5, 17.5, "a2X2hz1G6i8"
    ),
    Record(
      *("", "Ballet/v_0O_qMHxBfXg.mp4", 1, "test"), 24.5, 26.5, "0O_qMHxBfXg"
    ),
  ]
  write("clips.csv", header + "Archery,a,training,1,3,yes\n")
  with pytest.raises(ValueError, match="line 2: label must be 1 or -1"):
    annotations.read_hacs_clips(clips)


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
      *(0, "test", "ApplyEyeMakeup/v_ApplyEyeMakeup_g01"),
    ),
  ]
  write("classInd.txt", "1 ApplyEyeMakeup\n3 YoYo\n")
  with pytest.raises(ValueError, match=r"from 1 on, \[2\] are missing"):
    annotations.read_ucf101(tmp_path, split=2)
  with pytest.raises(ValueError, match="split must be 1, 2 or 3, got 4"):
    annotations.read_ucf101(tmp_path, split=4)


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


@pytest.mark.parametrize(
  ("text", "columns", "separator"),
  [
    ("a b/c.mp4 1\nd.mp4 0\n", ("path", "label"), None),
    ("a b/c.mp4 250 1\nd.mp4 9 0\n", ("path", "frames", "label"), None),
    ("a b/c.mp4,250,1\n\nd.mp4,9,0\n", ("path", "frames", "label"), ","),
    ("a b/c.mp4;1;9;1\nd.mp4;1;9;0\n", ("path", "start", "end", "label"), ";"),
  ],
)
def test_list_files(write, text, columns, separator):
  names = annotations.read_names(write("names.txt", "run\nwalk\n"))
  got = annotations.read_lists(
    {"train": write("a.txt", text)},
    names,
    columns=columns,
    separator=separator,
  )
  assert [(r.path, r.label) for r in got.records] == [
    ("a b/c.mp4", 1),
    ("d.mp4", 0),
  ]
  assert got.class_names == ("run", "walk")


@pytest.mark.parametrize(
  ("text", "columns", "message"),
  [
    ("a.mp4 0\nb.mp4\n", ("path", "label"), "line 2: needs 2 fields"),
    ("a.mp4 2\n", ("path", "label"), r"line 1: .* in \[0, 2\), got 2"),
    ("a.mp4 x\n", ("path", "label"), "must be an integer of at least 0"),
    ("a.mp4 -1\n", ("path", "label"), "must be an integer of at least 0"),
    ("", ("label", "path"), "columns must begin with path"),
  ],
)
def test_wrong_lists_are_named_by_their_line(write, text, columns, message):
  file = write("a.txt", text)
  with pytest.raises(ValueError, match=message):
    annotations.read_lists({"train": file}, ("run", "walk"), columns=columns)


@pytest.mark.parametrize(
  ("text", "message"),
  [("run\nrun\n", "line 2: 'run' is there twice"), ("\n", "names no class")],
)
def test_wrong_class_names(write, text, message):
  with pytest.raises(ValueError, match=message):
    annotations.read_names(write("names.txt", text))


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
