"""Groups of videos stay together."""

import collections

import pytest

from temporal_jax import data
from temporal_jax.data.listing.find_videos import file_sources


def _list(folder, rows, header="path,label,group"):
  file = folder / "list.csv"
  file.write_text("\n".join([header, *rows]) + "\n")
  said = []
  sources = file_sources(file, 0.25, say=said.append)
  return sources, said


def _groups(source):
  return {source[number].get("group") for number in range(len(source))}


def test_clips_of_a_film_are_in_one_split(tmp_path):
  # Ten films of four clips, two of each class; and clips without a film.
  rows = [
    f"{c}{f}_{i}.mp4,{c},film {f}" for f in range(10) for c in "ab" for i in (0, 1)
  ]
  sources, said = _list(tmp_path, rows + [f"x{i}.mp4,a," for i in range(8)])
  train, test = (_groups(sources[split]) for split in ("train", "test"))
  assert train & test == {None}
  assert {*train, *test} == {None, *(f"film {f}" for f in range(10))}
  labels = [sources["test"][n]["label"] for n in range(len(sources["test"]))]
  counts = collections.Counter(labels)
  assert 5 <= counts[0] <= 9  # Wanted are 7 of 28,
  assert 4 <= counts[1] <= 6  # and of 20 they are 5.
  assert not said
  again, _ = _list(tmp_path, rows[::-1] + [f"x{i}.mp4,a," for i in range(8)])
  assert again["test"].fingerprint() == sources["test"].fingerprint()


def test_without_groups_each_class_gives_its_share(tmp_path):
  rows = [f"{c}{i}.mp4,{c}" for c in "abc" for i in range(8)]
  sources, _ = _list(tmp_path, rows, "path,label")
  assert _groups(sources["test"]) == {None}
  (counts,) = data.count_classes(sources["test"])
  assert counts.tolist() == [2, 2, 2]
  assert not data.groups_of(sources["test"])


def test_a_class_of_one_film_is_trained(tmp_path):
  rows = [f"a{i}.mp4,a,film" for i in range(8)] + [f"b{i}.mp4,b," for i in range(8)]
  sources, _ = _list(tmp_path, rows)
  (counts,) = data.count_classes(sources["test"])
  assert counts.tolist() == [0, 2]


def test_a_group_in_both_given_splits_is_said(tmp_path):
  rows = ["1.mp4,a,train,x", "2.mp4,a,test,x", "3.mp4,a,test,y", "4.mp4,a,train,"]
  sources, said = _list(tmp_path, rows, "path,label,split,group")
  assert data.groups_of(sources["test"]) == {
    str(tmp_path / "2.mp4"): "x",
    str(tmp_path / "3.mp4"): "y",
  }
  (words,) = [words for words in said if "groups" in words]
  assert words.endswith(
    "1 of 2 groups of the test have videos in training too, so that the test is "
    "easier than new videos: x."
  )


@pytest.mark.parametrize("tasks", [(), ("verb", "group")])
def test_group_may_be_a_task(tmp_path, tasks):
  file = tmp_path / "list.csv"
  file.write_text("path,verb,noun,group\n1.mp4,cut,egg,x\n2.mp4,mix,ham,x\n")
  source = file_sources(file, 0.0, tasks)["train"]
  assert list(source.class_names) == ["verb", "group" if tasks else "noun"]
  assert _groups(source) == {None if tasks else "x"}


def test_groups_stay_where_classes_are_renumbered():
  source = data.FileSource([("x", 0), ("y", 1)], ("a", "b"), groups={"x": "film"})
  other = data.ReorderedSource(source, ("b", "a"))
  assert other[0] == {"id": "x", "label": 1, "video": "x", "group": "film"}
  assert data.groups_of(other) == {"x": "film"}
