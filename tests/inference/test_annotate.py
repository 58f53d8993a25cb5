import av
import numpy as np
import pytest

from temporal_jax import inference
from temporal_jax.data import VideoError, VideoReader
from temporal_jax.inference.annotate import draw_caption
from tests.support.videos import make_rotated, make_video

LABELS = [("opening a drawer", 0.75), ("closing", 0.25), ("waving", 0.0)]


def _read(file):
  """Returns all frames and their times in seconds."""
  with VideoReader(file) as reader:
    frames = reader.read(range(reader.num_frames))
  with av.open(str(file)) as container:
    packets = [p for p in container.demux(video=0) if p.pts is not None]
  return frames, sorted(float(p.pts * p.time_base) for p in packets)


def test_frames_keep_their_times_and_size(tmp_path):
  times = np.array([0, 1, 5, 6, 20])
  source, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
  frames = np.full((5, 96, 160, 3), 200, np.uint8)
  frames[:] -= 20 * np.arange(5, dtype=np.uint8)[:, None, None, None]
  source.write_bytes(make_video(frames, times=times))
  assert inference.annotate(source, out, LABELS) == 5
  got, shown = _read(out)
  np.testing.assert_allclose(shown, times / 30, atol=1e-6)
  assert got.shape == frames.shape
  change = np.abs(got.astype(int) - frames)
  assert change[:, :48].max() < 12  # The upper half is as it was.
  assert change[:, 64:, :40].mean() > 60  # Text and bars are below.
  assert {path.name for path in tmp_path.iterdir()} == {"in.mp4", "out.mp4"}


def test_turned_and_odd_videos_are_upright_and_even(tmp_path):
  source, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
  frames = np.full((3, 64, 49, 3), 200, np.uint8)
  turned = make_video(frames, pixels="yuv444p")
  source.write_bytes(make_rotated(turned, 90))
  inference.annotate(source, out, LABELS)
  got, _ = _read(out)
  assert got.shape == (3, 48, 64, 3)
  assert got[:, :20].mean() == pytest.approx(200, abs=4)


def test_bars_are_as_long_as_probabilities():
  picture = np.asarray(draw_caption(LABELS, 360, 640))
  row = len(picture) // 3
  # Between the lines of text, where bars are blue and the rest is black.
  bars = (picture[row * np.arange(3) + 2, :, 2] > 0).sum(axis=1)
  np.testing.assert_allclose(bars / picture.shape[1], [0.75, 0.25, 0], atol=0.01)
  assert np.all(picture[..., 3] >= 160)
  white = (picture[..., :3] == 255).all(axis=-1)
  assert white[:row].sum() > white[2 * row :].sum() > 20


@pytest.mark.parametrize(("height", "rows"), [(24, 1), (60, 2), (2000, 3)])
def test_a_caption_fits_into_the_lower_half(height, rows):
  labels = [("w" * 200, 1.0), *LABELS[1:]]
  picture = draw_caption(labels, height, 60)
  assert picture.width <= 60
  assert picture.height // round(1.4 * 10) == rows


def test_refuses_what_it_cannot_write(tmp_path):
  source, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
  source.write_bytes(b"no video" * 99)
  with pytest.raises(VideoError, match="it is damaged, or in no format"):
    inference.annotate(source, out, LABELS)
  assert not out.exists()
  for name, labels, message in (
    ("out.avi", LABELS, r"must end in \.mp4, got .*out\.avi"),
    ("in.mp4", LABELS, "cannot be both a file that is read and out"),
    ("out.mp4", [], "there is no label"),
  ):
    with pytest.raises(ValueError, match=message):
      inference.annotate(source, tmp_path / name, labels)
