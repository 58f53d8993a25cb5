import numpy as np
import pytest

from temporal_jax import evaluation, inference
from temporal_jax.cli import main
from temporal_jax.data import open_reader
from temporal_jax.data.annotations import AnnotatedSource, Annotations, Record
from temporal_jax.data.views.read_views import read_views
from tests.support.tiny_predictor import NAMES, PROTOCOL, save_tiny, write_noise

# As the data set numbers them; the network has another order.
CLASSES = tuple(sorted(NAMES, reverse=True))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
  return str(save_tiny(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  """The lists of three videos, of which the second is not there."""
  root = tmp_path_factory.mktemp("data")
  (root / "something-something-v1-test.csv").write_text("8\n7\n9\n")
  (root / "something-something-v1-labels.csv").write_text("\n".join(CLASSES))
  write_noise(root / "8", 9, (16, 24))
  write_noise(root / "9", 6, (32, 16))
  return root


def test_a_test_set_is_scored_and_written_for_upload(model, folder, tmp_path, capsys):
  out, upload = tmp_path / "out.npz", tmp_path / "out.csv"
  words = [str(out), "--annotations", "ssv1", "--root", str(folder)]
  words += ["--videos", str(folder), "--model", model]
  assert main(["testset", *words]) == 1
  shown = capsys.readouterr()
  assert shown.out == f"2 of 3 videos: {out}\n"
  assert shown.err.startswith("bad: 7: ")
  got = evaluation.load_scores(out)
  assert (got.predictions.ids, got.class_names) == (("8", "9"), CLASSES)
  want = inference.Predictor(model).predict([folder / "8", folder / "9"])
  columns = [NAMES.index(name) for name in CLASSES]
  for one, scores in zip(want, got.predictions.scores, strict=True):
    np.testing.assert_allclose(scores, one.probabilities[columns], atol=1e-5)
  assert main(["scores", "upload", str(upload), str(out), "--format", "ssv1"]) == 0
  best = [CLASSES[number] for number in got.predictions.predicted]
  assert upload.read_text() == f"8;{best[0]}\n9;{best[1]}\n"
  both = tmp_path / "both.npz"
  assert main(["scores", "combine", str(both), str(out), str(out)]) == 0
  assert "together: 2 videos without labels" in capsys.readouterr().out
  assert main(["scores", "views", str(upload), str(out)]) == 2
  assert "has no labels" in capsys.readouterr().err


def test_parts_of_videos_are_scored_with_their_labels(model, folder):
  records = [
    Record("late", "8", 2, "test", start=0.5, stop=0.9),
    Record("whole", "8", 0, "test"),
  ]
  source = AnnotatedSource(Annotations(records, NAMES), "test", folder)
  saved = inference.load_model(model)
  scores, bad, numbers = inference.score_test_set(saved, source)
  assert (bad, numbers) == ({}, (0, 1))
  assert scores.predictions.labels.tolist() == [2, 0]
  with open_reader(folder / "8") as reader:
    views = read_views(reader, PROTOCOL, span=(5, 4))
  late = inference.Predictor(saved).predict_views("late", views)
  np.testing.assert_allclose(
    scores.predictions.scores[0], late.probabilities, atol=1e-5
  )


def test_other_classes_are_refused(model, folder):
  records = [Record("8", "8", None, "test")]
  names = (*NAMES[:2], "diving")
  source = AnnotatedSource(Annotations(records, names), "test", folder)
  with pytest.raises(ValueError, match="has other classes than the data set"):
    inference.score_test_set(inference.load_model(model), source)
