import base64
import csv
import fractions
import io
import json
import time
from collections.abc import Mapping

import av
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from temporal_jax import inference
from temporal_jax.data import VideoError, VideoReader
from temporal_jax.data.video import pictures
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.inference import serving
from temporal_jax.inference.serving import video_answer
from temporal_jax.models.network import Network
from tests.support.tiny_localizer import save_pair
from tests.support.tiny_predictor import MEAN, NAMES, STD, save_tiny, write_noise

FPS = 10


class _Means(Network):
  """Tells verbs and nouns by the mean colour of a clip; it has no maps."""

  num_classes: Mapping[str, int]

  @nn.compact
  def __call__(self, clip, train=False):
    means = clip.mean(axis=(1, 2, 3))
    heads = {task: nn.Dense(count) for task, count in self.num_classes.items()}
    return {task: head(means) for task, head in heads.items()}, {}


def _write(path, frames):
  path.write_bytes(encode_mp4(frames, fps=FPS))
  return path


@pytest.fixture(scope="module")
def answerer(tmp_path_factory):
  """Answers from a network that looks at the middles of both halves."""
  protocol = EvalProtocol(num_frames=2, crop_size=16)
  directory = save_tiny(tmp_path_factory.mktemp("models") / "tiny", protocol)
  return serving.VideoAnswerer(inference.load_model(directory))


@pytest.fixture(scope="module")
def video(tmp_path_factory):
  """Four seconds of noise that becomes brighter."""
  rng = np.random.default_rng(0)
  frames = (
    rng.integers(0, 120, (40, 16, 16, 3)) + 3 * np.arange(40)[:, None, None, None]
  )
  return _write(tmp_path_factory.mktemp("video") / "a.mp4", frames.astype("u1"))


@pytest.fixture(scope="module")
def answer(answerer, video):
  return json.loads(json.dumps(answerer(video), allow_nan=False))


@pytest.fixture(scope="module")
def wanted(answerer, video):
  """Probabilities from the network itself: of the video, and of 16 windows."""
  # The middles of halves: of 40 frames, and of 10 from every second one on.
  frames = [[10, 30], *([2 * i + 2, 2 * i + 7] for i in range(16))]
  with VideoReader(video) as reader:
    clips = np.stack([reader.read(row) for row in frames]).astype(np.float32)
  saved = answerer.saved
  logits, _ = jax.jit(saved.network.apply)(saved.variables, (clips / 255 - MEAN) / STD)
  rows = np.asarray(jax.nn.softmax(logits))
  return rows[0], rows[1:]


def test_the_prediction_is_that_of_the_protocol(answer, wanted):
  assert answer["frames"] == 40
  assert answer["seconds"] == 4.0
  (task,) = answer["tasks"]
  assert task["name"] == ""
  got = [(row["label"], row["probability"]) for row in task["predictions"]]
  want, _ = wanted
  assert [label for label, _ in got] == [NAMES[i] for i in np.argsort(-want)]
  values = [probability for _, probability in got]
  np.testing.assert_allclose(values, np.sort(want)[::-1], rtol=1e-4)


def test_the_timeline_is_that_of_windows(answer, wanted):
  timeline = answer["tasks"][0]["timeline"]
  points = timeline["points"]
  starts = np.array([point["start"] for point in points])
  # A quarter of the video each, and a quarter of that from one to the next.
  np.testing.assert_allclose(starts, 0.2 * np.arange(16))
  ends = [point["end"] for point in points]
  np.testing.assert_allclose(ends, starts + 1)
  assert ends[-1] == 4
  _, want = wanted
  order = [NAMES.index(label) for label in timeline["labels"]]
  got = np.array([point["probabilities"] for point in points])
  np.testing.assert_allclose(got, want[:, order], rtol=1e-4, atol=1e-6)
  assert list(np.argsort(-want.max(axis=0))) == order


def test_without_a_localizer_there_are_no_segments(answer):
  assert answer["segments"] is None


def test_the_strip_shows_the_best_window(answer, video):
  (task,), strip = answer["tasks"], answer["strip"]
  label = task["predictions"][0]["label"]
  assert f"Grad-CAM of {label}" in strip["about"]
  column = task["timeline"]["labels"].index(label)
  best = max(
    task["timeline"]["points"], key=lambda point: point["probabilities"][column]
  )
  times = [picture["time"] for picture in strip["pictures"]]
  np.testing.assert_allclose(times, [best["start"] + 0.25, best["start"] + 0.75])
  with VideoReader(video) as reader:
    frames = reader.read([int(FPS * time - 0.5) for time in times])
  for picture, frame in zip(strip["pictures"], frames, strict=True):
    kind, data = picture["image"].split(",")
    assert kind == "data:image/png;base64"
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert pixels.shape == (32, 16, 3)
    np.testing.assert_array_equal(pixels[:16], frame)
    assert np.ptp(pixels[16:].astype(int)) > 0


def test_a_long_video_has_few_windows(answerer, tmp_path):
  frames = np.zeros((701, 16, 16, 3), np.uint8)
  points = answerer(_write(tmp_path / "a.mp4", frames))["tasks"][0]["timeline"][
    "points"
  ]
  assert 25 <= len(points) <= 32
  assert points[0]["start"] == 0
  assert points[-1]["end"] == pytest.approx(70.1)


def test_a_single_frame(answerer, tmp_path):
  frames = np.zeros((1, 16, 16, 3), np.uint8)
  answer = answerer(_write(tmp_path / "a.mp4", frames))
  assert answer["seconds"] is None
  assert answer["tasks"][0]["timeline"] is None
  assert [file["suffix"] for file in answer["downloads"]] == [".csv"]
  assert len(answer["strip"]["pictures"]) == 2  # The clip repeats its pictures.


def test_several_tasks_without_names_or_maps(answerer, video):
  network = _Means({"verb": 2, "noun": 3})
  saved = answerer.saved._replace(
    network=network,
    variables=network.init(jax.random.key(0), jnp.zeros((1, 2, 16, 16, 3))),
    class_names={"verb": ("cut", "stir"), "noun": ()},
    description={"num_classes": {"verb": 2, "noun": 3}},
  )
  answerer = serving.VideoAnswerer(saved)
  assert [task["count"] for task in answerer.settings["tasks"]] == [2, 3]
  answer = answerer(video)
  shown = {
    task["name"]: {row["label"] for row in task["predictions"]}
    for task in answer["tasks"]
  }
  assert shown == {
    "verb": {"cut", "stir"},
    "noun": {"0", "1", "2"},
  }
  for task in answer["tasks"]:
    total = sum(row["probability"] for row in task["predictions"])
    assert total == pytest.approx(1)
    assert len(task["timeline"]["points"]) == 16
  assert [file["suffix"] for file in answer["downloads"]] == [
    ".csv",
    ".verb.srt",
    ".noun.srt",
  ]
  assert answer["strip"]["about"].startswith("No Grad-CAM: ")
  assert answer["strip"]["pictures"] == []


def test_what_is_refused(answerer, video, tmp_path, monkeypatch):
  text = tmp_path / "a.txt"
  text.write_text("no video")
  with pytest.raises(VideoError, match="it is damaged, or in no format"):
    answerer(text)
  monkeypatch.setattr(answerer, "max_seconds", 3.9)
  with pytest.raises(VideoError, match=r"the video has 4 s; at most 3\.9 s"):
    answerer(video)
  monkeypatch.undo()
  monkeypatch.setattr(answerer, "_max_time", 0)
  with pytest.raises(VideoError, match="takes more than 0 s"):
    answerer(video)
  monkeypatch.undo()
  monkeypatch.setattr(pictures, "MAX_PIXELS", 255)
  with pytest.raises(VideoError, match="frames have 16 x 16 pixels, more than 2"):
    answerer(video)


def test_a_file_of_very_many_frames_takes_bounded_time(answerer, tmp_path, monkeypatch):
  # An AVI does not say when its frames are shown: all are decoded to know.
  path = tmp_path / "a.avi"
  with av.open(str(path), "w") as container:
    stream = container.add_stream("mpeg4", rate=600)
    stream.width = stream.height = 16
    stream.pix_fmt = "yuv420p"
    black = np.zeros((16, 16, 3), np.uint8)
    encoded = []
    for _ in range(3):
      encoded += stream.encode(av.VideoFrame.from_ndarray(black))
    encoded += stream.encode(None)
    container.mux(encoded[0])
    for number in range(1, 5_000):
      packet = av.Packet(bytes(encoded[-1]))
      packet.stream, packet.pts, packet.dts = stream, number, number
      packet.time_base = fractions.Fraction(1, 600)
      container.mux(packet)
  assert path.stat().st_size < 500_000
  monkeypatch.setattr(answerer, "_max_time", 0.05)
  begun = time.monotonic()
  with pytest.raises(VideoError, match=r"reading takes more than 0\.05 s"):
    answerer(path)
  assert time.monotonic() - begun < 3
  monkeypatch.undo()
  monkeypatch.setattr(answerer, "max_seconds", 4_999 / 240)
  with pytest.raises(VideoError, match="there are over 4,999 frames"):
    answerer(path)
  monkeypatch.undo()
  answer = answerer(path)
  assert (answer["frames"], answer["seconds"]) == (
    5_000,
    pytest.approx(5_000 / 600),
  )
  points = answer["tasks"][0]["timeline"]["points"]
  assert points[0]["end"] == pytest.approx(2)
  assert points[-1]["end"] == pytest.approx(5_000 / 600)


def test_settings_are_what_the_page_tells(answerer):
  settings = json.loads(json.dumps(answerer.settings))
  assert settings["model"] == "resnet18"
  assert settings["maxSeconds"] == 600.0
  (task,) = settings["tasks"]
  assert task == {"name": "", "count": 3, "classes": list(NAMES)}
  assert "was not made for" in answerer.sample.about


def test_segments_are_those_of_the_localizer(tmp_path_factory):
  network, detector = save_pair(tmp_path_factory.mktemp("pair"))
  saved = inference.load_model(network)
  localizer = inference.Localizer(detector, features=saved)
  answerer = serving.VideoAnswerer(saved, localizer=localizer)
  facts = dict(answerer.settings["facts"])
  assert facts["Detector of segments"].startswith("ActionFormer, ")
  assert facts["Its classes"] == "pan, tilt, zoom"
  folder = tmp_path_factory.mktemp("videos")
  film = write_noise(folder / "film.mp4", 60, (16, 16))
  answer = json.loads(json.dumps(answerer(film), allow_nan=False))
  wanted = localizer(film).best(threshold=0.2)
  assert answer["segments"] == [one._asdict() for one in wanted.segments]
  assert len(answer["segments"]) > 3
  table, subtitles = answer["downloads"][-2:]
  header, *rows = csv.reader(io.StringIO(table["text"].lstrip("\ufeff")))
  assert header == ["start (s)", "end (s)", "class", "score"]
  assert [row[2] for row in rows] == [one.label for one in wanted.segments]
  assert " --> " in subtitles["text"]
  single = answerer(write_noise(folder / "single.mp4", 1, (16, 16)))
  assert single["segments"] == []
  assert [file["suffix"] for file in single["downloads"]] == [".csv"]


def test_a_localizer_of_other_features_is_refused(answerer, tmp_path):
  _, detector = save_pair(tmp_path)
  localizer = inference.Localizer(detector, features="camera_motion")
  with pytest.raises(ValueError, match="instead of"):
    serving.VideoAnswerer(answerer.saved, localizer=localizer)


def test_results_are_downloaded_with_all_that_is_shown(answer, wanted):
  table, subtitles = answer["downloads"]
  header, *rows = csv.reader(io.StringIO(table["text"].lstrip("\ufeff")))
  order = [NAMES.index(name) for name in header[3:]]
  assert sorted(order) == [0, 1, 2]
  got = np.array([row[3:] for row in rows], float)
  whole, windows = wanted
  np.testing.assert_allclose(got, np.vstack([whole, windows])[:, order], atol=2e-6)
  times = np.array([row[1:3] for row in rows], float)
  np.testing.assert_allclose(times[0], [0, 4])
  np.testing.assert_allclose(times[1:, 0], 0.2 * np.arange(16), atol=1e-6)
  first = NAMES[windows[0].argmax()]
  assert subtitles["text"].split("\n")[2].startswith(f"{first} (")


def test_a_sample_needs_its_photograph_and_length(answerer, tmp_path, monkeypatch):
  monkeypatch.setattr(video_answer, "photograph", lambda: tmp_path / "none.jpg")
  assert serving.VideoAnswerer(answerer.saved).sample is None
  monkeypatch.undo()
  short = serving.VideoAnswerer(answerer.saved, max_seconds=7)
  assert short.sample is None


def test_wrong_arguments_are_refused(answerer):
  with pytest.raises(ValueError, match="max_seconds must be above 0, got 0"):
    serving.VideoAnswerer(answerer.saved, max_seconds=0)
  flow = answerer.saved._replace(clip_shape=(2, 16, 16, 10))
  with pytest.raises(ValueError, match="10 channels of optical flow"):
    serving.VideoAnswerer(flow)
