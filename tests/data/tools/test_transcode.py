import av
import numpy as np
import pytest

from temporal_jax.data.tools.transcode_folder import transcode_folder
from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.video.transcode import Transcoding, transcode
from tests.conftest import frame_numbers, make_frames
from tests.support.videos import make_rotated, make_trimmed, make_video


def _shown(file):
  """Times of the frames in seconds, and which are keyframes."""
  with av.open(str(file)) as container:
    frames = list(container.decode(video=0))
  times = [frame.pts * frame.time_base for frame in frames]
  return times, [i for i, frame in enumerate(frames) if frame.key_frame]


def test_frames_times_and_keyframes(tmp_path):
  times = [0, 1, 6, 7, 8, 17, 19, 20, 21, 51]
  source, out = tmp_path / "in.mkv", tmp_path / "new" / "out.mp4"
  frames = np.repeat(make_frames(10, size=48), 2, axis=2)[:, :, :64]
  source.write_bytes(make_video(frames, form="matroska", times=times))
  how = Transcoding(short_side=32, gop=4)
  assert transcode(source, out, how) == 10
  assert [path.name for path in out.parent.iterdir()] == ["out.mp4"]
  with VideoReader(out) as reader:
    frames = reader.read(range(10))
  assert frames.shape == (10, 32, 42, 3)  # 42.7 wide, the nearest even.
  assert frame_numbers(frames) == list(range(10))
  got, keys = _shown(out)
  # Matroska keeps thousandths of a second.
  np.testing.assert_allclose(
    [float(time) for time in got], np.array(times) / 30, atol=1e-3
  )
  assert keys[0] == 0
  assert max(np.diff([*keys, 10])) <= 4


@pytest.mark.parametrize(
  ("size", "want"), [((40, 60), (40, 60)), ((100, 50), (64, 32))]
)
def test_only_large_videos_shrink(tmp_path, size, want):
  source, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
  frames = np.full((3, *size, 3), 99, np.uint8)
  source.write_bytes(encode_mp4(frames, fps=5))
  side = 32 if size[0] == 100 else 64
  transcode(source, out, Transcoding(short_side=side))
  with VideoReader(out) as reader:
    assert reader.read([0]).shape == (1, *want, 3)


def test_pictures_are_turned_upright_and_cut_off_frames_stay_away(tmp_path):
  frames = np.full((6, 32, 64, 3), 40, np.uint8)
  frames[:, :8, :8] = 230  # A mark in the top left corner.
  frames[3:, 16:] = 120
  source, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
  turned = make_rotated(encode_mp4(frames, fps=30), 90)
  source.write_bytes(make_trimmed(turned, 2, 3))
  assert transcode(source, out, Transcoding()) == 3
  with VideoReader(source) as old, VideoReader(out) as new:
    want, got = old.read(range(3)), new.read(range(3))
  assert got.shape == want.shape == (3, 64, 32, 3)
  assert np.abs(got.astype(int) - want).mean() < 3
  with av.open(str(out)) as container:
    assert next(container.decode(video=0)).rotation == 0


def test_bad_videos_leave_nothing(tmp_path):
  source, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
  source.write_bytes(b"no video" * 99)
  with pytest.raises(VideoError):
    transcode(source, out, Transcoding())
  assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.parametrize(
  ("how", "message"),
  [
    (Transcoding(short_side=33), "short_side must be even and positive"),
    (Transcoding(gop=0), "gop must be at least 1"),
    (Transcoding(crf=52), r"crf must be in \[0, 51\]"),
  ],
)
def test_wrong_numbers_are_refused(tmp_path, how, message):
  for function in (transcode, transcode_folder):
    with pytest.raises(ValueError, match=message):
      function(tmp_path / "a", tmp_path / "b", how)


def test_a_folder_keeps_its_shape_and_what_is_there(video_folder, tmp_path):
  out, how = tmp_path / "out", Transcoding(short_side=16)
  done = transcode_folder(video_folder, out, how, num_threads=2)
  assert done == (12, 0, {})
  files = sorted(path.relative_to(out) for path in out.rglob("*.mp4"))
  assert len(files) == 12
  assert files == sorted(
    path.relative_to(video_folder) for path in video_folder.rglob("*.mp4")
  )
  (out / files[3]).unlink()
  done = transcode_folder(video_folder, out, how)
  assert done == (1, 11, {})


def test_folders_that_cannot_be_are_refused(tmp_path):
  root, how = tmp_path / "videos", Transcoding()
  root.mkdir()
  with pytest.raises(ValueError, match="holds no video"):
    transcode_folder(root, tmp_path / "out", how)
  with pytest.raises(ValueError, match="must not be in"):
    transcode_folder(root, root / "out", how)
  for name in ("a.avi", "a.webm"):
    (root / name).touch()
  with pytest.raises(ValueError, match=r"a.avi and a.webm would both be"):
    transcode_folder(root, tmp_path / "out", how)
  (root / "a.avi").unlink()
  done = transcode_folder(root, tmp_path / "out", how)
  assert list(done.bad) == ["a.webm"]
  assert done.written == 0
