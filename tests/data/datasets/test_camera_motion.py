import sys

import numpy as np
import pytest

from temporal_jax.data import DatasetSource, VideoReader, datasets
from temporal_jax.data.datasets import (
  camera_motion,
  photograph_clips,
  virtual_camera,
)
from temporal_jax.data.datasets.camera_motion import CameraMotion


@pytest.fixture
def small(monkeypatch, tmp_path):
  monkeypatch.setattr(CameraMotion, "NUM_CLIPS", {"train": 24, "test": 16})
  return tmp_path


def test_splits_share_no_photograph():
  train, test = (set(photograph_clips.PHOTOGRAPHS[s]) for s in ("train", "test"))
  assert train
  assert test
  assert not train & test


def test_builds_balanced_readable_clips_without_tensorflow(small):
  source = DatasetSource("camera_motion", "train", small)
  assert "tensorflow" not in sys.modules
  assert source.class_names == virtual_camera.MOTIONS
  assert len(source) == 24
  videos = [source[i] for i in range(24)]
  assert sorted(v["label"] for v in videos) == sorted(list(range(8)) * 3)
  assert len({v["id"] for v in videos}) == 24
  for video in videos:
    motion = source.class_names[video["label"]].replace(" ", "_")
    assert video["id"].endswith(motion)
    with VideoReader(video["video"]) as reader:
      assert reader.num_frames == CameraMotion.NUM_FRAMES
      frames = reader.read(range(reader.num_frames))
    assert frames.shape[1:] == (CameraMotion.VIEW, CameraMotion.VIEW, 3)
    assert camera_motion.contrast(frames).min() > camera_motion.MIN_CONTRAST / 2


def test_plain_colour_has_no_contrast():
  sky = np.broadcast_to(np.uint8([90, 150, 230]), (2, 8, 8, 3))
  np.testing.assert_array_equal(camera_motion.contrast(sky), 0)


def test_builds_the_same_clips_again(small):
  first = DatasetSource("camera_motion", "test", small / "a")
  second = DatasetSource("camera_motion", "test", small / "b")
  assert first.fingerprint() == second.fingerprint()
  for i in range(16):
    assert first[i] == second[i]


def test_a_clip_and_its_reversal_share_their_distribution():
  """Frames as a set tell nothing: backwards, one class is the other."""
  cat = photograph_clips.load_photograph("cat")
  pairs = virtual_camera.REVERSAL | virtual_camera.COMPOUND_REVERSAL
  for motion, reversal in pairs.items():
    forth, back = (
      CameraMotion.film_texture(kind, np.random.default_rng(3), cat)
      for kind in (motion, reversal)
    )
    np.testing.assert_array_equal(forth, back[::-1])


def test_compound_motion_has_six_other_classes(small):
  source = DatasetSource("compound_motion", "train", small)
  assert source.class_names == virtual_camera.COMPOUND_MOTIONS
  assert not {*source.class_names} & {*virtual_camera.MOTIONS}
  assert [source[i]["label"] for i in range(24)].count(0) == 4
  photograph = camera_motion.CompoundMotion.photograph
  assert photograph("train_00007_hubble_deep_field_spiral_in") == "hubble_deep_field"


def test_the_large_edition_goes_as_far_in_more_frames(tmp_path, monkeypatch):
  large = camera_motion.CameraMotionLarge
  monkeypatch.setattr(large, "NUM_CLIPS", {"train": 8, "test": 8})
  source = DatasetSource("camera_motion_large", "train", tmp_path)
  assert source.class_names == virtual_camera.MOTIONS
  assert sorted(source[i]["label"] for i in range(8)) == [*range(8)]
  with VideoReader(source[0]["video"]) as reader:
    assert reader.num_frames == 32
    assert reader.read([31]).shape == (1, 112, 112, 3)
  fastest = [31 * large.SPEEDS[1], 11 * CameraMotion.SPEEDS[1]]
  np.testing.assert_allclose(fastest[0], fastest[1])


def test_unknown_data_set_suggests_near_ones():
  with pytest.raises(ValueError, match="did you mean 'camera_motion'"):
    datasets.find_builder("camera_motoin")
