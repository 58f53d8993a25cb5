"""Scores that are NaN or infinite stop an evaluation, and name their clips."""

import json

import jax
import numpy as np
import pytest

from temporal_jax import cli, evaluation
from temporal_jax.evaluation.finite_scores import check_finite

IDS = tuple(f"clip_{i}" for i in range(8))
NAMES = ("left", "right", "up")


def _scores(bad=(), value=np.nan, views=()):
  scores = np.full((8, *views, 3), 1 / 3, np.float32)
  scores[list(bad), ..., 1] = value
  return scores


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_five_clips_are_named_and_the_others_counted(value):
  check_finite(_scores())
  check_finite(np.zeros((0, 3)))
  with pytest.raises(ValueError, match=r"of 1 of 8 clips .*: clip_3\.$"):
    check_finite(_scores([3], value), IDS)
  with pytest.raises(
    ValueError, match=r"of 7 of 8 clips .*: clip_0, .*, clip_4 and 2 more\.$"
  ):
    check_finite(_scores(range(7), value), IDS)
  with pytest.raises(ValueError, match=r"the noun scores of 1 .*: row 2\.$"):
    check_finite({"verb": _scores(), "noun": _scores([2], value)})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_predictions_hold_numbers_only(value):
  labels = np.zeros(8, int)
  with pytest.raises(ValueError, match="clip_1, clip_6"):
    evaluation.Predictions(IDS, labels, _scores([1, 6], value))
  with pytest.raises(ValueError, match="clip_5"):
    evaluation.Predictions(IDS, labels, _scores(), _scores([5], value, (2,)))
  for fusion in evaluation.FUSIONS:
    with pytest.raises(ValueError, match="clip_5"):
      evaluation.from_views(IDS, labels, _scores([5], value, (2,)), fusion=fusion)
  with pytest.raises(ValueError, match="row 5"):
    evaluation.accuracy_by_clips(_scores([5], value, (2,)), labels)


def test_actions_of_nan_are_no_hits():
  """Every pair compares false with NaN, so that none would be ahead."""
  views = {"verb": _scores([4], views=(2,)), "noun": _scores(views=(2,))}
  with pytest.raises(ValueError, match=r"verb scores of 1 .*: clip_4"):
    evaluation.from_views(IDS, np.zeros((8, 2), int), views)


def test_parts_of_other_lengths_are_refused():
  with pytest.raises(ValueError, match="8 ids, but 7 labels"):
    evaluation.Predictions(IDS, np.zeros(7, int), _scores())
  with pytest.raises(ValueError, match="2 ids, but scores of 8 clips"):
    evaluation.Predictions(IDS[:2], np.zeros(2, int), _scores())


def test_evaluation_names_the_clips_but_not_the_padding():
  def batch(ids, weights):
    return {
      "clip": np.array([int(name == "nan") for name in ids], np.uint8),
      "label": np.zeros(len(ids), np.int32),
      "weight": np.array(weights, np.float32),
      "id": np.array(ids),
    }

  def place(one):
    return {"clip": jax.numpy.asarray(one["clip"])}

  def score(clip):
    bad = jax.numpy.where(clip == 1, jax.numpy.nan, 0.5)
    return jax.numpy.stack([bad, bad], axis=1)

  padded = [batch(["a", "nan"], [1, 0])]
  assert evaluation.evaluate(score, padded, place).ids == ("a",)
  with pytest.raises(ValueError, match=r"of 1 of 3 clips .*: nan\.$"):
    evaluation.evaluate(score, [batch(["a", "nan", "b"], [1, 1, 1])], place)


def _save(file, scores, ids=IDS):
  """Writes what earlier versions wrote, NaN included."""
  np.savez(
    file,
    ids=np.array(ids),
    labels=np.zeros(8, int),
    scores=scores,
    views=scores[:, None],
    class_names=np.array(NAMES),
    protocol=np.array(json.dumps({})),
  )


def test_a_file_with_nan_is_refused_by_its_name(tmp_path):
  _save(tmp_path / "bad.npz", _scores([2]))
  with pytest.raises(ValueError, match=r"bad\.npz: .*NaN or infinite: clip_2"):
    evaluation.load_scores(tmp_path / "bad.npz")
  _save(tmp_path / "short.npz", _scores(), IDS[:3])
  with pytest.raises(
    ValueError, match=r"short\.npz .*scores must be .* got float of \(8, 3\)"
  ):
    evaluation.load_scores(tmp_path / "short.npz")


@pytest.mark.parametrize(
  "words",
  [
    ["combine", "out.npz", "good.npz", "bad.npz"],
    ["compare", "good.npz", "bad.npz", "out.png"],
    ["views", "out.png", "good.npz", "bad.npz"],
    ["combine", "out.npz", "good.npz", "good.npz", "--weights", "1", "inf"],
    ["combine", "out.npz", "good.npz", "good.npz", "--weights", "1", "nan"],
  ],
)
def test_commands_write_nothing(words, tmp_path, capsys):
  _save(tmp_path / "good.npz", _scores())
  _save(tmp_path / "bad.npz", _scores([2], np.inf))
  words = [
    str(tmp_path / word) if word.endswith(("npz", "png")) else word for word in words
  ]
  assert cli.main(["scores", *words]) == 2
  err = capsys.readouterr().err
  assert "clip_2" in err or "2 numbers above 0" in err
  assert {path.name for path in tmp_path.iterdir()} == {"good.npz", "bad.npz"}
