import json
import zipfile

import numpy as np
import pytest

from temporal_jax import evaluation


def _scores(scores, names, ids=("8", "9")):
  predictions = evaluation.Predictions(ids, None, scores)
  return evaluation.SavedScores(predictions, names, {})


NAMES = tuple("abcdefg")
SCORES = np.array(
  [[0.1, 0.3, 0.05, 0.2, 0.25, 0.06, 0.04], [0, 0, 0, 0, 0, 0, 1]], np.float32
)
ONE = _scores(SCORES, NAMES)
PAIRS = _scores(
  {"verb": SCORES[:, :2], "noun": SCORES[:, 4:]},
  {"verb": NAMES[:2], "noun": NAMES[4:]},
  ids=("P01_101_0", "P01_101_1"),
)
RUN = _scores(SCORES, NAMES, ids=("left/000.mp4", "9"))  # Its test videos.


def test_lines_of_something_something(tmp_path):
  evaluation.write_upload(tmp_path / "v1", ONE, "ssv1")
  assert (tmp_path / "v1").read_text() == "8;b\n9;g\n"
  evaluation.write_upload(tmp_path / "v2", ONE, "ssv2")
  assert (tmp_path / "v2").read_text() == "8;1;4;3;0;5\n9;6;0;1;2;3\n"


def test_the_zip_of_epic_kitchens(tmp_path):
  file = tmp_path / "out.zip"
  evaluation.write_upload(file, PAIRS, "ek100", supervision=(2, 3, 4))
  with zipfile.ZipFile(file) as archive:
    assert archive.namelist() == ["test.json"]
    content = json.loads(archive.read("test.json"))
  results = content.pop("results")
  assert content == {
    "version": "0.2",
    "challenge": "action_recognition",
    "sls_pt": 2,
    "sls_tl": 3,
    "sls_td": 4,
  }
  assert list(results) == ["P01_101_0", "P01_101_1"]
  for row, of_video in enumerate(results.values()):
    assert {task: list(of) for task, of in of_video.items()} == {
      "verb": ["0", "1"],
      "noun": ["0", "1", "2"],
    }
    for task, values in of_video.items():
      # The server's softmax gives the probabilities back.
      powers = np.exp(list(values.values()))
      want = PAIRS.predictions.scores[task][row]
      if want.sum():
        np.testing.assert_allclose(powers / powers.sum(), want / want.sum(), atol=1e-5)


@pytest.mark.parametrize(
  ("scores", "file_format", "supervision", "message"),
  [
    (ONE, "ssv3", (), "unknown upload format 'ssv3'; did you mean"),
    (PAIRS, "ssv1", (), r"of one task, got \['verb', 'noun'\]"),
    (ONE, "ssv2", (1, 2, 3), "for ek100 only"),
    (ONE, "ek100", (1, 2, 3), "verb and noun are needed, got one task"),
    (PAIRS, "ek100", (), "three levels"),
    (PAIRS, "ek100", (1, 2, 6), r"0 to 5, .*\(1, 2, 6\)"),
    (RUN, "ssv2", (), "ids are numbers: got 'left/000.mp4'. `temporal-jax testset`"),
  ],
)
def test_what_does_not_fit_is_not_written(
  tmp_path, scores, file_format, supervision, message
):
  with pytest.raises(ValueError, match=message):
    evaluation.write_upload(
      tmp_path / "x", scores, file_format, supervision=supervision
    )
  assert not list(tmp_path.iterdir())


def test_scores_without_labels_come_back_and_are_averaged(tmp_path):
  file = tmp_path / "scores.npz"
  for scores in (ONE, PAIRS):
    evaluation.save_scores(file, scores.predictions, scores.class_names, protocol={})
    assert evaluation.load_scores(file).predictions.labels is None
  other = evaluation.reordered(ONE, NAMES[::-1])
  np.testing.assert_array_equal(other.predictions.scores, SCORES[:, ::-1])
  both = evaluation.ensemble([ONE, other])
  np.testing.assert_allclose(both.predictions.scores, SCORES, atol=1e-6)
  assert both.predictions.labels is None
  for function in (evaluation.accuracies, evaluation.predictions.check_labelled):
    with pytest.raises(ValueError, match="2 videos are not published"):
      function(ONE.predictions)
  with pytest.raises(ValueError, match="2 videos are not published"):
    evaluation.class_gains(ONE, ONE)
