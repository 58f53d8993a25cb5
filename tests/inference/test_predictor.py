import dataclasses
import functools

import jax
import numpy as np
import pytest

import temporal_jax
from temporal_jax import cli, inference
from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.views.read_views import clip_indices
from tests.conftest import make_frames
from tests.support.tiny_predictor import (
  MEAN,
  NAMES,
  PROTOCOL,
  STD,
  save_tiny,
  write_noise,
)
from tests.support.videos import B_FRAMES, copy_packets, make_video


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
  return inference.load_model(save_tiny(tmp_path_factory.mktemp("m") / "tiny"))


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
  root = tmp_path_factory.mktemp("videos")
  sizes = {9: (16, 24), 5: (32, 16), 30: (20, 60), 1: (16, 16)}
  return [
    write_noise(root / f"{count}.mp4", count, size) for count, size in sizes.items()
  ]


@pytest.fixture(scope="module")
def predictor(saved):
  return temporal_jax.Predictor(saved, batch_size=4, num_threads=2)


def _views(file):
  """2 clips of 2 frames by segments, each with 3 crops of 16 x 16."""
  with VideoReader(file) as reader:
    frames = reader.read(range(reader.num_frames))
  _, height, width, _ = frames.shape
  for clip in frames[clip_indices(PROTOCOL, len(frames))]:
    for part in (0, 1, 2):
      top = (height - 16) // 2 if height <= width else part * (height - 16) // 2
      left = (width - 16) // 2 if height > width else part * (width - 16) // 2
      yield clip[:, top : top + 16, left : left + 16]


def test_predictions_do_not_depend_on_the_container(predictor, tmp_path):
  frames = make_frames(30, size=32)
  video = make_video(frames, form="mpegts", options=B_FRAMES)
  contents = {
    form: copy_packets(video, form)
    for form in ("mp4", "matroska", "avi", "mpegts", "flv", "asf")
  }
  files = []
  for form, content in contents.items():
    files.append(tmp_path / form)
    files[-1].write_bytes(content)
  want, *others = predictor.predict(files)
  for other in others:
    np.testing.assert_array_equal(other.probabilities, want.probabilities)


def test_probabilities_are_the_mean_over_the_views(
  saved, predictor, videos, monkeypatch
):
  batches = []
  start = predictor.classifier.start
  monkeypatch.setattr(
    predictor.classifier,
    "start",
    lambda clips: batches.append(len(clips)) or start(clips),
  )
  apply = jax.jit(functools.partial(saved.network.apply, train=False))
  found = list(predictor.predict(videos))
  assert [one.file for one in found] == videos
  for file, prediction in zip(videos, found, strict=True):
    clips = np.stack(list(_views(file))).astype(np.float32) / 255
    logits, _ = apply(saved.variables, (clips - MEAN) / STD)
    odds = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    want = (odds / odds.sum(axis=1, keepdims=True)).mean(axis=0)
    assert prediction.error is None
    np.testing.assert_allclose(prediction.probabilities, want, atol=1e-5)
  # They differ, or the test would tell nothing.
  assert np.ptp([one.probabilities[0] for one in found]) > 1e-2
  # Batches hold the views of several videos.
  assert batches == [4] * 6
  assert predictor(videos[1]).probabilities.shape == (3,)
  assert batches[6:] == [4, 2]
  assert predictor.classifier.compilations == 1


def test_the_rest_goes_on_without_bad_videos(predictor, videos, tmp_path):
  empty, text = tmp_path / "empty.mp4", tmp_path / "text.mp4"
  empty.touch()
  text.write_text("no video" * 99)
  small = write_noise(tmp_path / "small.mp4", 3, (12, 20))
  files = [empty, videos[0], tmp_path / "gone.mp4", text, small, videos[0]]
  found = list(predictor.predict(iter(files)))
  assert [one.file for one in found] == [str(file) for file in files]
  errors = [one.error for one in found]
  assert errors[0] == "the file is empty"
  assert errors[2] == "the file does not exist"
  assert errors[3] == "it is damaged, or in no format that FFmpeg reads"
  assert errors[4] == (
    "a 16 x 16 crop does not fit frames of 12 x 20; resize them first, by short_side"
    " of the network's protocol (--config.eval.short_side in training)"
  )
  assert errors[1] is errors[5] is None
  np.testing.assert_array_equal(found[1].probabilities, found[5].probabilities)
  assert found[0].probabilities is None
  assert list(predictor.predict([])) == []
  assert predictor.classifier.compilations == 1


def test_one_video_is_a_batch_of_its_views(saved, videos):
  predictor = inference.Predictor(saved, batch_size=8)
  alone = predictor(videos[0])
  assert predictor.classifier.batch_size == 6  # 2 clips of 3 crops.
  first, _ = predictor.predict(videos[:2])
  assert predictor.classifier.batch_size == 8
  assert predictor.classifier.compilations == 2
  np.testing.assert_allclose(alone.probabilities, first.probabilities, atol=1e-6)
  # The length of a generator is not known.
  predictor = inference.Predictor(saved, batch_size=8)
  next(predictor.predict(iter(videos[:1])))
  assert predictor.classifier.batch_size == 8


class _Awaited:
  """Probabilities that tell when they are waited for."""

  def __init__(self, number, values, log):
    self.number, self.values, self.log = number, values, log

  def __array__(self, dtype=None, copy=None):
    self.log.append(f"wait {self.number}")
    return self.values


def test_a_batch_is_begun_before_the_last_is_waited_for(saved, videos, monkeypatch):
  predictor = inference.Predictor(saved, batch_size=3)
  log = []

  def start(clips):
    number = len(log)
    log.append(f"start {len(clips)}")
    values = np.full((3, 2), number, np.float32)
    return {
      "verb": _Awaited(number, values, log),
      "noun": np.full((3, 4), 0.25, np.float32),
    }

  monkeypatch.setattr(predictor.classifier, "start", start)
  found = list(predictor.predict(videos[:2]))
  assert log == [
    "start 3",
    "start 3",
    "wait 0",
    "start 3",
    "wait 1",
    "start 3",
    "wait 3",
    "wait 5",
  ]
  # Batches 0 and 1, then those begun at 3 and 5.
  assert found[0].probabilities["verb"].tolist() == [0.5, 0.5]
  assert found[1].probabilities["verb"].tolist() == [4, 4]
  assert found[1].probabilities["noun"].tolist() == [0.25] * 4


def test_refuses_what_it_cannot_do(saved):
  flow = saved._replace(clip_shape=(2, 16, 16, 10))
  with pytest.raises(ValueError, match="looks at 10 channels of optical flow"):
    inference.Predictor(flow)
  with pytest.raises(ValueError, match="num_threads must be at least 1, got 0"):
    inference.Predictor(saved, num_threads=0)
  with pytest.raises(ValueError, match="batch_size must be at least 1"):
    inference.Predictor(saved, batch_size=0)
  left = saved._replace(class_names=("left", "right", "up"))
  mirrored = dataclasses.replace(PROTOCOL, num_crops=10)
  with pytest.raises(ValueError, match="half of 10 crops are mirrored"):
    inference.Predictor(left, protocol=mirrored)
  with pytest.raises(FileNotFoundError, match="there is no file or folder"):
    inference.Predictor("/nowhere")


def test_best_classes_come_first():
  values = np.array([0.2, 0.5, 0.2, 0.1], np.float32)
  prediction = inference.Prediction("a.mp4", values)
  names = ("a", "b", "c", "d")
  top = prediction.top(names, 3)
  assert [label for label, _ in top] == ["b", "a", "c"]
  np.testing.assert_allclose([value for _, value in top], [0.5, 0.2, 0.2])
  assert len(prediction.top(names, 9)) == 4
  assert [label for label, _ in prediction.top((), 2)] == ["1", "0"]
  assert prediction.record((), 1) == {
    "file": "a.mp4",
    "predictions": [{"label": "1", "probability": 0.5}],
    "error": None,
  }
  with pytest.raises(ValueError, match="k must be at least 1, got 0"):
    prediction.top(names, 0)
  with pytest.raises(ValueError, match="there are 3 names of 4 classes"):
    prediction.top(NAMES)


def test_tasks_come_in_the_order_of_the_names():
  values = {"noun": np.array([0.25, 0.75]), "verb": np.array([1.0])}
  prediction = inference.Prediction("a.mp4", values)
  names = {"verb": ("cut",), "noun": ("cup", "pan")}
  assert list(prediction.top(names).items()) == [
    ("verb", [("cut", 1.0)]),
    ("noun", [("pan", 0.75), ("cup", 0.25)]),
  ]
  assert prediction.record((), 1)["predictions"] == {
    "noun": [{"label": "1", "probability": 0.75}],
    "verb": [{"label": "0", "probability": 1.0}],
  }


def test_a_bad_video_has_no_classes():
  bad = inference.Prediction("a.mp4", None, "the file is empty")
  assert bad.record(NAMES) == {
    "file": "a.mp4",
    "predictions": [],
    "error": "the file is empty",
  }
  with pytest.raises(ValueError, match=r"a\.mp4 has no classes: the file is"):
    bad.top(NAMES)


def test_a_network_that_gives_nan_names_the_video(saved, videos, tmp_path):
  broken = jax.tree.map(lambda leaf: np.full_like(leaf, np.nan), saved.variables)
  predictor = temporal_jax.Predictor(saved._replace(variables=broken))
  with pytest.raises(ValueError, match=r"NaN or infinite: .*9\.mp4"):
    predictor(videos[0])
  with pytest.raises(ValueError, match=r"NaN or infinite: film\.mp4"):
    inference.Prediction("film.mp4", np.array([0.5, np.inf]))
  inference.save_model(tmp_path / "broken", broken, dict(saved.description))
  out = tmp_path / "out.json"
  words = ["predict", videos[0], "--json", str(out)]
  assert cli.main([*words, "--model", str(tmp_path / "broken")]) == 2
  assert not out.exists()
