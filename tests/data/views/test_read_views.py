import dataclasses
import json

import numpy as np
import pytest

from temporal_jax.data import VideoReader
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.data.views import read_views
from temporal_jax.data.views.eval_protocol import (
  CROP_RULES,
  NUM_CROPS,
  EvalProtocol,
  check_mirrored,
)


def places(*args):
  return [tuple(place) for place in read_views.crop_places(*args)]


@pytest.mark.parametrize(
  ("rule", "want"),
  [
    # A frame of 256 x 341 pixels: 32 and 117 more than the crop.
    ("exact", [(16, 0), (16, 58), (16, 117)]),
    ("rounded_up", [(16, 0), (16, 59), (16, 117)]),
    ("halves", [(16, 0), (16, 116), (16, 58)]),
    ("quarters", [(16, 0), (16, 116), (16, 58)]),
  ],
)
def test_three_crops_lie_along_the_longer_side(rule, want):
  assert [place[:2] for place in places(256, 341, 224, 3, rule)] == want
  turned = places(341, 256, 224, 3, rule)
  if rule == "quarters":  # Always from left to right.
    assert [place[:2] for place in turned] == [(58, 0), (58, 32), (58, 16)]
  else:
    assert [place[1::-1] for place in turned] == want


def test_stretched_something_something_crops_as_published():
  # 256 x 320: x = 0, 4 s, 2 s of s = 96 // 4, y = 2 (32 // 4).
  got = places(256, 320, 224, 3, "quarters")
  assert [place[:2] for place in got] == [(16, 0), (16, 96), (16, 48)]


@pytest.mark.parametrize("rule", CROP_RULES)
def test_one_crop_is_the_middle_and_ten_are_corners_middle_and_mirrored(rule):
  (one,) = places(40, 60, 32, 1, rule)
  assert one == (4, 14, False)
  ten = places(40, 60, 32, 10, rule)
  assert [place[2] for place in ten] == [False, True] * 5
  want = [(0, 0), (0, 28), (8, 0), (8, 28), (4, 14)]
  assert [place[:2] for place in ten[::2]] == want
  assert [place[:2] for place in ten[1::2]] == want


def test_one_view_of_a_file_is_its_middle():
  rng = np.random.default_rng(0)
  video = rng.integers(0, 256, (10, 32, 48, 3), np.uint8)
  with VideoReader(encode_mp4(video, fps=10)) as reader:
    got = read_views.read_views(
      reader, EvalProtocol(num_frames=2, crop_size=16, short_side=24)
    )
    # The middles of two halves; 24 x 36 pixels.
    frames = reader.read([2, 7], short_side=24)
  np.testing.assert_array_equal(got, frames[None, :, 4:20, 10:26])


@pytest.mark.parametrize(
  ("num_crops", "rule", "words"),
  [(7, "exact", r"num_crops .*\[1, 3, 10\], got 7"), (3, "exct", "rule .*'quarters'")],
)
def test_unknown_crops_are_refused(num_crops, rule, words):
  with pytest.raises(ValueError, match=words):
    read_views.crop_places(10, 20, 8, num_crops, rule)


def test_small_frames_are_refused():
  with pytest.raises(ValueError, match="does not fit frames of 6 x 8"):
    read_views.crop_places(6, 8, 7, 1, "exact")


class Reader:
  """Frames that tell their number, row and column."""

  num_frames = 40

  def __init__(self, sizes=((12, 16),)):
    self.sizes = sizes
    self.asked = []

  def pictures(self, indices, *, short_side=None):
    self.asked += indices
    scale = (short_side or 12) / 12
    return [
      self._frame(index, round(height * scale), round(width * scale))
      for place, index in enumerate(indices)
      for height, width in [self.sizes[place % len(self.sizes)]]
    ]

  def read_stretched(self, indices, canvas):
    self.asked += indices
    return np.stack([self._frame(i, *canvas) for i in indices]), (12, 16)

  def _frame(self, index, height, width):
    rows, columns = np.indices((height, width))
    return np.stack([np.full_like(rows, index), rows, columns], -1).astype(np.uint8)


def protocol(**changes):
  return EvalProtocol(**({"num_frames": 4, "crop_size": 8} | changes))


def test_all_crops_of_a_clip_then_those_of_the_next():
  reader = Reader()
  got = read_views.read_views(
    reader,
    protocol(num_clips=2, num_crops=3, sampling="rounded_segments"),
  )
  assert got.shape == (6, 4, 8, 8, 3)
  assert got.dtype == np.uint8
  for view, (frames, left) in enumerate(
    (frames, left)
    for frames in ([0, 10, 20, 30], [9, 19, 29, 39])
    for left in (0, 4, 8)
  ):
    assert got[view, :, 0, 0, 0].tolist() == frames
    assert got[view, 0, 0, 0].tolist() == [frames[0], 2, left]
    assert got[view, 0, -1, -1].tolist() == [frames[0], 9, left + 7]


def test_a_frame_that_several_clips_show_is_decoded_once():
  reader = Reader()
  read_views.read_views(reader, protocol(num_clips=3, sampling="dense(stride=1)"))
  assert len(reader.asked) == len(set(reader.asked))


def test_mirrored_crops_run_from_right_to_left():
  got = read_views.read_views(Reader(), protocol(num_crops=10))
  np.testing.assert_array_equal(got[1::2], got[::2, :, :, ::-1])
  assert got[0, 0, 0, 0, 2] == 0
  assert got[1, 0, 0, 0, 2] == 7


@pytest.mark.parametrize(
  ("changes", "corner"),
  [({"short_side": 24}, (8, 12)), ({"stretch": (10, 10)}, (1, 1))],
)
def test_frames_are_resized_before_the_crop(changes, corner):
  got = read_views.read_views(Reader(), protocol(**changes))
  assert tuple(got[0, 0, 0, 0, 1:]) == corner


def test_a_part_of_a_video_is_a_video_of_its_own():
  got = read_views.read_views(Reader(), protocol(), span=(30, 4))
  assert got[0, :, 0, 0, 0].tolist() == [30, 31, 32, 33]


def test_flow_is_not_mirrored():
  reader = Reader()
  reader.pictures = lambda indices, **_: [np.zeros((12, 16, 2))] * len(indices)
  assert read_views.read_views(reader, protocol(num_crops=3)).shape[-1] == 2
  with pytest.raises(ValueError, match="which flow cannot be"):
    read_views.read_views(reader, protocol(num_crops=10))


def test_frames_of_two_sizes_are_refused():
  with pytest.raises(ValueError, match="differ in size"):
    read_views.read_views(Reader(((12, 16), (12, 18))), protocol())


def test_a_protocol_survives_json():
  one = protocol(num_clips=4, num_crops=3, stretch=(16, 20), fusion="logits")
  record = json.loads(json.dumps(dataclasses.asdict(one)))
  assert EvalProtocol(**record) == one
  assert hash(EvalProtocol(**record)) == hash(one)


def test_a_protocol_describes_itself():
  words = protocol(
    num_clips=4, num_crops=3, short_side=9, sampling="dense", stride=2
  ).describe()
  assert words == (
    "4 x 3 views (clips x crops) of 4 frames by dense(stride=2), 8 x 8 pixels "
    "of a short side of 9 (exact), mean of softmax"
  )
  assert protocol(num_clips=4, num_crops=3).num_views == 12
  words = protocol(sampling="dense(short='loop')", stride=3).describe()
  assert "4 frames by dense(stride=3, short='loop'), 8 x 8" in words


@pytest.mark.parametrize(
  ("changes", "message"),
  [
    ({"num_clips": 0}, "num_clips must be an integer of at least 1"),
    ({"num_crops": 5}, "num_crops must be one of"),
    ({"num_frames": 0}, "num_frames must be at least 1"),
    ({"crop_size": 0}, "crop_size must be"),
    ({"short_side": 7}, "short_side must be an integer of at least 8"),
    ({"stretch": (16, 7)}, "stretch must be an integer of at least 8"),
    ({"stretch": (16,)}, r"stretch must be \(height, width\)"),
    ({"stretch": (16, 20), "short_side": 16}, "not both"),
    ({"crop_rule": "thirds"}, "crop_rule must be one of"),
    ({"fusion": "max"}, "fusion must be one of"),
    ({"sampling": "often"}, "unknown sampling .often"),
    (
      {"sampling": "rounded_segments('borders')", "num_clips": 4},
      "has up to 3 clips, got 4",
    ),
    ({"sampling": "tsm_segments", "num_clips": 3}, "have 1 clip, or 2"),
  ],
)
def test_impossible_protocols_are_refused(changes, message):
  with pytest.raises(ValueError, match=message):
    protocol(**changes)


def test_mirrored_views_of_left_and_right_are_refused():
  names = ("Pulling from left to right", "Holding something")
  with pytest.raises(ValueError, match="Pulling from left to right"):
    check_mirrored(protocol(num_crops=10), names)
  check_mirrored(protocol(num_crops=10), names[1:])
  check_mirrored(protocol(num_crops=3), names)
  with pytest.raises(ValueError, match="turn left"):
    check_mirrored(protocol(num_crops=10), {"verb": ("go", "turn left")})


def test_every_rule_has_places():
  for rule in CROP_RULES:
    for count in NUM_CROPS:
      assert len(places(20, 30, 8, count, rule)) == count
