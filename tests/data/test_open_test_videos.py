"""Videos that a trained network is tested on: which list, which split."""

import pathlib

import pytest

from temporal_jax import data
from temporal_jax.data.annotations import Annotations, Record
from temporal_jax.data.datasets.annotated import AnnotatedVideos
from temporal_jax.data.listing.find_videos import file_sources
from tests.support.tar_shards import shard_folder


def _touch(root, *names):
  for name in names:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).touch()
  return str(root)


def _open(where, **options):
  said = []
  source = data.open_test_videos(where, say=said.append, **options)
  names = [pathlib.Path(source[i]["id"]).name for i in range(len(source))]
  return source, names, said


@pytest.mark.parametrize(
  ("folders", "split", "want"),
  [
    (("train", "val", "test"), "", ["test.mp4"]),
    (("train", "val"), "", ["val.mp4"]),
    (("test",), "", ["test.mp4"]),  # No training videos need to be there.
    (("train", "val", "test"), "dev", ["val.mp4"]),
    (("train", "val", "test"), "train", ["train.mp4"]),
    (("train", "test"), "all", ["test.mp4", "train.mp4"]),
  ],
)
def test_the_split_of_a_folder_is_chosen(tmp_path, folders, split, want):
  names = [f"{folder}/{label}/{folder}.mp4" for folder in folders for label in "ab"]
  source, found, said = _open(_touch(tmp_path, *names), split=split)
  assert (sorted({*found}), source.class_names, said) == (want, ("a", "b"), [])
  assert len(source) == 2 * len(want)


def test_a_list_without_splits_is_tested_whole_unless_it_was_trained_on(tmp_path):
  names = [f"{label}/{label}{i}.mp4" for label in "ab" for i in range(5)]
  root = _touch(tmp_path, *names)
  run = file_sources(root, 0.2)
  tested = [pathlib.Path(video["id"]).name for video in run["test"]]
  assert len(_open(root)[1]) == 10
  trained = run["train"].fingerprint()
  _, found, (said,) = _open(root, trained=trained)
  assert found == tested
  assert "trained on 8 videos" in said
  assert "only the 2" in said
  # Another share is another list.
  assert len(_open(root, trained=trained, test_fraction=0.4)[1]) == 10
  assert _open(root, split="test")[1] == tested
  assert len(_open(root, split="train")[1]) == 8
  assert len(_open(root, split="all", trained=trained)[1]) == 10


def test_rows_without_a_split_are_divided_as_a_run_does(tmp_path):
  rows = [f"{i}.mp4,a,{'train' if i < 2 else ''}\n" for i in range(7)]
  file = tmp_path / "list.csv"
  file.write_text("path,label,split\n" + "".join(rows))
  want = [video["id"] for video in file_sources(file, 0.2)["test"]]
  source, _, _ = _open(str(file))
  assert [video["id"] for video in source] == want


def test_tar_files_are_found_by_their_pattern(video_folder, tmp_path):
  root = shard_folder(video_folder, tmp_path)
  source, found, _ = _open(root / "{train,test}-*.tar")
  assert found == ["fall_2.mp4", "fall_5.mp4", "rise_2.mp4", "rise_5.mp4"]
  assert source.class_names == ("fall", "rise")
  with pytest.raises(FileNotFoundError, match=r"there is no file .*/val-0\.tar"):
    _open(root / "val-0.tar")


def test_annotations_and_prepared_data_sets_are_opened(tmp_path):
  (tmp_path / "something-something-v1-labels.csv").write_text("waving\nfalling")
  for split, row in (("train", "1;waving"), ("validation", "2;falling")):
    (tmp_path / f"something-something-v1-{split}.csv").write_text(row)
  source, found, _ = _open(str(tmp_path), annotations="ssv1")
  assert found == ["2"]
  assert source[0]["video"] == str(tmp_path / "2")
  assert _open(str(tmp_path), annotations="ssv1", split="train")[1] == ["1"]
  _touch(tmp_path, "a.mp4", "b.mp4")
  records = [Record("a", "a.mp4", 0, "train"), Record("b", "b.mp4", 1, "test")]
  AnnotatedVideos(
    "mine",
    Annotations(records, ("x", "y")),
    tmp_path,
    data_dir=str(tmp_path / "built"),
    file_format="array_record",
  ).download_and_prepare()
  source, found, _ = _open(str(tmp_path / "built" / "mine"))
  assert (found, source.class_names) == (["b"], ("x", "y"))
  assert _open("mine", data_dir=str(tmp_path / "built"))[1] == ["b"]


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"split": "test"}, r"has no split 'test', only \['train'\]; --split all"),
    ({}, "has no split to test"),
    ({"split": "fold1"}, "has no split 'fold1'"),
    ({"test_fraction": 1.0}, r"must be in \[0, 1\), got 1.0"),
    ({"videos": "x"}, "videos x are for annotations"),
    ({"tasks": ("verb",)}, "need a CSV file"),
  ],
)
def test_what_is_not_there_is_refused(tmp_path, options, message):
  root = _touch(tmp_path, "train/a/1.mp4")
  with pytest.raises(ValueError, match=message):
    data.open_test_videos(root, **options)


def test_an_empty_test_is_refused(tmp_path):
  with pytest.raises(ValueError, match="test_fraction 0 leaves no video of"):
    _open(_touch(tmp_path, "a/1.mp4"), split="test", test_fraction=0.0)


def test_an_unknown_name_is_refused():
  with pytest.raises(FileNotFoundError, match="did you mean 'camera_motion'"):
    data.open_test_videos("camera_motoin")
