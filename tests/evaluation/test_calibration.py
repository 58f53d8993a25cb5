import io

import matplotlib.image
import numpy as np
import pytest

from temporal_jax import evaluation


def _predictions(scores, labels):
  ids = tuple(f"{row}" for row in range(len(labels)))
  return evaluation.Predictions(ids, np.asarray(labels), scores)


def test_error_of_two_bins():
  # Two bins, (0, 0.5] and (0.5, 1]; one of four is right where 0.8 is promised.
  scores = np.array([[0.8, 0.1, 0.1]] * 4 + [[0.5, 0.3, 0.2]] * 2)
  found = evaluation.calibrations(_predictions(scores, [0, 1, 1, 1, 0, 1]))
  assert found["bins"] == 2
  assert [one["examples"] for one in found["curve"]] == [2, 4]
  np.testing.assert_allclose([one["accuracy"] for one in found["curve"]], [0.5, 0.25])
  np.testing.assert_allclose(found["ece"], 4 / 6 * 0.55)
  np.testing.assert_allclose([found["confidence"], found["accuracy"]], [0.7, 2 / 6])


def test_error_matches_a_loop_over_bins():
  rng = np.random.default_rng(0)
  scores = rng.dirichlet(np.full(4, 0.5), 400)
  labels = rng.integers(0, 4, 400)
  want = 0.0
  for place in range(15):
    top = scores.max(axis=1)
    inside = (top > place / 15) & (top <= (place + 1) / 15)
    if inside.any():
      right = scores.argmax(axis=1)[inside] == labels[inside]
      want += inside.mean() * abs(right.mean() - top[inside].mean())
  found = evaluation.calibrations(_predictions(scores, labels))
  assert found["bins"] == 15
  np.testing.assert_allclose(found["ece"], want)


def test_several_classes_count_one_by_one():
  scores = np.array([[0.9, 0.1], [0.9, 0.1]])
  found = evaluation.calibrations(_predictions(scores, np.array([[1, 0], [0, 0.0]])))
  assert found["examples"] == "clips and classes"
  np.testing.assert_allclose(found["ece"], (2 * 0.4 + 2 * 0.1) / 4)


def test_tasks_have_one_each():
  scores = {"verb": np.array([[0.9, 0.1]]), "noun": np.array([[0.4, 0.6]])}
  found = evaluation.calibrations(_predictions(scores, [[0, 0]]))
  np.testing.assert_allclose([found[t]["ece"] for t in scores], [0.1, 0.6])


def test_picture_is_drawn():
  rng = np.random.default_rng(0)
  scores = rng.dirichlet(np.full(3, 0.3), 60)
  file = io.BytesIO()
  found = evaluation.calibrations(_predictions(scores, rng.integers(0, 3, 60)))
  evaluation.save_calibration(found, file)
  file.seek(0)
  assert matplotlib.image.imread(file).std() > 0.02


def _sharpened(rng, temperature, views=1):
  """Probabilities that are right once logits are divided by `temperature`."""
  logits = rng.standard_normal((20000, 1, 4)).repeat(views, axis=1)
  honest = np.exp(logits[:, 0]) / np.exp(logits[:, 0]).sum(axis=1, keepdims=True)
  labels = (honest.cumsum(axis=1) > rng.random((len(honest), 1))).argmax(axis=1)
  odds = np.exp(temperature * logits)
  return odds / odds.sum(axis=-1, keepdims=True), labels


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_temperature_of_scores_that_were_sharpened_by_it(temperature):
  scores, labels = _sharpened(np.random.default_rng(0), temperature)
  got = evaluation.fit_temperature(scores[:, 0], labels)
  np.testing.assert_allclose(got, temperature, rtol=0.05)
  both = {"verb": scores[:, 0], "noun": scores[:, 0]}
  labels = np.stack((labels, labels), axis=1)
  assert evaluation.fit_temperature(both, labels) == {"verb": got, "noun": got}


def test_temperature_divides_before_views_are_averaged():
  scores, labels = _sharpened(np.random.default_rng(0), 3.0, views=2)
  scores[:, 1] = 0.25  # A view that knows nothing.
  got = evaluation.fit_temperature(scores, labels)

  def loss(temperature):
    views = scores ** (1 / temperature)
    views /= views.sum(axis=-1, keepdims=True)
    mean = views.mean(axis=1)
    return -np.mean(np.log(mean[np.arange(len(labels)), labels]))

  assert loss(got) < min(loss(0.97 * got), loss(1.03 * got))
  after = evaluation.fit_temperature(scores.mean(axis=1), labels)
  assert abs(after / got - 1) > 0.2


def test_temperature_of_several_classes():
  rng = np.random.default_rng(0)
  logits = rng.standard_normal((5000, 3))
  labels = (rng.random((5000, 3)) < 1 / (1 + np.exp(-logits))).astype(float)
  scores = 1 / (1 + np.exp(-2.0 * logits))
  got = evaluation.fit_temperature(scores, labels)
  np.testing.assert_allclose(got, 2.0, rtol=0.05)


def test_without_a_mistake_there_is_no_temperature():
  scores = np.array([[0.9, 0.1], [0.2, 0.8]])
  with pytest.raises(ValueError, match=r"0\.05 to 20 .* 2 clips: all of them may be"):
    evaluation.fit_temperature(scores, np.array([0, 1]))
  with pytest.raises(ValueError, match=r"\(2, 2\) and \(3,\)"):
    evaluation.fit_temperature(scores, np.array([0, 1, 1]))
