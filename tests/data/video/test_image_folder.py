import io

import numpy as np
import PIL.Image
import pytest

from temporal_jax import data
from temporal_jax.data.sources import FileSource
from temporal_jax.data.video.image_folder import ImageFolder, ImageFolderReader
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.video.readers import open_reader
from tests.conftest import frame_numbers, make_frames
from tests.support.videos import Listed, make_picture


def _write(folder, name, *, first=1, count=8, size=32):
  for number, frame in enumerate(make_frames(count, size=size), first):
    path = folder / (name % number)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(make_picture(frame, {"jpg": "jpeg"}.get(name[-3:], "png")))


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
  ("name", "pattern"),
  [
    ("%05d.jpg", "*.jpg"),
    ("%06d.jpg", "*.jpg"),
    ("img_%d.png", "img_*.png"),
    ("rgb/%05d.jpg", "rgb/*.jpg"),
  ],
)
def test_numbered_pictures_are_frames(tmp_path, name, pattern, first):
  _write(tmp_path, name, first=first)
  (tmp_path / "thumb.jpg").write_bytes(b"")
  with open_reader(ImageFolder(str(tmp_path), pattern, fps=12.0)) as reader:
    assert (reader.num_frames, reader.fps) == (8, 12.0)
    for wanted in ([0], [7], [6, 2, 2]):
      assert frame_numbers(np.stack(reader.pictures(wanted))) == wanted


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
  "name",
  [
    "img_%05d.jpg",
    "frame%04d.png",
    "%06d.jpg",
    "%d.PNG",
    "IMG-%d.JPG",
    "v1_c02_frame%03d_small.jpg",
    "%05d_x.png",
    "a.b %d.jpg",
  ],
)
def test_one_numbered_pattern_is_found(tmp_path, name, first):
  form = "jpeg" if name.lower().endswith("jpg") else "png"
  for number, frame in enumerate(make_frames(11), first):
    (tmp_path / (name % number)).write_bytes(make_picture(frame, form))
  for other in ("._0001.jpg", "Thumbs.db", "cover.jpg", "notes_1.txt"):
    (tmp_path / other).touch()
  with open_reader(str(tmp_path)) as reader:
    assert reader.num_frames == 11
    wanted = [0, 10, 9]  # 10 comes after 9, not after 1.
    assert frame_numbers(np.stack(reader.pictures(wanted))) == wanted


def test_several_patterns_are_named_with_their_counts(tmp_path):
  for count, name in ((3, "flow_x_%d.jpg"), (2, "flow_y_%d.jpg")):
    _write(tmp_path, name, count=count)
  message = r"2 patterns, flow_x_\*.jpg \(3\), flow_y_\*.jpg \(2\); set config"
  with pytest.raises(VideoError, match=message):
    open_reader(str(tmp_path))
  with open_reader(ImageFolder(str(tmp_path), "flow_y_*.jpg")) as reader:
    assert reader.num_frames == 2
  source = FileSource([(str(tmp_path), 0)], ("a",), frames="flow_x_*.jpg")
  with open_reader(source[0]["video"]) as reader:
    assert reader.num_frames == 3


def test_listed_frames_are_a_part_of_the_folder(tmp_path):
  _write(tmp_path, "%05d.jpg", first=0)
  images = ImageFolder(str(tmp_path), first=2, num_frames=5)
  with open_reader(images) as reader:
    assert reader.num_frames == 5
    assert frame_numbers(np.stack(reader.pictures([0, 4]))) == [2, 6]


def test_pictures_are_as_another_decoder_reads_them(tmp_path):
  rows, columns = np.mgrid[:40, :52]
  ramp = np.stack([rows * 3, columns * 4, rows + columns], -1).astype(np.uint8)
  content = make_picture(ramp)
  (tmp_path / "0.jpg").write_bytes(content)
  want = PIL.Image.open(io.BytesIO(content))
  with open_reader(str(tmp_path)) as reader:  # Its pictures are found.
    (got,) = reader.pictures([0])
    assert np.abs(got.astype(int) - np.asarray(want)).max() < 8
    assert reader.pictures([0], short_side=20)[0].shape == (20, 26, 3)
    (got,), size = reader.read_stretched([0], (30, 20))
  assert size == (40, 52)
  small = want.resize((20, 30), PIL.Image.Resampling.BICUBIC)
  assert np.abs(got.astype(int) - np.asarray(small)).mean() < 3


def test_what_is_wrong_with_a_folder_is_said(tmp_path):
  with pytest.raises(VideoError, match="does not exist"):
    ImageFolderReader(ImageFolder(str(tmp_path / "nowhere")))
  with pytest.raises(VideoError, match="no picture with a number"):
    ImageFolderReader(ImageFolder(str(tmp_path)))
  _write(tmp_path, "%05d.jpg")
  with pytest.raises(VideoError, match=r"1 are missing, .* \[9\]"):
    ImageFolderReader(ImageFolder(str(tmp_path), num_frames=9))
  with pytest.raises(VideoError, match=r"1 are missing, .* \[0\]"):
    ImageFolderReader(ImageFolder(str(tmp_path), first=0))
  (tmp_path / "00004.jpg").unlink()
  with pytest.raises(VideoError, match=r"1 are missing, .* \[4\]"):
    ImageFolderReader(ImageFolder(str(tmp_path)))
  (tmp_path / "3.jpg").touch()
  with pytest.raises(VideoError, match="the same number"):
    ImageFolderReader(ImageFolder(str(tmp_path)))


@pytest.mark.parametrize(
  ("content", "message"),
  [
    (b"", "00003.jpg: the file is empty"),
    (b"no picture", "00003.jpg: it is damaged, or in no format that"),
    (
      make_picture(make_frames(1)[0])[:-20],
      "00003.jpg: it is damaged, or in no format that",
    ),
    (make_picture(make_frames(1, size=40)[0]), "00003.jpg is 40 x 40 pixels"),
  ],
)
def test_bad_pictures_are_named(tmp_path, content, message):
  _write(tmp_path, "%05d.jpg", count=3)
  (tmp_path / "00003.jpg").write_bytes(content)
  with open_reader(ImageFolder(str(tmp_path))) as reader:
    assert frame_numbers(np.stack(reader.pictures([0, 1]))) == [0, 1]
    with pytest.raises(VideoError, match=message):
      reader.pictures([0, 1, 2])
    with pytest.raises(IndexError, match=r"\[3\] are not in \[0, 3\)"):
      reader.pictures([3])


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    ({"pattern": "%05d.jpg"}, r"one \*"),
    ({"pattern": "*.mp4"}, "must end in"),
    ({"num_frames": 0}, "at least 1"),
  ],
)
def test_rejects_wrong_arguments(arguments, message):
  with pytest.raises(ValueError, match=message):
    ImageFolder("folder", **arguments)


def test_batches_are_made_of_folders(tmp_path):
  _write(tmp_path, "%05d.jpg")
  source = Listed({"a": ImageFolder(str(tmp_path)), "b": str(tmp_path)})
  protocol = data.EvalProtocol(num_frames=4, crop_size=24)
  videos = data.VideoOpener(source, data.BadVideos("raise"))
  (batch,) = data.eval_batches(videos, protocol, batch_size=2)
  assert [frame_numbers(frames) for frames in batch["clip"]] == 2 * [[1, 3, 5, 7]]
