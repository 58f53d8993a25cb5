import dataclasses

import numpy as np
import pytest

from temporal_jax.data import open_reader
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.inference import FeatureExtractor
from tests.conftest import make_frames
from tests.support.saved_models import brightness_model, small_model

SAVED = brightness_model()


def _frames(extractor, count):
  """The numbers of the frames of each window of a video."""
  video = encode_mp4(make_frames(count), fps=10)
  with open_reader(video) as reader:
    features = extractor(reader)
  return np.round((255 * features - 20) / 8).astype(int).tolist()


def test_a_clip_is_the_middles_of_the_parts_of_a_window():
  extractor = FeatureExtractor(SAVED, window=12, stride=5, batch_size=2)
  want = [[start + i for i in (1, 4, 7, 10)] for start in (0, 5, 10, 15)]
  assert _frames(extractor, 27) == want
  assert _frames(extractor, 12) == want[:1]
  assert _frames(extractor, 26) == want[:3]
  assert extractor.compilations == 1


def test_windows_as_long_as_clips_take_all_frames():
  extractor = FeatureExtractor(SAVED, window=4, stride=3)
  assert _frames(extractor, 8) == [[0, 1, 2, 3], [3, 4, 5, 6]]


def test_a_short_video_repeats_its_last_frame():
  extractor = FeatureExtractor(SAVED, window=12, stride=5)
  assert _frames(extractor, 6) == [[1, 4, 5, 5]]


def test_times_are_those_of_localisation():
  """As ActionFormer has them: (i feat_stride + num_frames / 2) / fps."""
  extractor = FeatureExtractor(SAVED, window=32, stride=16)
  times = extractor.times(100, 30.0)
  np.testing.assert_allclose(times, [16 / 30, 32 / 30, 48 / 30, 64 / 30, 80 / 30])
  assert len(times) == extractor.num_windows(100) == 5
  assert extractor.num_windows(1) == 1


def test_defaults_fit_the_clips():
  assert FeatureExtractor(SAVED).window == 16
  assert FeatureExtractor(brightness_model(num_frames=20)).window == 20


def test_whole_frames_are_stretched_or_their_middle_is_cut():
  """The left half of wide frames is dark, the rest bright."""
  frames = np.zeros((4, 32, 128, 3), np.uint8)
  frames[:, :, 64:] = 200
  saved = brightness_model(side=16)
  small = dataclasses.replace(saved.protocol, short_side=16)
  saved = saved._replace(protocol=small)
  bright = frames.copy()
  bright[:, :, :48] = 250  # Beyond the middle.
  for video, cut, whole in (
    (encode_mp4(frames, fps=10), 100, 100),
    (encode_mp4(bright, fps=10), 100, 3 / 8 * 250 + 100),
  ):
    for stretch, want in ((False, cut), (True, whole)):
      extractor = FeatureExtractor(saved, window=4, stretch=stretch)
      with open_reader(video) as reader:
        got = 255 * extractor(reader)
      np.testing.assert_allclose(got, want, atol=6)


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    ({"window": 3}, "a window of 3 frames is too short: .* clips of 4"),
    ({"stride": 0}, "stride must be at least 1, got 0"),
    ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
    ({"name": "pool"}, "did you mean 'pooled'"),
  ],
)
def test_wrong_arguments_are_refused(arguments, message):
  with pytest.raises(ValueError, match=message):
    FeatureExtractor(SAVED, **arguments)


def test_whole_frames_keep_their_proportions():
  """The left quarter is bright: a middle square would not see it."""
  frames = np.zeros((4, 64, 128, 3), np.uint8)
  frames[:, :, :32] = 200
  extractor = FeatureExtractor(SAVED, window=4, short_side=16, batch_size=2)
  with open_reader(encode_mp4(frames, fps=10)) as reader:
    clips = extractor._read(reader, np.array([0]))
    got = 255 * extractor(reader)
  assert clips.shape == (1, 4, 16, 32, 3)
  np.testing.assert_allclose(got, 50, atol=3)
  with open_reader(encode_mp4(frames[:, :, :64], fps=10)) as reader:
    np.testing.assert_allclose(255 * extractor(reader), 100, atol=3)
  assert extractor.compilations == 2  # One for each size.


def test_networks_with_positions_of_squares_take_no_other_frames():
  vit = {"width": 64, "depth": 1, "num_heads": 1, "patch_size": 8, "grid": 2}
  saved = small_model("vit_b16", **vit)
  with pytest.raises(ValueError, match="positions of a square of 16 pixels"):
    FeatureExtractor(saved, short_side=32)
  with pytest.raises(ValueError, match="not both"):
    FeatureExtractor(SAVED, short_side=32, stretch=True)
  with pytest.raises(ValueError, match="short_side must be at least 1"):
    FeatureExtractor(SAVED, short_side=0)
