import numpy as np
import pytest

from temporal_jax.data import open_reader
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.data.video.fixed_rate import FixedRateReader
from temporal_jax.data.video.image_folder import ImageFolder
from temporal_jax.data.video.pictures import VideoError
from tests.conftest import frame_numbers, make_frames
from tests.support.videos import make_picture, make_video


def _numbers(video, fps):
  """The video's frames that are read at a rate."""
  with FixedRateReader(open_reader(video), fps) as reader:
    assert reader.fps == fps
    frames = reader.pictures(range(reader.num_frames))
    stretched, size = reader.read_stretched([reader.num_frames - 1], (8, 8))
  assert (stretched.shape, size) == ((1, 8, 8, 3), (32, 32))
  return frame_numbers(np.stack(frames))


@pytest.mark.parametrize(
  ("fps", "want"),
  [
    (10, [0, 1, 2, 3, 4, 5]),
    # At 0, 0.05, 0.1, ... s: of two as near the earlier.
    (20, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
    (5, [0, 2, 4]),
    (6, [0, 2, 3, 5]),  # At 0, 0.167, 0.333, 0.5 s.
    (0.5, [0]),
  ],
)
def test_frames_are_the_nearest_by_time(fps, want):
  assert _numbers(encode_mp4(make_frames(6), fps=10), fps) == want


def test_times_that_differ_count_as_they_are():
  times = np.array([0, 1, 2, 20, 21, 22])  # In 1/30 s.
  video = make_video(make_frames(6), times=times)
  with open_reader(video) as plain:
    shown = np.asarray(plain.times)
    length = shown[-1] + 1 / plain.fps
  got = _numbers(video, 15)
  assert len(got) == round(15 * length)
  want = [np.abs(shown - k / 15).argmin() for k in range(len(got))]
  assert got == want


def test_what_has_no_rate_is_refused(tmp_path):
  (tmp_path / "1.png").write_bytes(make_picture(make_frames(1)[0], "png"))
  with (
    open_reader(ImageFolder(str(tmp_path), "*.png")) as reader,
    pytest.raises(VideoError, match="frames per second are not known"),
  ):
    FixedRateReader(reader, 30)
  with open_reader(ImageFolder(str(tmp_path), "*.png", fps=5)) as reader:
    assert FixedRateReader(reader, 30).num_frames == 6
    for fps in (0, -1, 1e6, float("nan")):
      with pytest.raises(ValueError, match="fps must be"):
        FixedRateReader(reader, fps)
    with pytest.raises(IndexError, match=r"\[6\]"):
      FixedRateReader(reader, 30).pictures([6])
