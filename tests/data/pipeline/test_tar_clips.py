"""Clips of tar files: their order, exact resume, and bad videos."""

import numpy as np
import pytest

from temporal_jax import data
from temporal_jax.data.listing.find_videos import file_sources
from tests.data.pipeline.test_train_batches import (
  _assert_same,
  _ids,
  _run,
  _save,
  _seek,
  _take,
)
from tests.support.tar_shards import shard_folder, write_shard


@pytest.fixture(scope="module")
def shards(video_folder, tmp_path_factory):
  return shard_folder(video_folder, tmp_path_factory.mktemp("shards"))


def _source(shards):
  return file_sources(shards, 0.0, say=lambda _: None)["train"]


@pytest.mark.parametrize("count", [1, 2])
def test_a_run_goes_on_with_the_same_clips(shards, count):
  want = _take(_run(_source(shards), 1), 4)
  before = _run(_source(shards), 2)
  _assert_same(_take(before, 2), want[:2])
  after = _run(_source(shards), count)  # The shards are listed anew.
  assert _seek(after, _save(before)) == ""
  _assert_same(_take(after, 2), want[2:])
  assert len({*_ids(want[:1])}) == 8  # An epoch has every video once.


def test_clips_are_those_of_the_files(shards, video_folder):
  packed = _source(shards)
  paths = [
    video_folder / name.replace("_", "/")
    for name in (packed[i]["id"].rsplit("/")[-1] for i in range(len(packed)))
  ]
  labels = [packed[i]["label"] for i in range(len(packed))]
  files = list(zip(map(str, paths), labels, strict=True))
  plain = data.FileSource(files, packed.class_names)
  got, want = (_take(_run(source, 1), 2) for source in (packed, plain))
  for name in ("clip", "label", "weight"):
    np.testing.assert_array_equal(
      *([batch[name] for batch in batches] for batches in (got, want))
    )


@pytest.mark.parametrize("policy", ["mask", "skip"])
def test_a_bad_video_is_left_out_as_any_other(video_folder, tmp_path, policy):
  good = (video_folder / "rise" / "0.mp4").read_bytes()
  files = [("a.mp4", good), ("a.cls", b"0"), ("b.mp4", b"no video"), ("b.cls", b"1")]
  source = _source(write_shard(tmp_path / "x.tar", files))
  (batch,) = _take(_run(source, 1, policy=policy), 1)
  weights = dict(zip(batch["id"], batch["weight"], strict=True))
  bad = {f"{tmp_path}/x.tar/b.mp4": 0.0} if policy == "mask" else {}
  assert weights == {f"{tmp_path}/x.tar/a.mp4": 1.0} | bad
  with pytest.raises(data.BadVideoError, match=r"cannot read .*x\.tar/b\.mp4: it is"):
    _take(_run(source, 1, policy="raise"), 1)
