"""Candidates of ActionFormer, one position and class after the other."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.localization import (
  find_candidates,
  position_seconds,
  second_positions,
)

LENGTHS, CLASSES = (8, 4), 3


def _levels(rng):
  levels = []
  for level, length in enumerate(LENGTHS):
    points = np.zeros((length, 4), np.float32)
    points[:, 0], points[:, 3] = np.arange(length) * 2**level, 2**level
    levels.append(
      {
        "logits": rng.standard_normal((2, length, CLASSES), np.float32),
        "offsets": rng.uniform(0, 2, (2, length, 2)).astype(np.float32),
        "mask": np.arange(length) < np.array([[length], [length - 2]]),
        "points": points,
      }
    )
  return levels


def _loop_candidates(level, film, threshold, most, shortest):
  found = []
  for t in np.nonzero(level["mask"][film])[0]:
    for label in range(CLASSES):
      score = 1 / (1 + np.exp(-level["logits"][film, t, label]))
      position, _, _, stride = level["points"][t]
      left, right = level["offsets"][film, t] * stride
      if score > threshold:
        found.append((position - left, position + right, score, label))
  best = sorted(found, key=lambda one: -one[2])[:most]
  return [one for one in best if one[1] - one[0] > shortest]


def test_candidates_are_their_definition():
  levels = _levels(np.random.default_rng(0))
  levels[0]["offsets"][0, :3] = 0  # Segments without a length are none.
  settings = {"threshold": 0.3, "most": 10, "shortest": 0.5}
  got = jax.jit(functools.partial(find_candidates, **settings))(levels)
  assert got.scores.shape == (2, 10 + 10)
  for film in range(2):
    wanted = [x for one in levels for x in _loop_candidates(one, film, **settings)]
    kept = np.asarray(got.scores[film]) > 0
    columns = (got.segments[film], got.scores[film], got.labels[film])
    found = np.column_stack([np.asarray(x) for x in columns])[kept]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_fewer_candidates_than_asked_for_are_all():
  levels = jax.tree.map(jnp.asarray, _levels(np.random.default_rng(0)))
  got = jax.eval_shape(find_candidates, levels)
  assert got.scores.shape == (2, sum(LENGTHS) * CLASSES)


def test_seconds_and_positions_are_inverse_inside_of_the_film():
  facts = {"stride": 4, "window": 16, "fps": 30}
  segments = np.array([[0.0, 3.0], [10.0, 200.0]])
  seconds = position_seconds(segments, duration=1000, **facts)
  np.testing.assert_allclose(seconds[0], [8 / 30, 20 / 30])
  np.testing.assert_allclose(second_positions(seconds, **facts), segments)
  clipped = position_seconds(np.array([-10.0, 1e4]), duration=7, **facts)
  np.testing.assert_array_equal(clipped, [0, 7])
