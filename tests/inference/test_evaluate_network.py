"""A trained network on labelled videos: classes by name, scores, mistakes."""

import dataclasses
import json

import numpy as np
import pytest

from temporal_jax import data, evaluation, inference
from temporal_jax.data.views.eval_protocol import EvalProtocol
from tests.support.tiny_predictor import NAMES, save_tiny, write_noise


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
  return inference.load_model(save_tiny(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
  folder = tmp_path_factory.mktemp("videos")
  found = [write_noise(folder / f"{n}.mp4", n, (16, 24)) for n in (5, 6, 7)]
  (folder / "bad.mp4").write_bytes(b"no video")
  return [*found, str(folder / "bad.mp4")]


def test_classes_are_found_by_their_names(saved, files):
  # Two of the network's classes, in another order.
  source = data.FileSource(list(zip(files, (0, 1, 0, 1), strict=True)), NAMES[1::-1])
  found = inference.evaluate_network(saved, source)
  predictions = found.scores.predictions
  assert found.scores.class_names == NAMES
  assert predictions.labels.tolist() == [1, 0, 1]
  assert predictions.views.shape == (3, 6, 3)
  for file, scores in zip(files, predictions.scores, strict=False):
    want = inference.Predictor(saved)(file).probabilities
    np.testing.assert_allclose(scores, want, atol=1e-5)
  assert [*found.bad] == files[3:]
  counts = [found.summary[f"clips_{what}"] for what in ("scored", "listed")]
  assert counts == [3, 4]
  right = np.mean(predictions.predicted == predictions.labels)
  assert found.summary["top1"] == pytest.approx(right)
  assert found.summary["per_class"][NAMES[2]] == {"top1": None, "clips": 0}


class _Records(data.FileSource):
  """Ends as the records of a prepared data set do, and counts its readings."""

  taken: tuple[int, ...] = ()

  def __getitem__(self, index):
    if index >= len(self):
      raise ValueError("Record key should be in [0, num_records)")
    self.taken += (index,)
    return super().__getitem__(index)


def test_a_video_is_read_once_and_a_mistake_again(saved, files, tmp_path):
  source = _Records([(files[3], 0), (files[0], 0), (files[1], 1)], NAMES)
  found = inference.evaluate_network(saved, source)
  assert source.taken[1:] == (0, 1, 2)  # After the first label.
  assert found.numbers == (1, 2)
  wrong = evaluation.find_mistakes(found.scores.predictions)
  assert wrong.size
  source.taken = ()
  inference.write_evaluation(tmp_path, found)
  assert source.taken == tuple(1 + wrong)


def test_views_are_chosen(saved, files):
  source = _Records([(files[0], 0)], NAMES)
  protocol = dataclasses.replace(saved.protocol, num_clips=1, num_crops=1)
  found = inference.evaluate_network(saved, source, protocol=protocol)
  assert found.summary["protocol"]["num_crops"] == 1
  assert found.scores.predictions.views is None


def test_the_report_shows_the_surest_mistakes(saved, files, tmp_path):
  scored = inference.evaluate_network(
    saved, data.FileSource([(file, 0) for file in files[:3]], NAMES)
  ).scores.predictions
  best = int(scored.predicted[0])
  wrong = (best + 1) % 3
  source = data.FileSource([(files[0], best), (files[1], wrong)], NAMES)
  found = inference.evaluate_network(saved, source)
  inference.write_evaluation(tmp_path, found)
  written = {"report.json", "scores.npz", "confusion.png", "misclassified.png"}
  assert written <= {file.name for file in tmp_path.iterdir()}
  report = json.loads((tmp_path / "report.json").read_text())
  assert report["per_class"] == found.summary["per_class"]
  loaded = evaluation.load_scores(tmp_path / "scores.npz")
  assert loaded.predictions.ids == tuple(files[:2])
  right = tmp_path / "right"
  right.mkdir()
  source = data.FileSource([(files[0], best)], NAMES)
  inference.write_evaluation(right, inference.evaluate_network(saved, source))
  assert not (right / "misclassified.png").exists()


def test_tasks_and_several_labels_are_scored(saved, files):
  source = data.FileSource([(files[0], frozenset({0, 2}))], NAMES, multi_label=True)
  with pytest.raises(ValueError, match="one class per video, and these videos have"):
    inference.evaluate_network(saved, source)
  several = saved._replace(description={**saved.description, "multi_label": True})
  found = inference.evaluate_network(several, source)
  assert found.scores.predictions.labels.tolist() == [[1, 0, 1]]
  assert found.summary["per_class"][NAMES[0]]["clips"] == 1


def test_nothing_is_reported_of_videos_that_cannot_be_read(saved, files):
  found = inference.evaluate_network(saved, data.FileSource([(files[3], 0)], NAMES))
  assert (found.summary, found.scores, [*found.bad]) == (None, None, files[3:])


@pytest.mark.parametrize(
  ("names", "message"),
  [
    (("waving", "flying"), r"was not trained on, \['flying'\]; it knows \['falling', "),
    (("Waving",), r"\('Waving' is not 'waving': names must be equal\)"),
    ({"verb": ("waving",)}, r"a single task, and these videos have the tasks \['verb'"),
  ],
)
def test_other_classes_are_refused(saved, files, names, message):
  label = (0,) if isinstance(names, dict) else 0
  with pytest.raises(ValueError, match=message):
    inference.evaluate_network(saved, data.FileSource([(files[0], label)], names))


def test_what_cannot_be_compared_is_refused(saved, files):
  source = data.FileSource([(files[0], None)], NAMES)
  with pytest.raises(ValueError, match="labels of these videos are not published"):
    inference.evaluate_network(saved, source)
  source = data.FileSource([(files[0], 0)], ("left", "right", "up"))
  mirrored = EvalProtocol(num_frames=2, crop_size=16, num_crops=10)
  unnamed = saved._replace(class_names=())
  with pytest.raises(ValueError, match="half of 10 crops are mirrored"):
    inference.evaluate_network(unnamed, source, protocol=mirrored)
  texts = saved._replace(description={**saved.description, "num_classes": None})
  with pytest.raises(ValueError, match="no classes of its own"):
    inference.evaluate_network(texts, source)
