import numpy as np
import pytest
import torch

from temporal_jax.localization import features
from temporal_jax.localization.features import FeatureKind, FilmFeatures


def _film(length, *, stride=8.0, window=16.0, fps=30.0, offset=0.0):
  values = np.random.default_rng(0).standard_normal((length, 3)).astype(np.float32)
  kind = FeatureKind(3, stride, window)
  return FilmFeatures(values, stride, window, fps, offset, None, kind)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("wanted", [2, 5, 7, 64])
def test_resampling_is_linear_with_aligned_corners(length, wanted):
  values = _film(length).values
  want = torch.nn.functional.interpolate(
    torch.tensor(values.T[None]), size=wanted, mode="linear", align_corners=True
  )
  got = features.resample(values, wanted)
  assert got.dtype == np.float32
  np.testing.assert_allclose(got, want[0].numpy().T, rtol=0, atol=1e-5)
  np.testing.assert_array_equal(got[[0, -1]], values[[0, -1]])


def test_times_are_the_middles_of_windows():
  film = _film(5, offset=4.0)
  np.testing.assert_allclose(film.seconds([0, 2.5]), [12 / 30, 32 / 30])
  np.testing.assert_allclose(film.positions(film.seconds([0, 1.3, 4])), [0, 1.3, 4])


@pytest.mark.parametrize("length", [1, 2, 9])
def test_resampled_features_keep_their_times(length):
  film = _film(length)
  longer = film.resampled(30)
  assert longer.kind == film.kind
  times = longer.seconds(np.arange(30))
  if length == 1:  # The window's 16 frames in 30 parts.
    np.testing.assert_allclose(times, (np.arange(30) + 0.5) * 16 / 30 / 30)
    np.testing.assert_array_equal(longer.values, np.repeat(film.values, 30, axis=0))
    return
  np.testing.assert_allclose(times[[0, -1]], film.seconds([0, length - 1]))
  # A feature that is its own time stays so.
  own = np.broadcast_to(film.seconds(np.arange(length))[:, None], (length, 3))
  np.testing.assert_allclose(features.resample(own, 30)[:, 0], times)


def test_wrong_lengths_are_refused():
  with pytest.raises(ValueError, match="length must be an integer of at least 2"):
    features.resample(np.zeros((4, 3)), 1)
  with pytest.raises(ValueError, match=r"\(T, C\) with T > 0, got \(0, 3\)"):
    features.resample(np.zeros((0, 3)), 4)


def test_another_kind_is_refused():
  want = FeatureKind(3, 8, 16, "resnet18", "pooled", "ab")
  features.check_kind("a.npz", want, want)
  features.check_kind("a.npz", want, FeatureKind(3, 8, 16))
  words = "a.npz have width 4 instead of 3, stride 16 instead of 8, model '' instead"
  with pytest.raises(ValueError, match=words):
    features.check_kind("a.npz", FeatureKind(4, 16, 16, "", "pooled", "ab"), want)


@pytest.mark.parametrize(
  ("length", "starts"),
  [(1, [0]), (6, [0]), (7, [0, 1]), (9, [0, 3]), (10, [0, 3, 4]), (12, [0, 3, 6])],
)
def test_windows_cover_a_film(length, starts):
  values = _film(length).values
  got = features.cut_windows(values, 6, 3)
  assert got.starts.tolist() == starts
  assert got.values.dtype == np.float32
  for window, mask, start in zip(got.values, got.mask, got.starts, strict=True):
    inside = values[start : start + 6]
    assert mask.tolist() == [True] * len(inside) + [False] * (6 - len(inside))
    np.testing.assert_array_equal(window[mask], inside)
    assert not window[~mask].any()
  for size, step, message in (
    (6, 7, "step at most size"),
    (0, 1, "size must be an integer"),
    (6, 0, "step must be an integer"),
  ):
    with pytest.raises(ValueError, match=message):
      features.cut_windows(values, size, step)


def test_segments_inside_a_window():
  segments = np.array([[0, 10], [9.995, 20], [9.9, 20], [15, 25], [30, 40]])
  got = features.segments_inside(segments, 10, 20)
  assert got.tolist() == [False, True, False, False, False]
  assert features.segments_inside(segments, 10, 20, share=0.4).tolist()[3]
  with pytest.raises(ValueError, match="share must be"):
    features.segments_inside(segments, 10, 20, share=2)


def test_settings_of_an_extraction_are_the_kind():
  settings = {"model": "resnet18", "feature": "pooled", "sha256": "ab"}
  kind = features.extraction_kind(3, 4, 12, settings)
  assert kind == FeatureKind(3, 4, 12, "resnet18", "pooled", "ab")
  for added, frames, rate in (
    ({"whole_short_side": None, "stretch": None, "fps": None}, "square", "own"),
    ({"whole_short_side": None, "stretch": [8, 8], "fps": 12}, "square", "12"),
    ({"whole_short_side": None, "stretch": True, "fps": 29.97}, "stretched", "29.97"),
    ({"whole_short_side": 224, "stretch": None}, "short side 224", ""),
  ):
    kind = features.extraction_kind(3, 4, 12, {**settings, **added})
    assert (kind.frames, kind.rate) == (frames, rate)
