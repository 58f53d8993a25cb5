import subprocess

import numpy as np
import pytest

from temporal_jax import data
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.data.views.picture_cropping import PictureCropper
from temporal_jax.data.views.read_views import read_views
from tests.conftest import frame_numbers, make_frames
from tests.support import videos


def _numbers(video):
  pictures = [frame.to_ndarray(format="rgb24") for frame in video]
  return frame_numbers(np.stack(pictures))


def _piped(path, **kwargs):
  """The numbers of the frames that come through a pipe."""
  with (
    subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat,
    data.LiveVideo(cat.stdout.fileno(), **kwargs) as video,
  ):
    return _numbers(video)


@pytest.mark.parametrize(
  ("codec", "form"),
  [
    ("libx264", "matroska"),
    ("libx264", "mpegts"),
    ("wrapped_avframe", "yuv4mpegpipe"),
  ],
)
def test_a_pipe_is_read_to_its_end(codec, form, tmp_path):
  path = tmp_path / "video"
  path.write_bytes(videos.make_video(make_frames(9), codec=codec, form=form))
  assert _piped(path) == list(range(9))


def test_a_file_is_read_in_order_with_its_times(tmp_path):
  path = tmp_path / "video.mp4"
  times = np.array([0, 1, 2, 6, 7, 30])
  video = videos.make_video(make_frames(6), times=times, options=videos.B_FRAMES)
  path.write_bytes(video)
  with data.LiveVideo(str(path)) as video:
    seconds = [frame.time for frame in video]
  np.testing.assert_allclose(seconds, times / 30, atol=1e-3)


def test_a_form_may_be_named(tmp_path):
  path = tmp_path / "video"
  video = videos.make_video(
    make_frames(3), codec="wrapped_avframe", form="yuv4mpegpipe"
  )
  path.write_bytes(video)
  with pytest.raises(data.VideoError, match="of none of the formats"):
    data.LiveVideo(str(path))
  with data.LiveVideo(str(path), form="yuv4mpegpipe") as video:
    assert _numbers(video) == [0, 1, 2]


def test_what_cannot_be_decoded_is_counted(tmp_path):
  video = videos.make_video(
    make_frames(12),
    form="matroska",
    options=videos.WHOLE | {"g": "4", "bf": "0"},
  )
  path = tmp_path / "video.mkv"
  path.write_bytes(videos.blank_packets(video, {3}))
  with data.LiveVideo(str(path)) as video:
    assert video.lost == 0
    assert _numbers(video) == [0, 1, 2, *range(4, 12)]
    assert video.lost == 1


def test_a_broadcast_may_be_joined_midway(tmp_path):
  video = videos.make_video(
    make_frames(20),
    form="mpegts",
    options=videos.WHOLE | {"g": "8", "bf": "0"},
  )
  middle = len(video) // 188 // 2 * 188  # Packets of 188 bytes.
  path = tmp_path / "video"
  path.write_bytes(video[middle:])
  assert _piped(path, form="mpegts") == list(range(8, 20))


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
def test_a_pipe_without_video_is_refused(content, tmp_path):
  (tmp_path / "video").write_bytes(content)
  with pytest.raises(data.VideoError):
    _piped(tmp_path / "video")


def test_a_missing_file_is_refused():
  with pytest.raises(data.VideoError, match="the file does not exist"):
    data.LiveVideo("/nowhere/video.mp4")


@pytest.mark.parametrize(
  ("rule", "resized"),
  [
    ("exact", {"short_side": 24}),
    ("rounded_up", {"short_side": None}),
    ("exact", {"stretch": (20, 30)}),
  ],
)
def test_pictures_are_cut_as_those_of_a_file(rule, resized, tmp_path):
  rng = np.random.default_rng(0)
  frames = rng.integers(0, 256, (2, 32, 50, 3), np.uint8)
  (tmp_path / "video.mp4").write_bytes(videos.make_video(frames))
  protocol = EvalProtocol(
    num_frames=2,
    crop_size=17,
    sampling="dense",
    crop_rule=rule,
    **resized,
  )
  with data.open_reader(str(tmp_path / "video.mp4")) as reader:
    (want,) = read_views(reader, protocol)
  cut = PictureCropper(protocol)
  with data.LiveVideo(str(tmp_path / "video.mp4")) as video:
    got = [cut(frame) for frame in video]
  np.testing.assert_array_equal(got, want)


def test_arrays_are_cut_too():
  protocol = EvalProtocol(num_frames=1, crop_size=8)
  picture = np.random.default_rng(0).integers(0, 256, (12, 21, 3), np.uint8)
  got = PictureCropper(protocol)(picture[:, ::-1])
  np.testing.assert_array_equal(got, picture[2:10, ::-1][:, 6:14])
  halved = PictureCropper(EvalProtocol(num_frames=1, crop_size=8, short_side=8))
  assert halved(np.full((16, 40, 3), 77, np.uint8)).tolist() == [[[77] * 3] * 8] * 8


@pytest.mark.parametrize(
  ("picture", "message"),
  [
    (
      np.zeros((9, 9, 4), np.uint8),
      r"must be \(H, W, 3\) uint8, got \(9, 9, 4",
    ),
    (np.zeros((9, 9, 3), np.float32), "got .* float32"),
    (np.zeros((0, 9, 3), np.uint8), r"got \(0, 9, 3\)"),
    (np.zeros((7, 9, 3), np.uint8), "8 x 8 crop does not fit frames of 7 x 9"),
  ],
)
def test_other_pictures_are_refused(picture, message):
  cut = PictureCropper(EvalProtocol(num_frames=1, crop_size=8))
  with pytest.raises(ValueError, match=message):
    cut(picture)
