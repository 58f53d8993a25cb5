import pytest

from temporal_jax import data
from temporal_jax.data.listing.find_videos import file_sources
from tests.support.bucket import bucket as bucket


def _touch(root, *names):
  for name in names:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def _paths(source, root):
  return [
    video["id"].removeprefix(f"{root}/")
    for video in (source[i] for i in range(len(source)))
  ]


def test_folder_gives_each_class_a_test_share(tmp_path):
  _touch(tmp_path, *[f"{c}/{i}.mp4" for c in "ab" for i in range(10)])
  _touch(tmp_path, "a/notes.txt")
  sources = file_sources(tmp_path, 0.2)
  assert sources["train"].class_names == ("a", "b")
  assert len(sources["train"]) == 16
  assert len(sources["test"]) == 4
  train, test = (set(_paths(sources[s], tmp_path)) for s in ("train", "test"))
  assert not train & test
  labels = [sources["test"][i]["label"] for i in range(4)]
  assert sorted(labels) == [0, 0, 1, 1]


def test_split_does_not_change_when_the_folder_moves_or_grows(tmp_path):
  for where in ("here", "there"):
    _touch(tmp_path / where, *[f"a/{i}.mp4" for i in range(20)])
  test = [
    set(_paths(file_sources(tmp_path / w, 0.3)["test"], tmp_path / w))
    for w in ("here", "there")
  ]
  assert test[0] == test[1]


def test_folder_with_splits(tmp_path):
  _touch(tmp_path, "train/a/1.mp4", "train/b/2.webm", "test/b/3.MOV")
  sources = file_sources(tmp_path, 0.5)
  assert _paths(sources["train"], tmp_path) == [
    "train/a/1.mp4",
    "train/b/2.webm",
  ]
  assert _paths(sources["test"], tmp_path) == ["test/b/3.MOV"]
  assert sources["test"][0]["label"] == 1


def test_csv_is_relative_to_itself_and_may_say_the_split(tmp_path):
  file = tmp_path / "list.csv"
  file.write_text("path,label,split\nx/1.mp4,b,train\n2.mp4,a,\n3.mp4,b,test\n")
  sources = file_sources(file, 0.0)
  assert sources["train"].class_names == ("a", "b")
  assert _paths(sources["train"], tmp_path) == ["2.mp4", "x/1.mp4"]
  assert _paths(sources["test"], tmp_path) == ["3.mp4"]


def test_a_list_in_a_bucket_names_files_of_this_machine(bucket, video_folder):
  rows = [f"{path},{path.parent.name}" for path in sorted(video_folder.glob("*/*"))]
  bucket("gs://b/list.csv", "\n".join(["path,label", *rows]).encode())
  for source in (
    file_sources("gs://b/list.csv", 0.0)["train"],
    data.open_test_videos("gs://b/list.csv"),
  ):
    assert _paths(source, video_folder)[::6] == ["fall/0.mp4", "rise/0.mp4"]
  for text, message in (
    ("path,label\na.mp4,x\n", "line 2: path must be absolute, as the folder of a"),
    ("path,label\ngs://b/a.mp4,x\n", "line 2: gs:// is an address, and only files"),
    ("path,label\n", "gs://b/list.csv lists no video"),
  ):
    bucket("gs://b/list.csv", text.encode())
    with pytest.raises(ValueError, match=message):
      file_sources("gs://b/list.csv", 0.0)
  for root in ("gs://b/videos", "gs://b/train-0.tar"):
    with pytest.raises(ValueError, match=f"as data.root {root} must be on this"):
      file_sources(root, 0.0)


@pytest.mark.parametrize("setting", ["root", "videos", "data_dir"])
def test_folders_in_a_bucket_are_refused(tmp_path, setting):
  places = {"root": str(tmp_path), "videos": str(tmp_path), "data_dir": "data"}
  splits = {"train": "", "test": ""}
  options = {"name": "", "splits": splits, "test_fraction": 0.0}
  with pytest.raises(ValueError, match=rf"^data\.{setting} .*s3://b/x must be on this"):
    data.open_sources(
      **options, annotations="ucf101", **(places | {setting: "s3://b/x"})
    )


@pytest.mark.parametrize(
  ("text", "message"),
  [
    ("file,label\n1.mp4,a\n", "needs the columns path and label"),
    ("", "needs the columns path and label"),
    ("path,label\n", "lists no video"),
    ("path,label,split\n1.mp4,a,fold1\n", "line 2: split must be empty or"),
    ("path,label\n1.mp4,\n", "line 2: label is empty"),
    ("path,label\n,a\n", "line 2: path is empty"),
    ("path,label\n1.mp4,a,b\n", "line 2: needs 2 cells between ',', got 3"),
    ("path,label,split\n1.mp4,a,test\n2.mp4,b,train\n", "no training video"),
    ("path,label,verb\n1.mp4,a,b\n", "data.tasks names the tasks"),
    ("path,verb\n1.mp4,a\n", "data.tasks names the tasks"),
    ("path,verb,noun\n1.mp4,a,b\n2.mp4,a,\n", "line 3: noun is empty"),
    ("path,labels\n1.mp4,a;b\n2.mp4,a;;b\n", "line 3: .* 'a;;b'"),
    ("path,labels\n1.mp4,a;a\n", "line 2: .* 'a;a'"),
  ],
)
def test_bad_csv_says_why(tmp_path, text, message):
  file = tmp_path / "list.csv"
  file.write_text(text)
  with pytest.raises(ValueError, match=message):
    file_sources(file, 0.2)


def test_missing_and_empty_roots_say_so(tmp_path):
  with pytest.raises(FileNotFoundError, match="does not exist"):
    file_sources(tmp_path / "nowhere", 0.2)
  with pytest.raises(ValueError, match="lists no video"):
    file_sources(tmp_path, 0.2)


def _labels(source):
  return [source[i]["label"] for i in range(len(source))]


def test_several_columns_are_tasks_in_their_order(tmp_path):
  file = tmp_path / "list.csv"
  file.write_text("path,verb,split,noun\n1.mp4,mix,,egg\n2.mp4,cut,,ham\n")
  source = file_sources(file, 0.0)["train"]
  assert source.class_names == {"verb": ("cut", "mix"), "noun": ("egg", "ham")}
  assert list(source.class_names) == ["verb", "noun"]
  assert not source.multi_label
  assert _labels(source) == [(1, 0), (0, 1)]


@pytest.mark.parametrize(
  ("tasks", "class_names", "labels"),
  [
    (("noun", "verb"), {"noun": ("egg",), "verb": ("cut", "mix")}, [(0, 1)]),
    (("verb",), {"verb": ("cut", "mix")}, [(1,)]),
    (("label",), ("x",), [0]),
  ],
)
def test_tasks_are_chosen_of_more_columns(tmp_path, tasks, class_names, labels):
  file = tmp_path / "list.csv"
  file.write_text(
    "label,path,start,verb,noun,split\n"
    "x,1.mp4,3.5,mix,egg,train\nx,2.mp4,9,cut,egg,test\n"
  )
  sources = file_sources(file, 0.0, tasks)
  assert sources["train"].class_names == class_names
  assert _labels(sources["train"]) == labels


def test_labels_are_sets_and_may_be_empty(tmp_path):
  file = tmp_path / "list.csv"
  file.write_text("path,labels\n1.mp4,run;eat\n2.mp4,\n3.mp4, sit\n")
  source = file_sources(file, 0.0)["train"]
  assert source.class_names == ("eat", "run", "sit")
  assert source.multi_label
  assert _labels(source) == [{0, 1}, set(), {2}]


def test_videos_of_several_labels_are_split_all_together(tmp_path):
  file = tmp_path / "list.csv"
  rows = [f"{i}.mp4,verb{i},noun{i % 2}" for i in range(20)]
  file.write_text("\n".join(["path,verb,noun", *rows]))
  sources = file_sources(file, 0.2)
  assert len(sources["test"]) == 4
  assert len(sources["train"]) == 16


def test_unknown_tasks_are_refused(tmp_path):
  file = tmp_path / "list.csv"
  file.write_text("path,verb,labels\n1.mp4,a,b\n")
  with pytest.raises(ValueError, match=r"lacks the columns \['noun'\]"):
    file_sources(file, 0.0, ("verb", "noun"))
  with pytest.raises(ValueError, match="labels cannot be one task"):
    file_sources(file, 0.0, ("verb", "labels"))
  with pytest.raises(ValueError, match="is a folder"):
    file_sources(tmp_path, 0.0, ("verb",))


@pytest.mark.parametrize(
  "path", ["./a.mp4", "b//a.mp4", "b/./a.mp4", "/b/a.mp4", "../a.mp4", ".a.mp4"]
)
def test_paths_are_joined_as_pathlib_does(tmp_path, path):
  file = tmp_path / "list.csv"
  file.write_text(f"path,label,split\n{path},one,train\nz.mp4,one,test\n")
  source = file_sources(file, 0.0)["train"]
  assert source[0]["video"] == str(tmp_path / path)


@pytest.mark.parametrize(
  ("labels", "order"),
  [
    (range(12), [str(i) for i in range(12)]),
    (["10", "9", "1"], ["1", "9", "10"]),
    (["02", "10", "1"], ["1", "02", "10"]),
    (["00", "0", "01", "1"], ["0", "00", "01", "1"]),
    (["-1", "2", "10", "-2"], ["-2", "-1", "2", "10"]),
    (["+1", "2", "10"], ["+1", "2", "10"]),
    (["1.0", "2", "10"], ["1.0", "2", "10"]),
    ([f"{i}.0" for i in range(12)], [f"{i}.0" for i in range(12)]),
    (["1.5", "2", "10"], ["1.5", "10", "2"]),
    (["--1", "2", "10"], ["--1", "10", "2"]),
    (["10", "9", "a"], ["10", "9", "a"]),
    (["٣", "10", "9"], ["10", "9", "٣"]),
    (["1" * 400, "2"], ["1" * 400, "2"]),
    (["b", "B", "a"], ["B", "a", "b"]),
  ],
)
def test_whole_numbers_are_ordered_as_numbers(tmp_path, labels, order):
  rows = [(f"{i}.mp4", label) for i, label in enumerate(labels)]
  files = {
    "label": "path,label\n" + "".join(f"{p},{name}\n" for p, name in rows),
    "labels": "path,labels\n" + "".join(f"{p},{name}\n" for p, name in rows),
    "tasks": "path,verb,noun\n" + "".join(f"{p},{name},x\n" for p, name in rows),
  }
  for name, text in files.items():
    file = tmp_path / f"{name}.csv"
    file.write_text(text)
    source = file_sources(file, 0.0)["train"]
    names = source.class_names
    assert list(names["verb"] if name == "tasks" else names) == order
    for i, (path, label) in enumerate(sorted(rows)):
      number = source[i]["label"]
      if name != "label":
        (number, *_) = number
      assert order[number] == str(label), path
  if max(map(len, order)) < 255:
    _touch(tmp_path / "folder", *(f"{c}/1.mp4" for c in order))
    source = file_sources(tmp_path / "folder", 0.0)["train"]
    assert list(source.class_names) == order


@pytest.mark.parametrize(
  ("names", "tested", "left"),
  [
    (("train", "test"), "3", ""),
    (("Training", "VAL"), "2", ""),
    (("train", "val", "test"), "2", "1 videos of 'test' are left out"),
    (("train", "dev", "Testing"), "2", "1 videos of 'Testing' are left out"),
  ],
)
def test_lists_name_splits_as_folders_do(tmp_path, names, tested, left):
  file = tmp_path / "list.csv"
  number = {"t": "1", "v": "2", "d": "2"}
  rows = [
    ("3" if name.lower().startswith("test") else number[name[0].lower()], name)
    for name in names
  ]
  text = "".join(f"{i}.mp4,a, {name} \n" for i, name in rows)
  file.write_text(f"path,label,split\n{text}9.mp4,a,\n")
  said = []
  sources = file_sources(file, 0.0, say=said.append)
  assert _paths(sources["train"], tmp_path) == ["1.mp4", "9.mp4"]
  assert _paths(sources["test"], tmp_path) == [f"{tested}.mp4"]
  assert left in said[0]
  assert "1 without a split are divided" in said[0]


@pytest.mark.parametrize(
  ("text", "message"),
  [
    ("path,labels\na.mp4,x|y\n", "line 2: .*separated by ;, got 'x|y'"),
    ("path,label\na.mp4,x\nb.mp4,x\na.mp4,y\n", "line 4: .* in line 2"),
    ("path,label\na.mp4,x\n./a.mp4,y\n", "line 3: .* in line 2"),
    ("path,label,label\na.mp4,x,y\n", "'label' is 2 times"),
    ("path,path,label\na.mp4,x,y\n", "'path' is 2 times"),
    (",path,verb,noun\n0,a.mp4,x,y\n", "needs the columns path"),
    ("path,labels\na.mp4\n", "line 2: needs 2 cells"),
    ("path,label,split\na.mp4,x,val\n", r"no training video.*\['val'\]"),
  ],
)
def test_lists_that_could_be_misread_are_refused(tmp_path, text, message):
  file = tmp_path / "list.csv"
  file.write_text(text)
  with pytest.raises(ValueError, match=message):
    file_sources(file, 0.0, say=lambda _: None)


def test_one_class_may_be_called_with_a_bar(tmp_path):
  file = tmp_path / "list.csv"
  file.write_text("path,label\na.mp4,x|y;z\n")
  assert file_sources(file, 0.0)["train"].class_names == ("x|y;z",)


def test_rows_that_repeat_are_said(tmp_path):
  file = tmp_path / "list.csv"
  file.write_text("path,label,split\na.mp4,x,train\na.mp4,x,train\na.mp4,x,test\n")
  said = []
  sources = file_sources(file, 0.0, say=said.append)
  assert len(sources["train"]) == 2
  assert "1 rows of" in said[0]
  assert "count again, the first of them line 3 as line 2." in said[0]
  assert "another split again, the first of them line 4 as line 2." in said[1]


@pytest.mark.parametrize("tasks", [(), ("labels",)])
def test_classes_of_a_repeated_video_are_a_set(tmp_path, tasks):
  file = tmp_path / "list.csv"
  file.write_text(
    "path,labels,split\na.mp4,x;y,train\na.mp4,y; x,test\nb.mp4,z,train\n"
  )
  sources = file_sources(file, 0.0, tasks=tasks)
  assert _labels(sources["train"])[0] == _labels(sources["test"])[0] == {0, 1}
  file.write_text("path,labels,split\na.mp4,x;y,train\na.mp4,x,test\n")
  with pytest.raises(ValueError, match=r"line 3: the video .* has other classes here"):
    file_sources(file, 0.0, tasks=tasks)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 1.5, float("nan")])
def test_the_test_is_a_part(tmp_path, fraction):
  _touch(tmp_path, "a/1.mp4")
  with pytest.raises(ValueError, match=r"test_fraction must be in \[0, 1\)"):
    file_sources(tmp_path, fraction)
