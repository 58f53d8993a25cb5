"""Targets and losses of ActionFormer, one position after the other."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.localization.losses import actionformer

LEVELS = ((0, 4), (2, 8), (8, 100))
LENGTH, CLASSES = 16, 3


def _points():
  rows = [
    (t, *reach, 2**level)
    for level, reach in enumerate(LEVELS)
    for t in range(0, LENGTH, 2**level)
  ]
  return np.array(rows, np.float32)


def _loop_targets(points, segments, labels, radius):
  """Classes and offsets by definition, of one sequence."""
  classes = np.zeros((len(points), CLASSES))
  offsets = np.zeros((len(points), 2))
  for row, (t, least, greatest, stride) in enumerate(points):
    fitting = []
    for (start, end), label in zip(segments, labels, strict=True):
      centre = (start + end) / 2
      low, high = start, end
      if radius is not None:
        low = max(start, centre - radius * stride)
        high = min(end, centre + radius * stride)
      if low < t < high and least <= max(t - start, end - t) <= greatest:
        fitting.append((end - start, (t - start, end - t), label))
    if fitting:
      shortest = min(fitting, key=lambda one: one[0])
      offsets[row] = np.array(shortest[1]) / stride
      for length, _, label in fitting:
        if length <= shortest[0] + 1e-3:
          classes[row, label] = 1
  return classes, offsets


TARGETS = jax.jit(actionformer.point_targets, static_argnames=("num_classes", "radius"))


@pytest.mark.parametrize("radius", [1.5, None])
def test_targets_are_their_definition(radius):
  rng = np.random.default_rng(0)
  points = _points()
  counts = [4, 0, 2, 5]
  segments = np.sort(rng.uniform(0, LENGTH, (4, 5, 2)), axis=2).astype(np.float32)
  segments[3, 1] = segments[3, 0]  # Two labels of one segment,
  segments[3, 3] = segments[3, 2] + 2.0**-12  # and of one nearly as short.
  labels = rng.integers(0, CLASSES, (4, 5))
  labels[3] = [0, 1, 2, 0, 0]
  exists = np.arange(5) < np.array(counts)[:, None]
  got = TARGETS(points, segments, labels, exists, num_classes=CLASSES, radius=radius)
  assert got.classes.max() == 1
  for row, count in enumerate(counts):
    wanted = _loop_targets(points, segments[row, :count], labels[row, :count], radius)
    np.testing.assert_array_equal(got.classes[row], wanted[0])
    np.testing.assert_allclose(got.offsets[row], wanted[1], atol=1e-5)


def test_no_segments_at_all_have_no_targets():
  got = TARGETS(
    jnp.asarray(_points()),
    jnp.zeros((2, 0, 2)),
    jnp.zeros((2, 0), int),
    jnp.zeros((2, 0), bool),
    num_classes=CLASSES,
  )
  assert got.classes.shape == (2, len(_points()), CLASSES)
  assert not got.classes.any()
  assert not got.offsets.any()


def _focal(logit, target):
  p, t = 1 / (1 + np.exp(-float(logit))), float(target)
  entropy = -t * np.log(p) - (1 - t) * np.log(1 - p)
  agreement = p * t + (1 - p) * (1 - t)
  return (0.25 * t + 0.75 * (1 - t)) * (1 - agreement) ** 2 * entropy


def _distance(offsets, target):
  (start, end), (first, last) = ((-a, b) for a, b in (offsets, target))
  shared = max(min(end, last) - max(start, first), 0)
  iou = shared / (end - start + last - first - shared)
  hull = max(end, last) - min(start, first)
  centres = (start + end) / 2 - (first + last) / 2
  return 1 - iou + (centres / hull) ** 2


def test_focal_loss_is_its_definition():
  rng = np.random.default_rng(0)
  logits = 3 * rng.standard_normal((4, 5), np.float32)
  targets = rng.choice([0, 1, 0.9, 0.05], (4, 5)).astype(np.float32)
  got = jax.jit(actionformer.focal_loss)(logits, targets)
  wanted = [_focal(*one) for one in zip(logits.flat, targets.flat, strict=True)]
  np.testing.assert_allclose(got.ravel(), wanted, rtol=1e-4)


def test_offset_loss_is_the_distance_iou():
  rng = np.random.default_rng(0)
  offsets, targets = rng.uniform(0, 3, (2, 20, 2)).astype(np.float32)
  got = jax.jit(actionformer.offset_loss)(offsets, targets)
  wanted = [_distance(*one) for one in zip(offsets, targets, strict=True)]
  np.testing.assert_allclose(got, wanted, rtol=1e-4)


def test_empty_segments_have_a_finite_gradient():
  zeros = jnp.zeros((1, 2))
  loss, gradient = jax.jit(
    jax.value_and_grad(lambda x: actionformer.offset_loss(x, zeros).sum())
  )(zeros)
  assert loss == 1
  assert np.isfinite(gradient).all()


def _levels(rng, lengths=(4, 2)):
  masks = (np.array([[1, 1, 1, 0], [1, 1, 0, 0]], bool), np.ones((2, 2), bool))
  return [
    {
      "logits": rng.standard_normal((2, length, CLASSES), np.float32),
      "offsets": rng.uniform(0, 2, (2, length, 2)).astype(np.float32),
      "mask": mask,
    }
    for length, mask in zip(lengths, masks, strict=True)
  ]


def test_loss_sums_what_the_masks_hold():
  rng = np.random.default_rng(0)
  levels = _levels(rng)
  classes = np.eye(CLASSES + 1, CLASSES)[rng.integers(0, CLASSES + 1, (2, 6))]
  targets = actionformer.PointTargets(
    jnp.asarray(classes, jnp.float32),
    jnp.asarray(rng.uniform(0, 2, (2, 6, 2)), jnp.float32),
  )
  total, normalizer, parts = jax.jit(
    functools.partial(
      actionformer.actionformer_loss, label_smoothing=0.1, offset_weight=2.0
    )
  )(levels, targets, jnp.float32(100))
  logits, offsets, mask = (
    np.concatenate([level[name] for level in levels], axis=1)
    for name in ("logits", "offsets", "mask")
  )
  focal = distance = count = 0
  for place in zip(*np.nonzero(mask), strict=True):
    smooth = classes[place] * 0.9 + 0.1 / (CLASSES + 1)
    focal += sum(_focal(*one) for one in zip(logits[place], smooth, strict=True))
    if classes[place].any():
      count += 1
      distance += _distance(offsets[place], np.asarray(targets.offsets)[place])
  average = 0.9 * 100 + 0.1 * count
  np.testing.assert_allclose(normalizer, average, rtol=1e-6)
  np.testing.assert_allclose(parts["classes"], focal / average, rtol=1e-4)
  np.testing.assert_allclose(parts["offsets"], distance / average, rtol=1e-4)
  np.testing.assert_allclose(total, (focal + 2 * distance) / average, rtol=1e-4)


def test_a_batch_without_segments_counts_as_one_position():
  levels = _levels(np.random.default_rng(0))
  targets = actionformer.PointTargets(jnp.zeros((2, 6, CLASSES)), jnp.zeros((2, 6, 2)))
  loss = jax.jit(actionformer.actionformer_loss)
  total, normalizer, parts = loss(levels, targets, jnp.float32(10))
  np.testing.assert_allclose(normalizer, 9.1, rtol=1e-6)
  assert parts["offsets"] == 0
  assert np.isfinite(total)


def test_shapes_are_checked():
  points, segments = jnp.zeros((3, 4)), jnp.zeros((1, 2, 2))
  labels, exists = jnp.zeros((1, 2), int), jnp.zeros((1, 2), bool)
  check = actionformer.point_targets
  for arguments, message in (
    ((points[:, :3], segments, labels, exists), "points must be"),
    ((points, segments[0], labels, exists), "segments must be"),
    ((points, segments, labels[0], exists), r"labels must be \(1, 2\)"),
    ((points, segments, labels, exists[0]), r"exists must be \(1, 2\)"),
  ):
    with pytest.raises(ValueError, match=message):
      check(*arguments, num_classes=CLASSES)
