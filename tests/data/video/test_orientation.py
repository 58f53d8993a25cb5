import fractions
import io
import itertools

import av
import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
from av.bitstream import BitStreamFilterContext

from temporal_jax import data
from temporal_jax.configs.base import get_config
from temporal_jax.data.tools.check import decode_all
from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.data.video.image_folder import ImageFolder
from temporal_jax.data.video.pictures import orientation
from temporal_jax.data.video.readers import open_reader
from temporal_jax.data.video.transcode import Transcoding, transcode
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.data.views.picture_cropping import PictureCropper
from temporal_jax.experiment import RunSettings
from tests.support.videos import (
  Listed,
  make_displayed,
  make_packets,
  make_picture,
)

# (a, b, c, d) of all eight orientations.
STRAIGHT = [(a, 0, 0, d) for a, d in itertools.product((1, -1), repeat=2)]
ACROSS = [(0, b, c, 0) for b, c in itertools.product((1, -1), repeat=2)]
MATRICES = STRAIGHT + ACROSS


def _picture(height=32, width=48):
  """Another brightness in every corner: no two orientations are the same."""
  rows, columns = np.mgrid[:height, :width]
  ramp = (30 + 2 * rows + 3 * columns).astype(np.uint8)
  return np.repeat(ramp[..., None], 3, axis=-1)


def _shown(picture, matrix):
  """Moves each pixel by the definition of the matrix.

  Source: ISO/IEC 14496-12, 6.2.2: column a p + c q, row b p + d q.
  """
  a, b, c, d = matrix
  q, p = np.mgrid[: picture.shape[0], : picture.shape[1]]
  columns, rows = a * p + c * q, b * p + d * q
  columns, rows = columns - columns.min(), rows - rows.min()
  shown = np.zeros((rows.max() + 1, columns.max() + 1, 3), picture.dtype)
  shown[rows, columns] = picture
  return shown


def _close(got, want):
  assert got.shape == want.shape
  assert np.abs(got.astype(int) - want).mean() < 3


@pytest.mark.parametrize("matrix", MATRICES)
def test_all_eight_display_matrices_are_followed(matrix, tmp_path):
  video = encode_mp4(np.stack(3 * [_picture()]), fps=10)
  path, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
  path.write_bytes(make_displayed(video, matrix))
  want = _shown(_picture(), matrix)
  with VideoReader(path) as reader:
    _close(reader.read([1])[0], want)
    _close(next(reader.stream([2])), want)
    _, size = reader.read_stretched([0], (20, 20))
    small = reader.read([0], short_side=16)[0]
  assert size == want.shape[:2]
  _close(
    small,
    np.asarray(
      PIL.Image.fromarray(want).resize(
        small.shape[1::-1], PIL.Image.Resampling.BILINEAR
      )
    ),
  )
  row = decode_all(path)
  assert (row["height"], row["width"]) == want.shape[:2]
  with data.LiveVideo(str(path)) as live:
    crop = PictureCropper(EvalProtocol(num_frames=1, crop_size=32))(next(iter(live)))
  top, left = ((side - 32) // 2 for side in want.shape[:2])
  _close(crop, want[top : top + 32, left : left + 32])
  transcode(path, out, Transcoding(short_side=None))
  with VideoReader(out) as reader:
    _close(reader.read([1])[0], want)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("form", ["matroska", "mov"])
def test_other_containers_are_turned_too(form, degrees):
  file = io.BytesIO()
  with av.open(file, "w", format=form) as container:
    stream = container.add_stream("libx264", rate=10)
    stream.height, stream.width = 32, 48
    stream.set_display_rotation(degrees)
    frame = av.VideoFrame.from_ndarray(_picture(), "rgb24")
    container.mux(stream.encode(frame))
    container.mux(stream.encode())
  with VideoReader(file.getvalue()) as reader:
    _close(reader.read([0])[0], np.rot90(_picture(), k=degrees // 90))


def test_messages_of_the_stream_turn_it():
  """FFmpeg's filter writes a message of H.264: a mirror, then 90 degrees."""
  message = "display_orientation=insert:rotate=90:flip=horizontal"
  with av.open(io.BytesIO(encode_mp4(_picture()[None], fps=10))) as container:
    stream = container.streams.video[0]
    insert = BitStreamFilterContext(f"h264_metadata={message}", stream)
    (packet,) = insert.filter(next(container.demux(stream)))
    (frame,) = stream.decode(packet) + stream.decode(None)
  got = orientation(frame).apply(frame.to_ndarray(format="rgb24"))
  # H.264, D.2.27: the picture is mirrored first and turned then.
  _close(got, np.rot90(_picture()[:, ::-1], k=1))


@pytest.mark.parametrize(
  ("degrees", "nearest"), [(10, 0), (-44, 0), (46, 90), (100, 90), (190, 180)]
)
def test_any_other_angle_is_the_nearest_quarter_turn(degrees, nearest):
  """Clockwise, by a matrix that also scales by 2."""
  angle = np.deg2rad(degrees)
  cos, sin = 2 * np.cos(angle), 2 * np.sin(angle)
  video = encode_mp4(_picture()[None], fps=10)
  video = make_displayed(video, (cos, sin, -sin, cos))
  with VideoReader(video) as reader:
    _close(reader.read([0])[0], np.rot90(_picture(), k=-nearest // 90))


def _with_exif(number, form):
  exif, file = PIL.Image.Exif(), io.BytesIO()
  exif[0x0112] = number
  quality = {"lossless": True} if form == "webp" else {"quality": 95}
  PIL.Image.fromarray(_picture()).save(file, form, exif=exif, **quality)
  return file.getvalue()


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
def test_pictures_are_shown_by_their_exif_orientation(number, form, tmp_path):
  content = _with_exif(number, form)
  (tmp_path / f"1.{form}").write_bytes(content)
  pillow = PIL.Image.open(io.BytesIO(content))
  want = np.asarray(PIL.ImageOps.exif_transpose(pillow).convert("RGB"))
  assert want.shape[0] == (32 if number < 5 else 48)
  with open_reader(ImageFolder(str(tmp_path), f"*.{form}")) as reader:
    _close(reader.pictures([0])[0], want)
    assert min(reader.pictures([0], short_side=16)[0].shape[:2]) == 16
    assert reader.read_stretched([0], (20, 20))[1] == want.shape[:2]


def test_pictures_of_a_folder_have_one_size_as_they_are_shown(tmp_path):
  (tmp_path / "1.jpg").write_bytes(_with_exif(6, "jpeg"))
  shown = np.rot90(_picture(), k=-1)
  (tmp_path / "2.jpg").write_bytes(make_picture(np.ascontiguousarray(shown)))
  with open_reader(tmp_path) as reader:
    for got in reader.pictures([0, 1]):
      _close(got, shown)
  (tmp_path / "3.jpg").write_bytes(make_picture(_picture()))
  with (
    open_reader(tmp_path) as reader,
    pytest.raises(data.VideoError, match="32 x 48 pixels, another picture 48"),
  ):
    reader.pictures([0, 2])


@pytest.mark.parametrize("number", [2, 5, 8])
def test_motion_jpeg_is_shown_by_its_exif_orientation(number):
  content = _with_exif(number, "jpeg")
  pillow = PIL.ImageOps.exif_transpose(PIL.Image.open(io.BytesIO(content)))
  with VideoReader(make_packets(content, content, size=(32, 48))) as reader:
    _close(reader.read([1])[0], np.asarray(pillow))


def _with_ratio(ratio, form="mp4"):
  """A video of 32 x 48 pixels that are not square."""
  file = io.BytesIO()
  with av.open(file, "w", format=form) as container:
    stream = container.add_stream("libx264", rate=10)
    stream.height, stream.width = 32, 48
    stream.codec_context.sample_aspect_ratio = ratio
    frame = av.VideoFrame.from_ndarray(_picture(), "rgb24")
    container.mux(stream.encode(frame))
    container.mux(stream.encode())
  return file.getvalue()


@pytest.mark.parametrize("form", ["mp4", "matroska"])
@pytest.mark.parametrize(
  ("ratio", "width", "small"), [("4/3", 64, (12, 24)), ("1/2", 24, (16, 12))]
)
def test_pixels_are_those_stored_or_made_square(ratio, width, small, form, tmp_path):
  video = _with_ratio(fractions.Fraction(ratio), form)
  with VideoReader(video) as reader:
    _close(reader.read([0])[0], _picture())
  with open_reader(video, square_pixels=True) as reader:
    got = reader.pictures([0])[0]
    assert reader.pictures([0], short_side=12)[0].shape == (*small, 3)
    assert reader.read_stretched([0], (8, 8))[1] == (32, width)
  want = PIL.Image.fromarray(_picture()).resize((width, 32))
  _close(got, np.asarray(want))
  path, out = tmp_path / "in", tmp_path / "out.mp4"
  path.write_bytes(video)
  transcode(path, out, Transcoding(short_side=None))
  with VideoReader(out, square_pixels=True) as reader:
    _close(reader.read([0])[0], got)


def test_square_pixels_are_part_of_the_protocol():
  config = get_config()
  config.data.square_pixels = True
  protocol = RunSettings.from_config(config).protocol
  assert protocol.square_pixels
  assert "with square pixels" in protocol.describe()
  video = _with_ratio(fractions.Fraction(2))
  opener = data.VideoOpener(
    Listed({"a": video}), data.BadVideos("raise"), square_pixels=True
  )
  shape = opener.read(0, lambda reader, span: reader.pictures([0])[0].shape)
  assert shape == (32, 96, 3)


def test_square_pixels_are_made_before_the_picture_is_turned(tmp_path):
  video = make_displayed(_with_ratio(fractions.Fraction(2)), (0, 1, -1, 0))
  with VideoReader(video, square_pixels=True) as reader:
    assert reader.read([0]).shape == (1, 96, 32, 3)
  path, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
  path.write_bytes(video)
  transcode(path, out, Transcoding(short_side=None))
  with VideoReader(out, square_pixels=True) as reader:
    assert reader.read([0]).shape == (1, 48, 16, 3)
