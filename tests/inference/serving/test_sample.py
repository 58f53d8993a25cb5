import math

import numpy as np
import pytest

from temporal_jax import inference
from temporal_jax.data import open_reader
from temporal_jax.inference import serving
from temporal_jax.inference.serving import sample
from temporal_jax.inference.serving.sample import FPS, SHOT, SHOTS, SampleClip


@pytest.fixture(scope="module")
def film(tmp_path_factory):
  path = tmp_path_factory.mktemp("sample") / "sample.mp4"
  path.write_bytes(SampleClip((), 32).content)
  return path


def test_the_clip_is_a_film_of_all_shots(film):
  with open_reader(str(film)) as reader:
    assert reader.num_frames == SHOT * len(SHOTS)
    assert reader.fps == FPS
    frames = reader.read(range(reader.num_frames)).astype(float)
  changes = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
  assert changes.min() > 1  # It never stands still.
  assert frames.std(axis=(1, 2)).mean(axis=-1).min() > 8  # Nor shows a wall.


def test_the_clip_is_as_large_as_the_network_needs(tmp_path, monkeypatch):
  monkeypatch.setattr(sample, "SHOT", 2)
  path = tmp_path / "sample.mp4"
  path.write_bytes(SampleClip((), 223).content)
  with open_reader(str(path)) as reader:
    assert reader.read([0]).shape == (1, 224, 224, 3)


def test_it_is_said_if_the_clip_shows_none_of_the_classes():
  assert "only shows how" not in SampleClip(("idle", "pan up"), 32).about
  about = SampleClip(("jumping", "panning up"), 32).about
  assert "generated clip of 8 s" in about
  assert "was not made for this network's classes" in about


def test_the_bundled_network_knows_the_shots(film):
  answerer = serving.VideoAnswerer(inference.load_model("camera_motion"))
  assert "only shows how" not in answerer.sample.about
  answer = answerer(film)
  timeline = answer["tasks"][0]["timeline"]
  right = []
  for point in timeline["points"]:
    shot = math.floor(point["start"] * FPS / SHOT + 1e-6)
    if point["end"] * FPS / SHOT <= shot + 1 + 1e-6:  # Without a cut.
      best = timeline["labels"][int(np.argmax(point["probabilities"]))]
      right.append(best == SHOTS[shot])
  assert len(right) >= 8
  assert np.mean(right) >= 0.75
