"""Inputs of a head are kept by the bytes of a video, wherever it is."""

import numpy as np

from temporal_jax import data
from temporal_jax.data.listing.find_videos import file_sources
from temporal_jax.experiment.probe_run.cached_inputs import InputCache
from tests.support.tar_shards import shard_folder


class _Means:
  """The mean of each frame, in place of a network."""

  batch_size = 2

  def fit(self, total):
    pass

  def start(self, clips):
    return clips.mean(axis=(2, 3, 4))[:, :, None]


def test_a_video_in_a_tar_file_is_the_same_as_its_file(video_folder, tmp_path):
  root = shard_folder(video_folder, tmp_path / "shards")
  packed = file_sources(root, 0.0, say=print)["test"]
  plain = file_sources(video_folder, 0.0)["train"]
  protocol = data.EvalProtocol(num_frames=3, crop_size=16)
  cache = InputCache(tmp_path / "cache", "network", protocol, (3, 1), _Means(), 2)
  bad = []
  want = cache.read(plain, lambda *found: bad.append(found))
  got = cache.read(packed, lambda *found: bad.append(found))
  assert (len(want.rows), want.computed, got.computed, bad) == (12, 12, 0, [])
  np.testing.assert_array_equal(got.rows, want.rows[2::3])
  (root / "test-0.tar").write_bytes(b"")
  gone = cache.read(packed, lambda *found: bad.append(found))
  assert len(gone.rows) == 0
  assert "has changed since it was listed" in bad[0][1]
