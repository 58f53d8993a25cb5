import pytest

from temporal_jax.data.files import file_sources


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


@pytest.mark.parametrize(
  ("text", "message"),
  [
    ("file,label\n1.mp4,a\n", "needs the columns path and label"),
    ("", "needs the columns path and label"),
    ("path,label\n", "lists no video"),
    ("path,label,split\n1.mp4,a,val\n", "line 2: split must be in"),
    ("path,label\n1.mp4,\n", "line 2: path or label is empty"),
    ("path,label,split\n1.mp4,a,test\n2.mp4,b,train\n", "no training video"),
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
