"""Losses against torch and loops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch.nn import functional

from temporal_jax.training.loss import Loss

LOGITS = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
LABEL = np.array([0, 1, 4, 2, 2, 3], np.int32)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_softmax_is_torchs(smoothing):
  loss = Loss(5, label_smoothing=smoothing)
  ours = loss(jnp.asarray(LOGITS), loss.targets(jnp.asarray(LABEL)))
  theirs = functional.cross_entropy(
    torch.from_numpy(LOGITS),
    torch.from_numpy(LABEL).long(),
    label_smoothing=smoothing,
    reduction="none",
  )
  np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_weighted_softmax_is_torchs(smoothing):
  weights = (0.5, 2.0, 1.0, 3.0, 0.25)
  loss = Loss(5, label_smoothing=smoothing, class_weights=weights)
  theirs = functional.cross_entropy(
    torch.from_numpy(LOGITS),
    torch.from_numpy(LABEL).long(),
    weight=torch.tensor(weights),
    label_smoothing=smoothing,
    reduction="none",
  )
  target = loss.targets(jnp.asarray(LABEL))
  ours = loss(jnp.asarray(LOGITS), target)
  np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-6)
  tasks = Loss({"verb": 5, "noun": 5}, class_weights={"verb": weights, "noun": [1] * 5})
  both = {task: jnp.asarray(LOGITS) for task in ("verb", "noun")}
  plain = Loss(5)(jnp.asarray(LOGITS), target)
  got = tasks(both, {"verb": target, "noun": target})
  np.testing.assert_allclose(got, ours + plain, rtol=1e-6)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_loss_is_that_of_the_paper(gamma):
  odds = np.exp(LOGITS.astype(np.float64))
  right = (odds / odds.sum(1, keepdims=True))[np.arange(6), LABEL]
  loss = Loss(5, focal=gamma)
  ours = loss(jnp.asarray(LOGITS), loss.targets(jnp.asarray(LABEL)))
  np.testing.assert_allclose(ours, -((1 - right) ** gamma) * np.log(right), rtol=1e-5)
  # Each class's probability of the right answer.
  many = np.random.default_rng(1).integers(0, 2, (6, 5)).astype(np.float32)
  yes = odds / (1 + odds)
  answer = np.where(many, yes, 1 - yes)
  each = Loss(5, name="sigmoid", focal=gamma)(jnp.asarray(LOGITS), jnp.asarray(many))
  want = -((1 - answer) ** gamma) * np.log(answer)
  np.testing.assert_allclose(each, want.mean(1), rtol=1e-5)


@pytest.mark.parametrize("name", ["softmax", "sigmoid"])
def test_focal_loss_of_sure_clips_has_a_gradient(name):
  logits = jnp.asarray([[200.0, -200.0]])
  for target in ([[1.0, 0.0]], [[0.0, 1.0]]):
    loss = Loss(2, name=name, focal=0.5)
    slope = jax.grad(lambda z, t=target, f=loss: f(z, jnp.asarray(t)).sum())(logits)
    assert np.isfinite(slope).all()


def test_sigmoid_is_torchs_mean_over_the_classes():
  many = np.random.default_rng(1).integers(0, 2, (6, 5)).astype(np.float32)
  loss = Loss(5, name="sigmoid")
  ours = loss(jnp.asarray(LOGITS), loss.targets(jnp.asarray(many)))
  theirs = functional.binary_cross_entropy_with_logits(
    torch.from_numpy(LOGITS), torch.from_numpy(many), reduction="none"
  )
  np.testing.assert_allclose(ours, theirs.mean(1).numpy(), rtol=1e-6)
  best = many[np.arange(6), LOGITS.argmax(1)]  # Whether the best is one of them.
  np.testing.assert_array_equal(loss.hits(jnp.asarray(LOGITS), jnp.asarray(many)), best)
  one = loss.targets(jnp.asarray(LABEL))  # Clips with one class each.
  np.testing.assert_array_equal(one, np.eye(5)[LABEL])


def test_tasks_add_up():
  loss = Loss({"verb": 5, "noun": 3})
  logits = {"verb": jnp.asarray(LOGITS), "noun": jnp.asarray(LOGITS[:, :3])}
  noun = LABEL % 3
  target = loss.targets(jnp.asarray(np.stack([LABEL, noun], 1)))
  shifted = np.log(np.exp(LOGITS).sum(1)) - LOGITS[np.arange(6), LABEL]
  nouns = np.log(np.exp(LOGITS[:, :3]).sum(1)) - LOGITS[np.arange(6), noun]
  np.testing.assert_allclose(loss(logits, target), shifted + nouns, rtol=1e-5)
  right = (LOGITS.argmax(1) == LABEL) & (LOGITS[:, :3].argmax(1) == noun)
  np.testing.assert_array_equal(loss.hits(logits, target), right.astype(float))


def test_probabilities():
  logits = jnp.asarray(LOGITS, jnp.bfloat16)
  soft = Loss(5).probabilities({"verb": logits})["verb"]
  np.testing.assert_allclose(soft.sum(1), 1, rtol=1e-6)
  assert soft.dtype == jnp.float32
  each = Loss(5, name="sigmoid").probabilities(jnp.asarray(LOGITS))
  np.testing.assert_allclose(each, 1 / (1 + np.exp(-LOGITS)), rtol=1e-6)


@pytest.mark.parametrize(
  ("loss", "label", "message"),
  [
    (Loss({"verb": 5, "noun": 3}), LABEL, r"verb.*noun.*\(B, 2\)"),
    (Loss(5), LABEL[:, None], r"\(B,\)"),
  ],
)
def test_labels_of_another_shape(loss, label, message):
  with pytest.raises(ValueError, match=message):
    loss.targets(jnp.asarray(label))


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    ({"name": "hinge"}, "softmax.*sigmoid.*hinge"),
    ({"label_smoothing": 1.0}, "label_smoothing"),
    ({"name": "sigmoid", "label_smoothing": 0.1}, "sigmoid"),
    ({"name": "sigmoid", "class_weights": [1, 2]}, "'sigmoid' takes no class_weights"),
    ({"focal": -1.0}, "focal must be at least 0, got -1.0"),
  ],
)
def test_wrong_arguments(arguments, message):
  with pytest.raises(ValueError, match=message):
    Loss(5, **arguments)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_logits_that_are_no_numbers_are_never_right(bad):
  """The index of the largest of NaNs is that of the first NaN."""
  logits = LOGITS.copy()
  for row in range(3):
    logits[row, LABEL[row]] = bad
  logits[3:] = 9 * np.eye(5)[LABEL[3:]]
  for name in ("softmax", "sigmoid"):
    loss = Loss(5, name=name)
    target = loss.targets(jnp.asarray(LABEL))
    hits = loss.hits(jnp.asarray(logits), target)
    np.testing.assert_array_equal(hits, [0, 0, 0, 1, 1, 1])
    finite = np.isfinite(loss.probabilities(jnp.asarray(logits))).all(axis=1)
    np.testing.assert_array_equal(finite, [0, 0, 0, 1, 1, 1])
