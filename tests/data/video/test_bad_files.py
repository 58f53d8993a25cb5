import collections
import re

import numpy as np
import pytest

from temporal_jax import data
from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.data.video.pictures import VideoError
from tests.conftest import make_frames
from tests.support.damaged_videos import KINDS, damage, good_videos
from tests.support.videos import Listed, make_picture, make_sound, make_video

GOOD = encode_mp4(make_frames(30), fps=10)
IN_FRONT = make_video(
  make_frames(30),
  options={"g": "1"},
  container_options={"movflags": "+faststart"},
)
# Nothing can be read from files damaged so.
HOPELESS = ("cut", "empty", "extension")


@pytest.mark.parametrize(
  ("video", "message"),
  [
    (b"", "empty"),
    (b"not a video at all" * 50, "it is damaged, or in no format that FFmpeg reads"),
    (GOOD[: len(GOOD) // 2], "cut off"),
    (IN_FRONT[: len(IN_FRONT) * 3 // 4], "cut off"),
    (make_sound(), "no video stream"),
    (make_sound(cover=True), "no video stream"),
    (make_picture(make_frames(1)[0]), "no video, or"),
    (
      b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n0.mp4\n#EXT-X-ENDLIST\n",
      "it is damaged, or in no format that FFmpeg reads",
    ),
    ("/nowhere/clip.mp4", "does not exist"),
    ("/", "names a folder"),
  ],
)
def test_bad_files_say_why(video, message):
  with pytest.raises(VideoError, match=message):
    VideoReader(video)


def test_noise_of_any_size_and_start_is_no_video():
  rng = np.random.default_rng(0)
  starts = (b"", b"RIFF\0\0\0\0AVI ", b"\x1aE\xdf\xa3", GOOD[:64], b"\0\0\1\xba")
  for start in starts:
    for size in (1, 100, 20_000):
      with (
        pytest.raises(VideoError) as error,
        VideoReader(start + rng.bytes(size)) as it,
      ):
        it.read([0])
      assert not re.search(r"[a-z]Error", str(error.value)), error.value


def test_empty_file_on_disk_says_so(tmp_path):
  path = tmp_path / "empty.mp4"
  path.touch()
  with pytest.raises(VideoError, match="empty"):
    VideoReader(path)


def _read_all(folder, count):
  """Reads damaged files as training does; returns how many of a kind fail."""
  videos = good_videos()
  for suffix, content in videos.items():
    with VideoReader(content) as reader:
      assert reader.num_frames == 24, suffix
  files = list(damage(videos, count, seed=0))
  for file in files:
    (folder / file.name).write_bytes(file.content)
  source = data.FileSource([(str(folder / f.name), 0) for f in files], ("any",))
  bad = data.BadVideos("mask", folder / "bad_videos.jsonl")
  protocol = data.EvalProtocol(num_frames=6, crop_size=16)
  videos = data.VideoOpener(source, bad)
  batches = data.eval_batches(videos, protocol, batch_size=5)
  shown = []
  for batch in batches:
    assert batch["clip"].shape == (5, 6, 16, 16, 3)
    shown += zip(batch["id"], batch["weight"], strict=True)
  named = bad.reasons()
  for file, (name, weight) in zip(files, shown, strict=True):
    assert name == str(folder / file.name)
    assert (weight == 0) == (name in named)
    if file.kind in HOPELESS:
      assert named[name], file.name
  lines = (folder / "bad_videos.jsonl").read_text().splitlines()
  assert len(lines) == len(named)
  return collections.Counter(f.kind for f in files if str(folder / f.name) in named)


def _resident_megabytes():
  with open("/proc/self/statm") as file:
    return int(file.read().split()[1]) * 4096 / 2**20


def test_damaged_files_are_named(tmp_path):
  failed = _read_all(tmp_path, 50)
  assert set(failed) == set(KINDS)


def test_videos_that_take_too_long_are_bad():
  source = Listed({"slow": GOOD})
  protocol = data.EvalProtocol(num_frames=6, crop_size=16)
  videos = data.VideoOpener(source, data.BadVideos("raise"), time_limit=1e-9)
  batches = data.eval_batches(videos, protocol, batch_size=1)
  with pytest.raises(data.BadVideoError, match="slow: reading takes more than"):
    list(batches)
  with pytest.raises(ValueError, match=r"positive time in s, got 0"):
    data.VideoOpener(source, data.BadVideos("raise"), time_limit=0)


def test_damage_is_repeatable():
  videos = {".mp4": GOOD, ".mov": IN_FRONT}
  files = list(damage(videos, 10, seed=1))
  assert files == list(damage(videos, 10, seed=1))
  assert files != list(damage(videos, 10, seed=2))


@pytest.mark.slow  # A thousand files.
def test_a_thousand_damaged_files_neither_crash_nor_leak(tmp_path):
  (tmp_path / "first").mkdir(), (tmp_path / "all").mkdir()
  _read_all(tmp_path / "first", 50)  # Modules are loaded once.
  before = _resident_megabytes()
  failed = _read_all(tmp_path / "all", 1000)
  assert _resident_megabytes() - before < 20
  assert min(failed["bits"], failed["header"]) > 100


@pytest.mark.slow  # A thousand videos.
def test_a_thousand_good_files_do_not_leak():
  def read():
    with VideoReader(GOOD) as reader:
      reader.pictures([3, 20], short_side=24)

  for _ in range(50):
    read()
  before = _resident_megabytes()
  for _ in range(1000):
    read()
  assert _resident_megabytes() - before < 20
