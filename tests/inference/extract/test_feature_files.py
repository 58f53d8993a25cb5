import json
import pathlib

import numpy as np
import pytest

from temporal_jax.data import VideoError, open_reader
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.inference import (
  FeatureExtractor,
  extract_files,
  output_files,
)
from tests.conftest import make_frames
from tests.support.saved_models import RESNET, brightness_model, small_model

SAVED = brightness_model()


@pytest.fixture
def video(tmp_path):
  path = tmp_path / "video.mp4"
  path.write_bytes(encode_mp4(make_frames(20), fps=10))
  return str(path)


@pytest.fixture(scope="module")
def extractor():
  return FeatureExtractor(SAVED, "tokens", window=8, stride=4, batch_size=2)


def test_a_file_holds_what_localisation_needs(tmp_path, video, extractor):
  out = tmp_path / "deep" / "video.npz"
  assert extract_files(extractor, {video: out}) == (1, 0, {})
  with open_reader(video) as reader:
    want = extractor(reader)
  with np.load(out) as file:
    assert file["features"].dtype == np.float32
    np.testing.assert_array_equal(file["features"], want)
    assert file["features"].shape == (4, 4, 1, 1)
    np.testing.assert_allclose(file["times"], [0.4, 0.8, 1.2, 1.6])
    numbers = {"fps": 10, "stride": 4, "window": 8, "offset": 0}
    for name, value in {**numbers, "duration": 2, "video_frames": 20}.items():
      assert file[name] == value
    assert (str(file["feature"]), str(file["model"])) == (
      "tokens",
      "brightness",
    )
    assert len(json.loads(str(file["settings"]))["sha256"]) == 64
  assert [path.name for path in out.parent.iterdir()] == ["video.npz"]


def test_what_is_there_is_kept_if_it_is_the_same(tmp_path, video, extractor):
  out = tmp_path / "video.npz"
  extract_files(extractor, {video: out})
  first = out.stat().st_mtime_ns, out.read_bytes()
  assert extract_files(extractor, {video: out}) == (0, 1, {})
  other = FeatureExtractor(SAVED, "tokens", window=8, stride=5)
  done = extract_files(other, {video: out})
  assert done.written == done.kept == 0
  assert done.bad[video].endswith("is there and has stride 4 instead of 5")
  assert (out.stat().st_mtime_ns, out.read_bytes()) == first
  out.write_bytes(b"PK")
  done = extract_files(extractor, {video: out})
  assert "holds no features" in done.bad[video]


def test_bad_videos_are_named_and_the_others_go_on(tmp_path, video, extractor):
  empty = tmp_path / "empty.mp4"
  empty.touch()
  files = {
    str(name): tmp_path / "out" / f"{pathlib.Path(name).stem}.npz"
    for name in (empty, tmp_path / "gone.mp4", video)
  }
  done = extract_files(extractor, files)
  assert done.written == 1
  assert set(done.bad) == {str(empty), str(tmp_path / "gone.mp4")}
  names = [path.name for path in (tmp_path / "out").iterdir()]
  assert names == ["video.npz"]


def test_nothing_half_written_is_left(tmp_path, video, monkeypatch):
  extractor = FeatureExtractor(SAVED, window=8, stride=4, batch_size=2)

  def broken(reader):
    yield np.zeros((2, 4), np.float32)
    raise VideoError("frame 9 cannot be decoded")

  monkeypatch.setattr(extractor, "batches", broken)
  out = tmp_path / "out" / "video.npz"
  done = extract_files(extractor, {video: out})
  assert done.bad == {video: "frame 9 cannot be decoded"}
  assert not list(out.parent.iterdir())


def test_two_videos_do_not_share_a_file(tmp_path, extractor):
  same = tmp_path / "x.npz"
  with pytest.raises(ValueError, match=r"a\.mp4 and a\.avi would both be"):
    extract_files(extractor, {"a.mp4": same, "a.avi": same})


def test_files_are_named_below_what_named_them(tmp_path, monkeypatch):
  for name in ("v/a.mp4", "v/deep/b.c.mkv", "w/d.webm"):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
  monkeypatch.chdir(tmp_path)
  out = pathlib.Path("out")
  for words, want in (
    (["v"], {"v/a.mp4": "a.npz", "v/deep/b.c.mkv": "deep/b.c.npz"}),
    (["v/deep/b.c.mkv"], {"v/deep/b.c.mkv": "b.c.npz"}),
    (["v/*/*"], {"v/deep/b.c.mkv": "deep/b.c.npz"}),
    (["*/*.mp4", "w"], {"v/a.mp4": "v/a.npz", "w/d.webm": "d.npz"}),
  ):
    got = output_files(words, out)
    assert got == {video: out / name for video, name in want.items()}


def test_windows_count_frames_at_a_given_rate(tmp_path, video):
  """As appendix C.2 of TAda does: 8 frames 8 apart, every 8 of 60 a second."""
  extractor = FeatureExtractor(brightness_model(8), window=64, stride=8)
  out = tmp_path / "video.npz"
  assert extract_files(extractor, {video: out}, fps=60) == (1, 0, {})
  with np.load(out) as file:
    features, times = file["features"], file["times"]
    assert (file["fps"], file["video_frames"], file["duration"]) == (60, 120, 2)
    assert json.loads(str(file["settings"]))["fps"] == 60
  assert len(features) == (120 - 64) // 8 + 1
  np.testing.assert_allclose(times, (8 * np.arange(8) + 32) / 60)
  shown = np.round((255 * features - 20) / 8)
  places = 8 * np.arange(8)[:, None] + 4 + 8 * np.arange(8)
  # The video has 10 frames per second: frame k of 60 is nearest to k / 6.
  assert np.all(np.abs(shown - places / 6) <= 0.5 + 1e-6)
  done = extract_files(extractor, {video: out}, fps=30)
  assert "has fps 60 instead of 30" in done.bad[video]
  with pytest.raises(ValueError, match="fps must be above 0"):
    extract_files(extractor, {video: out}, fps=0.0)


def test_maps_of_whole_frames_have_their_size(tmp_path):
  saved = small_model(**RESNET)
  extractor = FeatureExtractor(saved, "tokens", window=2, short_side=16)
  file = tmp_path / "wide.mp4"
  file.write_bytes(encode_mp4(make_frames(3)[:, :, :16], fps=10))
  assert extract_files(extractor, {str(file): tmp_path / "out.npz"}).written == 1
  with np.load(tmp_path / "out.npz") as arrays:
    assert extractor.shape == (2, 4, 4, 8)
    assert arrays["features"].shape == (1, 2, 8, 4, 8)
