"""Frame n is the n-th that a decoder returns, whatever the container has."""

import io
import json
import struct

import av
import numpy as np
import pytest

from temporal_jax.data.tools.check import check_folder
from temporal_jax.data.video.decoded_frames import DecodedIndex
from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.index_cache import IndexCache, keep_indices, path_key
from temporal_jax.data.video.manifest import read_index, write_index
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.video.timed_frames import TimedIndex
from tests.support.videos import (
  MPEG,
  copy_packets,
  decode_in_order,
  make_video,
  pack_b_frames,
)

COUNT = 30
# Options of x264: fixed places of keyframes and B-frames.
H264 = {"g": "8", "b_strategy": "0", "sc_threshold": "0"}
X265 = "log-level=none:pools=none:frame-threads=1:keyint=8:scenecut=0:b-adapt=0"
HIDDEN = {"auto-alt-ref": "1", "lag-in-frames": "12", "g": "12"}
UNEVEN = np.cumsum([0, 1, 5, 1, 1, 9, 2, 1, 1, 30] + 20 * [2])


def _layouts():
  """Yields the name of a layout and the arguments of `make_video`."""

  def codec(name, forms, settings):
    for form in forms.split():
      for b_frames in (0, 2):
        options = settings(b_frames)
        yield (
          f"{name} {form}, {b_frames} B-frames",
          {"codec": name, "form": form, "options": options},
        )

  yield from codec(
    "libx264",
    "mp4 mov matroska avi asf mpegts mpeg vob flv 3gp h264",
    lambda b: H264 | {"bf": str(b)},
  )
  yield from codec(
    "libx265",
    "mp4 matroska mpegts mpeg hevc",
    lambda b: {"x265-params": f"{X265}:bframes={b}"},
  )
  yield from codec(
    "mpeg4",
    "mp4 mov matroska avi asf mpegts m4v",
    lambda b: MPEG | {"bf": str(b)},
  )
  for name in ("mpeg1video", "mpeg2video"):
    yield from codec(
      name, f"mpeg mpegts avi matroska {name}", lambda b: MPEG | {"bf": str(b)}
    )
  for form in ("mp4", "matroska", "flv", "mpegts"):
    yield (
      f"libx264 {form}, uneven times",
      {"form": form, "options": H264 | {"bf": "2"}, "times": UNEVEN},
    )
  for name, form, pixels, options in (
    ("msmpeg4", "avi", "yuv420p", {}),
    ("wmv2", "asf", "yuv420p", {}),
    ("flv", "flv", "yuv420p", {}),
    ("mjpeg", "avi", "yuvj420p", {}),
    ("ffv1", "matroska", "yuv420p", {}),
    ("huffyuv", "avi", "yuv422p", {}),
    ("rawvideo", "avi", "yuv420p", {}),
    ("png", "mov", "rgb24", {}),
    ("prores_ks", "mov", "yuv422p10le", {}),
    ("libvpx", "webm", "yuv420p", HIDDEN),
    ("libvpx", "ogg", "yuv420p", HIDDEN),
    ("libvpx-vp9", "mp4", "yuv420p", HIDDEN),
    ("libvpx-vp9", "ivf", "yuv420p", HIDDEN),
    ("gif", "gif", "rgb8", {}),
  ):
    yield (
      f"{name} {form}",
      {"codec": name, "form": form, "pixels": pixels, "options": options},
    )


LAYOUTS = dict(_layouts())


@pytest.fixture(scope="module")
def frames():
  """Noisy frames (COUNT, 64, 64, 3), so that every one is another."""
  rng = np.random.default_rng(0)
  steps = np.linspace(30, 220, COUNT)[:, None, None, None]
  noise = rng.integers(-8, 9, (COUNT, 64, 64, 3))
  return (steps + noise).astype(np.uint8)


def assert_exact(video, want):
  """Compares random, strided and sequential reading with the right frames."""
  with VideoReader(video) as reader:
    assert reader.num_frames == len(want)
    assert sorted(set(reader.times)) == reader.times
    order = np.random.default_rng(1).permutation(len(want)).tolist()
    for number in order[:8]:
      np.testing.assert_array_equal(reader.read([number])[0], want[number])
    for numbers in (order[:9], range(2, len(want), 7), range(len(want))):
      for number, got in zip(numbers, reader.read(numbers), strict=True):
        np.testing.assert_array_equal(got, want[number], f"frame {number}")
    for number, got in enumerate(reader.stream(range(len(want)))):
      np.testing.assert_array_equal(got, want[number], f"frame {number}")


def test_there_are_layouts_of_every_kind():
  assert len(LAYOUTS) >= 60


@pytest.mark.parametrize("layout", LAYOUTS)
def test_frames_are_those_of_the_decoder(layout, frames, tmp_path):
  video = make_video(frames, **LAYOUTS[layout])
  path = tmp_path / "video"
  path.write_bytes(video)
  want = decode_in_order(video)
  assert_exact(video, want)
  assert_exact(path, want)


@pytest.mark.parametrize("form", ["avi", "mp4", "mov", "matroska"])
def test_packed_b_frames(form, frames):
  video = pack_b_frames(frames)
  if form != "avi":
    video = copy_packets(video, form)
  want = decode_in_order(video)
  shown = [frame.mean() for frame in want]
  assert shown == sorted(shown)  # They brighten.
  assert_exact(video, want)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
@pytest.mark.parametrize("form", ["mp4", "mov", "matroska", "mpegts", "asf"])
def test_files_copied_from_avi(codec, form, frames):
  options = {"libx264": H264, "mpeg4": MPEG}[codec] | {"bf": "2"}
  avi = make_video(frames, codec=codec, form="avi", options=options)
  video = copy_packets(avi, form)
  assert_exact(video, decode_in_order(video))


@pytest.mark.parametrize("form", ["mpegts", "mpeg"])
@pytest.mark.parametrize("later", [0, 500])
def test_joined_streams_whose_times_begin_anew(form, later, frames):
  codec, options = {
    "mpegts": ("libx264", H264),
    "mpeg": ("mpeg2video", MPEG),
  }[form]
  how = {"codec": codec, "form": form, "options": options | {"bf": "2"}}
  first = make_video(frames, times=np.arange(COUNT) + later, **how)
  video = first + make_video(frames[::-1], **how)
  want = decode_in_order(video)
  assert len(want) == 2 * COUNT
  assert_exact(video, want)


@pytest.mark.parametrize(
  ("form", "codec", "index"),
  [
    ("mp4", "libx264", TimedIndex),
    ("matroska", "libx264", TimedIndex),
    ("avi", "mpeg4", DecodedIndex),
  ],
)
def test_only_files_without_times_are_decoded_to_index_them(form, codec, index, frames):
  options = H264 if codec == "libx264" else MPEG
  for b_frames, kind in (("0", TimedIndex), ("2", index)):
    how = {"codec": codec, "form": form, "options": options | {"bf": b_frames}}
    video = make_video(frames, **how)
    with av.open(io.BytesIO(video)) as container:
      decoded = enumerate(container.decode(video=0))
      keyframes = [number for number, frame in decoded if frame.key_frame]
    assert len(keyframes) > 2
    with VideoReader(video) as reader:
      assert type(reader.index) is kind
      assert reader.fps == 30
      assert reader.keyframes == keyframes
      np.testing.assert_allclose(reader.times, np.arange(COUNT) / 30, atol=1e-3)


def test_a_file_is_decoded_once_to_index_it(frames, tmp_path, monkeypatch):
  path = tmp_path / "a.avi"
  options = MPEG | {"bf": "2"}
  path.write_bytes(make_video(frames, codec="mpeg4", form="avi"))
  with VideoReader(path) as reader:
    assert isinstance(reader.index, TimedIndex)
  path.write_bytes(make_video(frames[:20], codec="mpeg4", form="avi", options=options))
  for source in (path, path.read_bytes()):
    with VideoReader(source) as reader:  # A file that changed is another file.
      assert reader.num_frames == 20
      want = reader.read(range(20))
  monkeypatch.setattr(
    "temporal_jax.data.video.decoding.index_by_decoding",
    lambda *arguments: pytest.fail("decoded again"),
  )
  for source in (path, path.read_bytes()):
    with VideoReader(source) as reader:
      np.testing.assert_array_equal(reader.read(range(20)), want)


def test_a_manifest_keeps_what_decoding_found(frames, tmp_path, monkeypatch):
  cache = IndexCache()
  monkeypatch.setattr("temporal_jax.data.video.index_cache.CACHE", cache)
  manifest = tmp_path / "m.jsonl"
  root = tmp_path / "videos"
  root.mkdir()
  options = MPEG | {"bf": "2"}
  video = make_video(frames, codec="mpeg4", form="avi", options=options)
  (root / "a.avi").write_bytes(video)
  (root / "b.mp4").write_bytes(make_video(frames))
  found = check_folder(root, manifest=manifest, bad=tmp_path / "bad.txt")
  assert not found.bad
  assert found.rows["b.mp4"]["index"] is None
  index = read_index(found.rows["a.avi"]["index"])
  with VideoReader(video) as reader:
    assert write_index(index) == write_index(reader.index)
  for place in (root, root / "list.csv"):
    assert keep_indices(manifest, place) == 1
  kept = cache.get(path_key(str(root / "a.avi")))
  assert write_index(kept) == write_index(index)
  with pytest.raises(FileNotFoundError, match=r"manifest .* does not exist"):
    keep_indices(tmp_path / "other.jsonl", root)
  lines = manifest.read_text().splitlines()
  row = json.loads(lines[0])
  row["index"]["packets"] = row["index"]["packets"][1:]
  manifest.write_text("\n".join((json.dumps(row), *lines[1:], "")))
  with pytest.raises(ValueError, match=r"a\.avi: no index of frames: 30 times"):
    keep_indices(manifest, root)


def test_the_cache_forgets_what_was_not_used(frames):
  video = pack_b_frames(frames)
  with VideoReader(video) as reader:
    index = reader.index
  cache = IndexCache(most_frames=2 * COUNT)
  for key in (0, 1, 0, 2, 2):
    if cache.get(key) is None:
      cache.put(key, index)
  assert [cache.get(key) is index for key in (0, 1, 2)] == [True, False, True]


def test_damage_is_not_taken_for_disorder(frames):
  how = {"codec": "libx264", "options": H264 | {"bf": "2"}}
  video = bytearray(make_video(frames, **how))
  with av.open(io.BytesIO(bytes(video))) as container:
    packets = [p for p in container.demux(video=0) if p.size]
    place, size = packets[9].pos + 6, packets[9].size - 6
  video[place : place + size] = b"\xa5" * size
  want = decode_in_order(make_video(frames, **how))
  with VideoReader(bytes(video)) as reader:
    for _ in range(2):  # The reader goes on after an error.
      with pytest.raises(VideoError, match=r"cannot be decoded|it is damaged"):
        reader.read(range(COUNT))
      np.testing.assert_array_equal(reader.read([3])[0], want[3])
    assert isinstance(reader.index, TimedIndex)


@pytest.mark.parametrize("declared", [0, 4, 0xFFFFFFFF])
@pytest.mark.parametrize("part", ["file", "frames", "index missing"])
def test_avi_of_a_recorder_that_was_killed(declared, part, frames):
  video = make_video(frames, codec="mpeg4", form="avi", options=MPEG)
  size = struct.pack("<I", declared)
  broken = bytearray(video)
  broken[4:8] = size
  if part != "file":
    place = video.index(b"movi") - 4
    broken[place : place + 4] = size
  if part == "index missing":
    del broken[video.rindex(b"idx1") :]
  assert_exact(bytes(broken), decode_in_order(video))


def test_avi_that_declares_too_much(frames):
  video = make_video(frames, codec="mpeg4", form="avi", options=MPEG)
  longer = struct.pack("<I", len(video) + 1000)
  assert_exact(video[:4] + longer + video[8:], decode_in_order(video))
  with pytest.raises(VideoError, match=r"cut off: \d+ of at least \d+ bytes"):
    VideoReader(video[: len(video) // 2])


@pytest.mark.parametrize("place", ["end", "middle"])
def test_zeros_in_transport_streams_are_passed_over(place, frames):
  how = {"form": "mpegts", "options": H264 | {"bf": "2"}}
  first = make_video(frames, **how)
  second = make_video(frames, times=np.arange(COUNT) + COUNT, **how)
  zeros = bytes(1 << 20)
  video = first + zeros + (second if place == "middle" else b"")
  want = decode_in_order(first)
  if place == "middle":
    want = decode_in_order(first + second)
  assert_exact(video, want)
