import numpy as np
import pytest

from temporal_jax import data
from temporal_jax.data.video.flow import FlowFolder
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.video.readers import num_channels, open_reader
from tests.support.videos import Listed, make_picture


def _write(folder, pairs, x="%05d_x.jpg", y="%05d_y.jpg", first=1):
  """Pair p (from 0) is 10 p horizontally, 10 p + 5 vertically."""
  for pair in range(pairs):
    for name, value in ((x, 10 * pair), (y, 10 * pair + 5)):
      picture = make_picture(np.full((20, 30), value, np.uint8))
      (folder / (name % (pair + first))).write_bytes(picture)


def _values(frame):
  """Returns the value of each channel, which must be the same everywhere."""
  values = frame[0, 0]
  np.testing.assert_array_equal(frame, np.broadcast_to(values, frame.shape))
  return values.tolist()


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
  ("x", "y"), [("%05d_x.jpg", "%05d_y.jpg"), ("flow_x_%d.jpg", "flow_y_%d.jpg")]
)
def test_five_pairs_make_a_frame(tmp_path, x, y, first):
  _write(tmp_path, 8, x, y, first)
  patterns = [name.replace("%05d", "*").replace("%d", "*") for name in (x, y)]
  flow = FlowFolder(str(tmp_path), *patterns)
  assert num_channels(flow) == 10
  with open_reader(flow) as reader:
    assert reader.num_frames == 4  # The last is pairs 3 to 7.
    first, again = reader.pictures([3, 0], short_side=10)
    stretched, size = reader.read_stretched([0, 3, 3], (8, 6))
    with pytest.raises(IndexError, match=r"\[4\]"):
      reader.pictures([4])
  assert first.shape == (10, 15, 10)
  assert _values(first) == [30, 35, 40, 45, 50, 55, 60, 65, 70, 75]
  assert _values(again) == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]
  assert (stretched.shape, size) == ((3, 8, 6, 10), (20, 30))
  assert _values(stretched[2]) == _values(first)


def test_too_few_pairs_repeat_the_last(tmp_path):
  _write(tmp_path, 3)
  with open_reader(FlowFolder(str(tmp_path))) as reader:
    assert reader.num_frames == 1
    (frame,) = reader.pictures([0])
  assert _values(frame) == [0, 5, 10, 15, 20, 25, 20, 25, 20, 25]


def test_missing_parts_are_named(tmp_path):
  _write(tmp_path, 6)
  (tmp_path / "00006_y.jpg").unlink()
  with pytest.raises(VideoError, match=r"6 pictures \*_x.jpg, 5 \*_y.jpg"):
    open_reader(FlowFolder(str(tmp_path)))
  with pytest.raises(VideoError, match=r"\*_y.jpg from 1 to 6 .* \[6\]"):
    open_reader(FlowFolder(str(tmp_path), num_pairs=6))
  with pytest.raises(ValueError, match="stack"):
    FlowFolder(str(tmp_path), stack=0)
  with pytest.raises(ValueError, match=r"one \*"):
    FlowFolder(str(tmp_path), x="x.jpg")


def test_batches_of_flow_have_its_channels(tmp_path):
  _write(tmp_path, 9)
  good, missing = (
    FlowFolder(str(folder)) for folder in (tmp_path, tmp_path / "nowhere")
  )
  source = Listed({"good": good, "missing": missing})
  protocol = data.EvalProtocol(num_frames=2, crop_size=16)
  bad = data.BadVideos("mask")
  (batch,) = data.eval_batches(data.VideoOpener(source, bad), protocol, batch_size=3)
  np.testing.assert_array_equal(batch["weight"], [1, 0, 0])
  assert batch["clip"].shape == (3, 2, 16, 16, 10)
  assert _values(batch["clip"][0, 1])[0] == 30
  assert list(bad.reasons()) == ["missing"]


@pytest.mark.parametrize("frames", ["", "*_x.jpg,*_y.jpg"])
def test_sources_of_flow(tmp_path, frames):
  for name in ("left/1", "left/2", "right/3", "right/4"):
    (tmp_path / name).mkdir(parents=True)
    _write(tmp_path / name, 6)
  given = {"name": "", "data_dir": "", "splits": {"train": "", "test": ""}}
  given |= {"root": str(tmp_path), "test_fraction": 0.5, "frames": frames}
  sources = data.open_sources(**given, flow=2)
  video = sources["train"][0]["video"]
  assert video == FlowFolder(sources["train"][0]["id"], stack=2)
  assert num_channels(video) == 4
  assert len(sources["train"]) == len(sources["test"]) == 2
  with pytest.raises(ValueError, match=r"two patterns, x first.*got '\*_x.jpg'"):
    data.open_sources(**{**given, "frames": "*_x.jpg"}, flow=2)
  with pytest.raises(ValueError, match=r"data.flow 2 is for folders"):
    data.open_sources(**{**given, "root": "", "name": "camera_motion"}, flow=2)


def test_annotated_folders_of_flow(tmp_path):
  (tmp_path / "something-something-v1-labels.csv").write_text("Left\nRight\n")
  for split in ("train", "validation"):
    file = tmp_path / f"something-something-v1-{split}.csv"
    file.write_text("7;Right\n")
  given = {"name": "", "data_dir": "", "splits": {"train": "", "test": ""}}
  sources = data.open_sources(
    **given,
    root=str(tmp_path),
    annotations="ssv1",
    videos="flow",
    frames="x/*.png,y/*.png",
    flow=5,
    test_fraction=0.0,
  )
  assert sources["test"][0] == {
    "id": "7",
    "label": 1,
    "video": FlowFolder("flow/7", "x/*.png", "y/*.png"),
  }
