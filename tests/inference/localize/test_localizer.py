"""Segments of videos and of files of features."""

import re

import jax
import numpy as np
import pytest

import temporal_jax
from temporal_jax import inference
from temporal_jax.localization import load_detector
from temporal_jax.localization.features import FeatureKind, read_features
from tests.support.tiny_detectors import CLASS_NAMES, tiny_detector
from tests.support.tiny_localizer import STRIDE, WINDOW, save_pair
from tests.support.tiny_predictor import write_noise


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
  return save_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="module")
def video(tmp_path_factory):
  return write_noise(tmp_path_factory.mktemp("videos") / "film.mp4", 60, (24, 32))


@pytest.fixture(scope="module")
def localizer(pair):
  network, detector = pair
  return temporal_jax.Localizer(detector, features=network)


def _extract(network, video, out, **options):
  extractor = inference.FeatureExtractor(
    inference.load_model(network), window=WINDOW, stride=STRIDE, **options
  )
  inference.extract_files(extractor, {video: out})
  return out


def test_a_video_and_its_features_have_the_same_segments(
  pair, video, localizer, tmp_path
):
  network, detector = pair
  file = _extract(network, video, tmp_path / "film.npz")
  of_video, of_features = localizer.localize([video, file])
  assert of_video.error is of_features.error is None
  assert of_video.duration == pytest.approx(6.0)
  assert len(of_video.segments) > 3
  for one, other in zip(of_video.segments, of_features.segments, strict=True):
    assert one.label == other.label
    assert one.label in CLASS_NAMES
    np.testing.assert_allclose(one[1:], other[1:], rtol=1e-4, atol=1e-4)
    assert 0 <= one.start < one.end <= 6
  scores = [one.score for one in of_video.segments]
  assert scores == sorted(scores, reverse=True)
  (found,) = load_detector(detector).detect([read_features(file)])
  np.testing.assert_allclose(sorted(found.scores), sorted(scores), rtol=1e-4)
  plain = tmp_path / "film.npy"
  np.save(plain, read_features(file).values)
  assert "their fps is known neither" in localizer(plain).error
  knowing = temporal_jax.Localizer(detector, fps=10)
  assert "model '' instead of 'resnet18'" in knowing(plain).error


def test_features_without_a_record_need_the_rate(tmp_path):
  detector, _ = tiny_detector("pad")
  detector.feature_kind = detector.feature_kind._replace(
    model="", feature="", weights="", frames="", rate=""
  )
  file = tmp_path / "film.npy"
  np.save(file, np.random.default_rng(0).standard_normal((30, 5), np.float32))
  assert "their fps is known neither" in temporal_jax.Localizer(detector)(file).error
  found = temporal_jax.Localizer(detector, fps=8.0)(file)
  assert found.segments
  np.savez(tmp_path / "film.npz", features=np.load(file), fps=10.0)
  mixed = temporal_jax.Localizer(detector, fps=8.0)(tmp_path / "film.npz")
  assert mixed.error == "the file has fps 10, --fps is 8"
  for options in ({"fps": 0.0}, {"fps": float("inf")}, {"batch_size": 0}):
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be"):
      temporal_jax.Localizer(detector, **options)
  with pytest.raises(ValueError, match="by a network that is not recorded: give"):
    temporal_jax.Localizer(detector)("film.mp4")


def test_a_bad_file_has_an_error_and_others_go_on(localizer, video, tmp_path):
  broken = tmp_path / "broken.mp4"
  broken.write_bytes(b"no video")
  missing, bad, good = localizer.localize([tmp_path / "no.npz", broken, video])
  assert "No such file" in missing.error
  assert bad.error
  assert bad.segments == ()
  assert good.segments
  assert bad.record()["duration"] is None


def test_features_that_overflow_are_one_bad_file(tmp_path):
  detector, _ = tiny_detector("pad")
  rng = np.random.default_rng(0)
  values = rng.standard_normal((30, 5), np.float32)
  files = [tmp_path / f"{name}.npy" for name in ("first", "bad", "last")]
  for file, scale in zip(files, (1, 1e38, 1), strict=True):
    np.save(file, values.clip(-3, 3) * np.float32(scale))
  detector.feature_kind = FeatureKind(5, 2, 8)
  first, bad, last = temporal_jax.Localizer(detector, fps=8.0).localize(files)
  assert bad.error == "the detector gives NaN or infinite numbers for its features"
  assert first.segments == last.segments != ()


def test_a_network_of_other_weights_is_refused(pair, video, tmp_path):
  network, detector = pair
  saved = inference.load_model(network)
  others = jax.tree.map(lambda leaf: 2 * leaf, saved.variables)
  known = {"leaves", "sha256"}
  description = {k: v for k, v in saved.description.items() if k not in known}
  inference.save_model(tmp_path / "other", others, description)
  with pytest.raises(ValueError, match=r"by resnet18, sha256 .*: give"):
    temporal_jax.Localizer(detector)(video)
  localizer = temporal_jax.Localizer(detector, features=tmp_path / "other")
  with pytest.raises(ValueError, match=r"resnet18 have weights '.*' instead of"):
    localizer(video)
  localizer = temporal_jax.Localizer(detector, features="camera_motion")
  with pytest.raises(ValueError, match="instead of"):
    localizer(video)


def test_features_of_another_extraction_are_refused(pair, localizer, video, tmp_path):
  network, _ = pair
  file = _extract(network, video, tmp_path / "film.npz", stretch=True)
  assert "frames 'stretched' instead of 'square'" in localizer(file).error


def test_no_detector_is_a_sentence(pair, tmp_path):
  network, _ = pair
  with pytest.raises(ValueError, match="must describe a detector of segments; it is"):
    temporal_jax.Localizer(network)
  with pytest.raises(
    FileNotFoundError, match=re.escape(f"no model.json in {tmp_path}")
  ):
    temporal_jax.Localizer(tmp_path)
