import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import training
from temporal_jax.experiment.probe_run.fit import HeadFit, Inputs, cross_validate
from temporal_jax.models.blocks.heads import HEADS


def _fit(classes=3, head="average", **options):
  loss = training.Loss(classes, **options)
  return HeadFit(HEADS[head](num_classes=classes), loss, num_steps=60, lr=1e-2, seed=0)


def _clusters(count, frames=2, spread=0.5, seed=0):
  """Inputs around a centre for each of three classes; channel 3 is constant."""
  rng = np.random.default_rng(seed)
  labels = np.arange(count) % 3
  centres = 5 + 40 * np.random.default_rng(9).standard_normal((3, 1, 6))
  x = centres[labels] + spread * 40 * rng.standard_normal((count, frames, 6))
  x[..., 3] = 7
  return x.astype(np.float32), labels


def test_the_linear_head_is_at_the_minimum():
  """By an independent formula: softmax minus truth, of standardised inputs."""
  x, labels = _clusters(30)
  weight = np.ones(30, np.float32)
  weight[25:] = 0
  fit = _fit()
  params = jax.jit(fit)(Inputs(*map(jnp.asarray, (x, labels, weight))), 0.1)
  kernel, bias = (np.asarray(params[name], np.float64) for name in ("kernel", "bias"))
  mean_of_frames = x.astype(np.float64).mean(1)
  used = mean_of_frames[:25]
  mean, deviation = used.mean(0), used.std(0)
  deviation[3] = np.inf
  logits = used @ kernel + bias
  share = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
  error = (share - np.eye(3)[labels[:25]]) / 25
  standard = (used - mean) / deviation
  scaled = kernel * np.where(np.isinf(deviation), 0, deviation)[:, None]
  np.testing.assert_allclose(standard.T @ error + 0.1 * scaled, 0, atol=2e-4)
  np.testing.assert_allclose(error.sum(0), 0, atol=2e-4)
  assert not kernel[3].any()


def test_several_tasks_and_several_labels_are_fitted():
  x, labels = _clusters(30, spread=0.05)
  weight = jnp.ones(30)
  tasks = _fit({"verb": 3, "noun": 2})
  both = np.stack([labels, labels % 2], 1)
  # As a probe calls it: a loss of tasks, whose fields are dicts, has no hash.
  params = jax.jit(tasks)(Inputs(jnp.asarray(x), jnp.asarray(both), weight), 1e-3)
  answers = jax.jit(tasks.probabilities)(params, jnp.asarray(x))
  assert (answers["verb"].argmax(1) == labels).all()
  assert (answers["noun"].argmax(1) == labels % 2).all()
  several = _fit(name="sigmoid")
  truth = np.eye(3, dtype=np.float32)[labels]
  params = several(Inputs(jnp.asarray(x), jnp.asarray(truth), weight), 1e-3)
  answers = several.probabilities(params, jnp.asarray(x))
  assert ((answers > 0.5) == truth).all()


def test_the_head_over_frames_sees_their_differences():
  """The sign of a frame's change has no trace in the average."""
  rng = np.random.default_rng(0)
  labels = np.arange(40) % 2
  sign = 2 * labels - 1
  x = 0.1 * rng.standard_normal((40, 4, 8))
  x[:, 1, 0] += sign
  x[:, 2, 0] -= sign
  x[:, 2, 1] += 1
  data = Inputs(jnp.asarray(x, jnp.float32), jnp.asarray(labels), jnp.ones(40))
  fit = _fit(2, "attention")
  answers = fit.probabilities(jax.jit(fit)(data, 0.01), data.x)
  assert (answers.argmax(1) == labels).mean() > 0.9


@pytest.mark.parametrize("folds", [2, 3])
def test_held_out_answers_know_nothing_of_their_labels(folds):
  x, labels = _clusters(24, spread=0.1)
  rows, parts = x[:, None], np.arange(24) // 3 % folds
  fit = _fit()
  right = cross_validate(fit, rows, labels, parts, (1e-3, 1.0))
  assert (right.scores.shape) == (24, 1, 3)
  assert (right.scores[:, 0].argmax(1) == labels).mean() > 0.9
  # Other labels of one fold change the answers for the others only.
  wrong = np.where(parts == 0, (labels + 1) % 3, labels)
  changed = cross_validate(fit, rows, wrong, parts, (1e-3, 1.0))
  np.testing.assert_allclose(
    changed.scores[parts == 0], right.scores[parts == 0], atol=1e-6
  )
  assert np.abs(changed.scores[parts == 1] - right.scores[parts == 1]).max() > 1e-3


def test_random_labels_are_answered_at_chance():
  """A strength chosen on the answers themselves would look better."""
  rng = np.random.default_rng(3)
  rows = rng.standard_normal((60, 1, 1, 40)).astype(np.float32)
  labels = rng.permutation(np.arange(60) % 2)
  loss = training.Loss(2)
  fit = HeadFit(HEADS["average"](num_classes=2), loss, 1, 1e-3, 0)
  found = cross_validate(fit, rows, labels, np.arange(60) % 5, (1e-3, 1e-1, 10.0))
  assert (found.scores[:, 0].argmax(1) == labels).mean() < 0.7
  assert found.strength == 10.0


def test_two_folds_choose_the_strength_within_each():
  """Also where all places of a fold are even: noise needs the largest one."""
  x, _ = _clusters(24)
  labels = np.random.default_rng(1).integers(0, 3, 24)
  rows, folds = x[:, None], np.arange(24) % 2
  either = cross_validate(_fit(), rows, labels, folds, (1e-4, 10.0))
  largest = cross_validate(_fit(), rows, labels, folds, (10.0,))
  np.testing.assert_array_equal(either.scores, largest.scores)
