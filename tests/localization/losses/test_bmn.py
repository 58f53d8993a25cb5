"""Targets and losses of BMN, one position after the other."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.localization.losses import bmn

LENGTH, DURATIONS = 8, 5


TARGETS = jax.jit(
  functools.partial(bmn.proposal_targets, length=LENGTH, durations=DURATIONS)
)


def _truth(rng, count, length=LENGTH):
  """Segments, some of which reach out of the sequence."""
  return np.sort(rng.uniform(-1, length + 1, (count, 2)), axis=1).astype(np.float32)


def _loop_targets(segments):
  """Start, end and IoU by definition, of positions scaled to [0, 1]."""
  start, end = np.zeros(LENGTH), np.zeros(LENGTH)
  iou = np.zeros((DURATIONS, LENGTH))
  for segment in segments:
    first, last = (min(max(x / LENGTH, 0), 1) for x in segment)
    for t in range(LENGTH):
      low, high = (t - 0.5) / LENGTH, (t + 1.5) / LENGTH
      for scores, boundary in ((start, first), (end, last)):
        near = (boundary - 1.5 / LENGTH, boundary + 1.5 / LENGTH)
        shared = max(min(high, near[1]) - max(low, near[0]), 0)
        scores[t] = max(scores[t], shared / (high - low))
      for d in range(min(DURATIONS, LENGTH - t)):
        low, high = t / LENGTH, (t + d + 1) / LENGTH
        shared = max(min(high, last) - max(low, first), 0)
        union = high - low + last - first - shared
        iou[d, t] = max(iou[d, t], shared / union)
  return start, end, iou


def test_targets_are_their_definition():
  rng = np.random.default_rng(0)
  counts = [3, 0, 1]
  segments, exists = np.zeros((3, 4, 2), np.float32), np.zeros((3, 4), bool)
  for row, count in enumerate(counts):
    segments[row, :count], exists[row, :count] = _truth(rng, count), True
  got = TARGETS(segments, exists)
  for row, count in enumerate(counts):
    wanted = _loop_targets(segments[row, :count])
    for one, other in zip(got, wanted, strict=True):
      np.testing.assert_allclose(one[row], other, atol=1e-5)


def _balanced(scores, positive, negative):
  """Weighted cross-entropy, one entry after the other, as the reference."""
  entries = [(p, True) for p in scores[positive]]
  entries += [(p, False) for p in scores[negative]]
  ratio = len(entries) / positive.sum()
  total = 0.0
  for score, good in entries:
    if good:
      total += 0.5 * ratio * np.log(score + 1e-6)
    else:
      total += 0.5 * ratio / (ratio - 1) * np.log(1 - score + 1e-6)
  return -total / len(entries)


def _valid():
  return np.add.outer(np.arange(DURATIONS), np.arange(LENGTH)) < LENGTH


def test_losses_are_their_definition():
  rng = np.random.default_rng(0)
  scores, target = rng.random((2, 3, LENGTH), np.float32)
  wanted = _balanced(scores, target > 0.5, target <= 0.5)
  np.testing.assert_allclose(
    jax.jit(bmn.boundary_loss)(scores, target), wanted, rtol=1e-5
  )
  scores, target = rng.random((2, 3, DURATIONS, LENGTH), np.float32)
  target, valid = target * _valid(), np.broadcast_to(_valid(), target.shape)
  wanted = _balanced(scores, target > 0.9, (target <= 0.9) & valid)
  got = jax.jit(bmn.proposal_classification_loss)(scores, target)
  np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_regression_takes_about_as_many_of_each_group():
  rng = np.random.default_rng(0)
  shape = (40, DURATIONS, LENGTH)
  target = rng.random(shape, np.float32) * _valid()
  error = 0.1 * (target > 0.7) + 0.2 * (target <= 0.7) + 0.1 * (target <= 0.3)
  scores = jnp.asarray(target + error, jnp.float32)
  keys = jax.random.split(jax.random.key(0), 100)
  loss = jax.jit(
    jax.vmap(lambda key: bmn.proposal_regression_loss(key, scores, target))
  )(keys)
  groups = [target > 0.7, (target > 0.3) & (target <= 0.7), target <= 0.3]
  groups[2] &= target > 0
  high = groups[0].sum()
  taken = [min(group.sum(), high) for group in groups]
  wanted = 0.5 * np.dot(taken, [0.01, 0.04, 0.09]) / np.sum(taken)
  np.testing.assert_allclose(loss.mean(), wanted, rtol=0.02)
  assert loss.std() > 0


def test_a_batch_without_segments_has_a_finite_loss_and_gradient():
  shape = (2, DURATIONS, LENGTH)
  scores = {
    "start": jnp.full((2, LENGTH), 0.25),
    "end": jnp.full((2, LENGTH), 0.5),
    "confidence": jnp.full((*shape, 2), 0.5),
  }
  targets = TARGETS(jnp.zeros((2, 0, 2)), jnp.zeros((2, 0), bool))

  def loss(scores):
    return bmn.bmn_loss(jax.random.key(0), scores, targets)

  (total, parts), gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))(scores)
  wanted = -0.5 * (np.log(0.75) + np.log(0.5))
  np.testing.assert_allclose(parts["boundaries"], wanted, rtol=1e-4)
  np.testing.assert_allclose(total, wanted, rtol=1e-4)
  assert all(np.isfinite(x).all() for x in jax.tree.leaves(gradient))


def test_shapes_are_checked():
  sizes = {"length": LENGTH, "durations": DURATIONS}
  with pytest.raises(ValueError, match=r"segments must be \(B, G, 2\)"):
    bmn.proposal_targets(jnp.zeros((2, 2)), jnp.zeros((2, 2), bool), **sizes)
  with pytest.raises(ValueError, match=r"exists must be bool \(1, 2\)"):
    bmn.proposal_targets(jnp.zeros((1, 2, 2)), jnp.zeros((1, 3), bool), **sizes)
