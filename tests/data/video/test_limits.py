import subprocess
import sys

import av
import numpy as np
import pytest

from temporal_jax import data
from temporal_jax.data.tools.check import check_file
from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.flow import FlowFolder
from temporal_jax.data.video.pictures import MAX_PIXELS, VideoError
from temporal_jax.data.video.readers import open_reader
from temporal_jax.data.video.transcode import Transcoding, transcode
from tests.conftest import frame_numbers, make_frames
from tests.support import mp4_boxes, videos

TOO_LARGE = 10_000  # Squared, more than MAX_PIXELS.

# Checks a folder in a process of its own and prints by how many megabytes its
# largest size in memory has grown.
CHECK = """
import resource, sys
from temporal_jax.data.tools.check import check_folder
folder, out = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
def peak():
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
check = check_folder(
  folder, manifest=out + "/a.jsonl", bad=out + "/bad.txt", num_threads=1
)
print(len(check.rows), len(check.bad), peak() - before)
"""


def test_headers_that_ask_for_gigabytes_get_none(tmp_path):
  folder = tmp_path / "videos"
  folder.mkdir()
  for name, content in mp4_boxes.ATTACKS.items():
    (folder / f"{name}.mp4").write_bytes(content)
  large = videos.make_blank_png(TOO_LARGE, TOO_LARGE)
  growing = videos.make_packets(
    videos.make_blank_png(16, 16), large, codec="png", size=(16, 16)
  )
  (folder / "growing.mov").write_bytes(growing)
  # As many frames as a folder of the size of a small one could hold.
  thin = videos.make_packets(
    *400 * [videos.make_blank_png(1, 4096)], codec="png", size=(1, 4096)
  )
  (folder / "thin.mov").write_bytes(thin)
  done = subprocess.run(
    [sys.executable, "-c", CHECK, str(folder), str(tmp_path)],
    capture_output=True,
    text=True,
    check=True,
  )
  rows, bad, grown = map(int, done.stdout.split())
  assert (rows, bad) == (len(mp4_boxes.ATTACKS) + 2, len(mp4_boxes.ATTACKS) + 1)
  assert grown < 100


@pytest.mark.parametrize("name", mp4_boxes.ATTACKS)
def test_what_a_file_cannot_hold_is_said(name):
  with pytest.raises(VideoError, match=r"its header declares .* (cannot|at most)"):
    VideoReader(mp4_boxes.ATTACKS[name])


@pytest.mark.parametrize("more", range(4))
def test_a_table_that_goes_past_the_end(more):
  content = mp4_boxes.box("mdat", bytes(1000)) + mp4_boxes.movie(mp4_boxes.track())
  count = content.index(b"stsc") + 8
  content = content[:count] + (50).to_bytes(4) + content[count + 4 :] + bytes(more)
  with pytest.raises(VideoError):
    VideoReader(content)


def test_a_long_header_is_not_decompressed():
  header = mp4_boxes.movie(bytes(70_000_000))
  with pytest.raises(VideoError, match="at most 67,108,864 are read"):
    VideoReader(mp4_boxes.file(mp4_boxes.compressed(header)))


def test_sound_that_is_not_compressed_may_have_a_sample_for_two_bytes(tmp_path):
  path = tmp_path / "sound.mov"
  with av.open(str(path), "w") as container:
    pictures = container.add_stream("libx264", rate=30)
    pictures.height = pictures.width = 32
    sound = container.add_stream("pcm_s16le", rate=48_000, layout="mono")
    for array in make_frames(12):
      frame = av.VideoFrame.from_ndarray(array, "rgb24")
      container.mux(pictures.encode(frame))
    container.mux(pictures.encode())
    for start in range(0, 480_000, 48_000):
      frame = av.AudioFrame.from_ndarray(
        np.zeros((1, 48_000), np.int16), format="s16", layout="mono"
      )
      frame.sample_rate, frame.pts = 48_000, start
      container.mux(sound.encode(frame))
    container.mux(sound.encode())
  # One size for 480,000 samples, as the attacks have it.
  assert b"\0\0\0\x02\0\x07\x53\0" in path.read_bytes()
  with VideoReader(path) as reader:
    assert frame_numbers(reader.read(range(12))) == list(range(12))


def test_a_compressed_header_is_read():
  good = videos.make_video(make_frames(5), form="mov")
  begin = good.index(b"moov") - 4
  header = good[begin:]
  assert int.from_bytes(header[:4], "big") == len(header)
  video = good[:begin] + mp4_boxes.compressed(header)
  with VideoReader(video) as reader:
    assert frame_numbers(reader.read(range(5))) == list(range(5))


def _growing():
  large = videos.make_blank_png(TOO_LARGE, TOO_LARGE)
  return videos.make_packets(
    videos.make_blank_png(16, 16), large, codec="png", size=(16, 16)
  )


def test_frames_that_grow_are_refused(tmp_path):
  path = tmp_path / "growing.mov"
  path.write_bytes(_growing())
  message = f"a frame has more than {MAX_PIXELS:,} pixels"
  with VideoReader(path) as reader:
    assert reader.read([0]).shape == (1, 16, 16, 3)
    with pytest.raises(VideoError, match=message):
      reader.read([1])
    with pytest.raises(VideoError, match=message):
      list(reader.stream([0, 1]))
  assert message in check_file(tmp_path, "growing.mov")["error"]
  with pytest.raises(VideoError):
    transcode(path, tmp_path / "out.mp4", Transcoding())
  with data.LiveVideo(str(path)) as live:
    assert [frame.height for frame in live] == [16]
    assert live.lost == 1


def test_declared_sizes_are_refused(tmp_path):
  size = TOO_LARGE, TOO_LARGE
  large = videos.make_blank_png(*size)
  video = videos.make_packets(large, codec="png", size=size)
  (tmp_path / "large.mov").write_bytes(video)
  message = "the frames is unknown, or more than 67,108,864 pixels"
  for source in (video, tmp_path / "large.mov"):
    with pytest.raises(VideoError, match=message):
      VideoReader(source)
  with pytest.raises(VideoError, match=message):
    data.LiveVideo(str(tmp_path / "large.mov"))


def test_pictures_that_are_too_large_are_refused(tmp_path):
  content = videos.make_blank_png(TOO_LARGE, TOO_LARGE)
  for axis in "xy":
    (tmp_path / f"1_{axis}.png").write_bytes(content)
  flow = FlowFolder(str(tmp_path), "*_x.png", "*_y.png", stack=1)
  with (
    open_reader(flow) as reader,
    pytest.raises(VideoError, match=r"1_x.png: a frame has more than 67,108"),
  ):
    reader.pictures([0])


def test_short_sides_do_not_explode(tmp_path):
  """4096 x 1 pixels would be 917,504 x 224 pixels."""
  thin = videos.make_blank_png(1, 4096)
  (tmp_path / "1.png").write_bytes(thin)
  video = videos.make_packets(thin, codec="png", size=(1, 4096))
  message = "resized frames have 224 x 917504 pixels, more than 67,108"
  for source in (video, data.ImageFolder(str(tmp_path), "*.png")):
    with open_reader(source) as reader:
      assert reader.pictures([0])[0].shape == (1, 4096, 3)
      assert reader.pictures([0], short_side=8)[0].shape == (8, 32768, 3)
      with pytest.raises(VideoError, match=message):
        reader.pictures([0], short_side=224)
      with pytest.raises(VideoError, match="resized frames have 8193 x 8192"):
        reader.read_stretched([0], (8193, 8192))


def test_a_limit_of_frames_holds_for_a_file_whose_index_is_kept(tmp_path):
  # An AVI is decoded once to number its frames.
  path = tmp_path / "a.avi"
  path.write_bytes(
    videos.make_video(make_frames(9), codec="mpeg4", form="avi", options={"bf": "2"})
  )
  with VideoReader(str(path), max_frames=9) as reader:
    assert reader.num_frames == 9
  with pytest.raises(VideoError, match="there are over 8 frames"):
    VideoReader(str(path), max_frames=8)
