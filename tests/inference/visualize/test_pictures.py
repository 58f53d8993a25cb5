import matplotlib.image
import numpy as np
import pytest

from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.data.video.readers import open_reader
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.data.views.read_views import read_views
from temporal_jax.inference.visualize import Row, save_overlay, save_strip
from temporal_jax.inference.visualize.class_label import Target, find_target
from temporal_jax.inference.visualize.heat_colors import paint, resize_maps
from temporal_jax.inference.visualize.overlay import maps_between
from temporal_jax.inference.visualize.read_clip import read_clip, read_frames
from tests.support.visualized_networks import RESNET, make_clip, make_named

PROTOCOL = EvalProtocol(num_frames=3, crop_size=17, short_side=20)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
  file = tmp_path_factory.mktemp("video") / "clip.mp4"
  frames = np.repeat(make_clip(shape=(40, 3, 4, 3)), 8, axis=1)
  file.write_bytes(encode_mp4(np.repeat(frames, 8, axis=2), fps=10))
  return str(file)


def test_heat_turns_frames_grey_and_colours_what_is_hot():
  frames = np.full((1, 8, 8, 3), (200, 20, 20), np.uint8)
  maps = np.zeros((1, 2, 2))
  maps[0, 0, 0] = 1
  got = paint(frames, maps).astype(int)
  assert got.shape == frames.shape
  assert (got[0, 0, 0] - got[0, 7, 7]).min() > 50  # Hot is brighter.
  assert np.ptp(got[0, 7, 7]) < 5  # Cold is grey.


def test_maps_are_resized_between_the_middles_of_their_places():
  got = resize_maps(np.array([[[0.0, 1.0]]]), (1, 4))
  np.testing.assert_allclose(got[0, 0], [0, 0.25, 0.75, 1])


def test_maps_are_interpolated_in_time():
  maps = np.array([0.0, 7.0, 1.0, 0.0])[:, None, None]
  got = maps_between(maps, np.array([4, 4, 6, 10]), np.arange(4, 11))
  want = [0, 0.5, 1, 0.75, 0.5, 0.25, 0]
  np.testing.assert_allclose(got[:, 0, 0], want)


def test_frames_are_those_of_the_view(video):
  for protocol in (
    PROTOCOL,
    EvalProtocol(num_frames=3, crop_size=16, stretch=(20, 24)),
  ):
    with open_reader(video) as reader:
      clip = read_clip(reader, protocol)
      frames = read_frames(reader, protocol, clip.indices)
      want = read_views(reader, protocol)[0]
    np.testing.assert_array_equal(clip.frames, want)
    np.testing.assert_array_equal(frames, want)
    assert clip.times == tuple(f"{i / 10:.2f} s" for i in clip.indices)


def test_overlay_shows_all_frames_between(video, tmp_path):
  file = tmp_path / "out.mp4"
  indices = np.array([2, 20, 38])
  maps = np.zeros((3, 2, 2))
  maps[1] = 1
  with open_reader(video) as reader:
    count = save_overlay(file, reader, PROTOCOL, indices, [maps, 1 - maps])
  with VideoReader(file) as got:
    assert (got.num_frames, got.fps) == (37, 10)
    frames = got.read(range(37)).astype(int)
  assert count == 37
  assert frames.shape[1:3] == (18, 52)  # 17 x 3 times 17, made even.
  hot = frames[18, :17, 17:34].mean(), frames[18, :17, 34:51].mean()
  cold = frames[0, :17, 17:34].mean(), frames[0, :17, 34:51].mean()
  assert hot[0] > cold[0] + 50
  assert cold[1] > hot[1] + 50


def test_a_video_of_maps_appears_whole_or_not_at_all(video, tmp_path, monkeypatch):
  file = tmp_path / "out.mp4"
  file.write_bytes(b"before")

  def paint(frames, maps):
    assert file.read_bytes() == b"before"
    raise RuntimeError("no more")

  monkeypatch.setattr("temporal_jax.inference.visualize.overlay.paint", paint)
  maps = np.zeros((2, 2, 2))
  with open_reader(video) as reader, pytest.raises(RuntimeError, match="no more"):
    save_overlay(file, reader, PROTOCOL, np.array([0, 39]), [maps])
  assert file.read_bytes() == b"before"
  assert list(tmp_path.iterdir()) == [file]


def test_strip_is_as_wide_as_its_frames_need(tmp_path):
  frames = make_clip(shape=(10, 8, 8, 3))
  maps = np.linspace(0, 1, 40).reshape(10, 2, 2)
  points = np.full((10, 2, 2), np.nan)
  points[3] = 0.5
  times = [f"{i} s" for i in range(10)]
  sizes = []
  for count in (2, 4):
    rows = [Row("frames", frames, times), Row("heat", frames, (), maps, points)]
    file = tmp_path / "strip.png"
    save_strip(file, rows, title="clip", unit="heat", frames_shown=count)
    sizes.append(matplotlib.image.imread(file).shape[:2])
  (height, narrow), (same, wide) = sizes
  assert height == same
  assert wide - narrow == 2 * 165  # 1.5 inches per frame.
  with pytest.raises(ValueError, match="nothing to draw"):
    save_strip(tmp_path / "none.png", [], title="", unit="")


def test_classes_are_found_by_name():
  saved = make_named("resnet18", **RESNET)
  assert find_target(saved, "waving") == Target(None, 1)
  with pytest.raises(ValueError, match=r"'wafing' of .*; did you mean 'waving'"):
    find_target(saved, "wafing")
  tasks = {"verb": ("take", "put"), "noun": ("cup", "take")}
  saved = saved._replace(class_names=tasks)
  assert find_target(saved, "noun:take") == Target("noun", 1)
  with pytest.raises(ValueError, match=r"did you mean 'verb:take' or "):
    find_target(saved, "take")
  saved = saved._replace(class_names=())
  assert find_target(saved, "2") == Target(None, 2)
  with pytest.raises(ValueError, match=r"Known: \['0', '1', '2'"):
    find_target(saved, "waving")
