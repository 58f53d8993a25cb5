import shutil

import pytest

from temporal_jax import data
from temporal_jax.data.annotations import Annotations, Record
from temporal_jax.data.datasets.annotated import (
  AnnotatedVideos,
  PreparedSource,
  own_annotations,
)
from temporal_jax.data.listing.find_videos import file_sources

ONE = (("run", "walk"), False, (1, 0))
TASKS = ({"verb": ("cut", "wash"), "noun": ("tap",)}, False, ((1, 0), (0, 0)))
SEVERAL = (("run", "walk"), True, (frozenset({0, 1}), frozenset()))


@pytest.mark.parametrize(("names", "multi_label", "labels"), [ONE, TASKS, SEVERAL])
def test_what_is_built_is_read_back(tmp_path, names, multi_label, labels):
  (tmp_path / "a.mp4").write_bytes(b"first")
  (tmp_path / "b.mp4").write_bytes(b"second")
  records = [
    Record("a", "a.mp4", labels[0], "train"),
    Record("b", "b.mp4", labels[1], "test"),
  ]
  builder = AnnotatedVideos(
    "things",
    Annotations(records, names, multi_label),
    tmp_path,
    data_dir=str(tmp_path / "out"),
    file_format="array_record",
  )
  builder.download_and_prepare()
  moved = tmp_path / "moved" / "things"
  shutil.copytree(tmp_path / "out/things", moved)
  fingerprints = set()
  for split, record, content in (
    ("train", records[0], b"first"),
    ("test", records[1], b"second"),
  ):
    source = PreparedSource(tmp_path / "out/things", split)
    assert len(source) == 1
    assert source.class_names == names
    assert list(source.class_names) == list(names)
    assert source.multi_label == multi_label
    assert source[0] == {
      "id": record.id,
      "label": record.label,
      "video": content,
    }
    fingerprints.add(source.fingerprint())
    fingerprints.add(PreparedSource(moved, split).fingerprint())
  assert len(fingerprints) == 2  # One per split, wherever they are.


def test_groups_are_kept(tmp_path):
  for name in "abcd":
    (tmp_path / f"{name}.mp4").write_bytes(name.encode())
  rows = ["a.mp4,x,film", "b.mp4,x,film", "c.mp4,x,", "d.mp4,x,other"]
  (tmp_path / "list.csv").write_text("\n".join(["path,label,group", *rows]))
  listed = file_sources(tmp_path / "list.csv", 0.3, say=print)
  annotations, root = own_annotations(listed)
  builder = AnnotatedVideos(
    "mine", annotations, root, data_dir=tmp_path / "out", file_format="array_record"
  )
  builder.download_and_prepare()
  found = {}
  for split in ("train", "test"):
    source = PreparedSource(tmp_path / "out/mine", split)
    videos = [source[i] for i in range(len(source))]
    found |= {video["id"]: video.get("group") for video in videos}
    assert data.groups_of(source)["a.mp4"] == "film"
  assert found == {"a.mp4": "film", "b.mp4": "film", "c.mp4": None, "d.mp4": "other"}


def test_parts_of_videos_are_refused(tmp_path):
  records = [Record("a_0", "a.mp4", 0, "train", 1.0, 2.0)]
  with pytest.raises(ValueError, match=r"1 records of things are parts.*a_0"):
    AnnotatedVideos(
      "things", Annotations(records, ("run",)), tmp_path, data_dir=str(tmp_path)
    )
