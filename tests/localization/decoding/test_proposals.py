"""Proposals of BMN against the definition, and labels of them."""

import math

import numpy as np
import pytest

from temporal_jax.localization import (
  average_windows,
  best_pairs,
  class_scores,
  find_proposals,
  label_by_video,
)


def _maps(rng, durations, length):
  return {
    "start": rng.random(length, np.float32),
    "end": rng.random(length, np.float32),
    "confidence": rng.random((durations, length, 2), np.float32),
  }


def _is_possible(scores, t):
  if t in (0, len(scores) - 1):
    return False
  peak = scores[t] > scores[t + 1] and scores[t] > scores[t - 1]
  return peak or scores[t] > 0.5 * max(scores)


@pytest.mark.parametrize("boundaries", [False, True])
def test_proposals_are_their_definition(boundaries):
  maps = _maps(np.random.default_rng(0), 6, 12)
  start, end, confidence = maps.values()
  wanted = {}
  for d in range(6):
    for t in range(12):
      last = t + d + 1
      begins = t == 0 or _is_possible(start, t)
      if last < 12 and begins and (last == 11 or _is_possible(end, last)):
        regressed, classified = confidence[d, t].astype(float)
        score = classified**1.2 * regressed**1.1
        if boundaries:
          score *= float(start[t]) * float(end[last])
        wanted[d, t] = (t, last, score)
  got = find_proposals(maps, regression_power=1.1, boundaries=boundaries)
  assert list(map(tuple, got.places)) == list(wanted)
  np.testing.assert_allclose(
    np.column_stack([got.segments, got.scores]), list(wanted.values()), rtol=1e-6
  )


def test_a_film_of_one_position_has_no_proposals():
  got = find_proposals(_maps(np.random.default_rng(0), 3, 1))
  assert got.segments.shape == (0, 2)
  assert got.scores.shape == (0,)


def test_shapes_of_maps_are_checked():
  maps = _maps(np.random.default_rng(0), 3, 4)
  with pytest.raises(ValueError, match=r"confidence \(D, P, 2\), got \(4,\), \(4,\)"):
    find_proposals({**maps, "confidence": maps["confidence"][:, :3]})
  with pytest.raises(ValueError, match=r"P > 0, .* got \(0,\)"):
    find_proposals(_maps(np.random.default_rng(0), 3, 0))


def test_windows_are_averaged_where_they_overlap():
  rng = np.random.default_rng(0)
  durations, positions, length, starts = 3, 5, 11, (0, 3, 7)
  windows = [_maps(rng, durations, positions) for _ in starts]
  got = average_windows(windows, starts, length)
  for p in range(length):
    here = [(w, p - s) for w, s in zip(windows, starts, strict=True)]
    here = [(w, t) for w, t in here if 0 <= t < positions]
    for name in ("start", "end"):
      values = [w[name][t] for w, t in here]
      np.testing.assert_allclose(got[name][p], np.mean(values), rtol=1e-6)
    for d in range(durations):
      values = [w["confidence"][d, t] for w, t in here if t + d < positions]
      wanted = np.mean(values, axis=0) if values else (0, 0)
      np.testing.assert_allclose(got["confidence"][d, p], wanted, rtol=1e-6)


def test_windows_and_starts_must_be_as_many():
  with pytest.raises(ValueError, match="got 0 windows and 0 starts"):
    average_windows([], [], 4)
  with pytest.raises(ValueError, match="got 1 windows and 2 starts"):
    average_windows([_maps(np.random.default_rng(0), 2, 2)], [0, 1], 4)


def test_classes_of_proposals_are_their_definition():
  rng = np.random.default_rng(0)
  logits = rng.standard_normal((2, 9, 4))
  places = np.array([[0, 0], [0, 8], [3, 2], [8, 0]])
  got = class_scores(logits, places, points=2)
  for row, (d, t) in enumerate(places):
    total = np.zeros(4)
    for view in logits:
      for point in range(2):
        sample = np.zeros(4)
        for k in range(3 * point, 3 * point + 3):
          place = t + d * k / 5
          low = math.floor(place)
          high = min(low + 1, 8)
          sample += view[low] * (1 - place + low) + view[high] * (place - low)
        weights = np.exp(sample / 3)
        total += weights / weights.sum()
    np.testing.assert_allclose(got[row], total / 4, rtol=1e-6)
  np.testing.assert_allclose(class_scores(logits[0], places[:0]), np.zeros((0, 4)))


def test_best_pairs_are_the_best_of_all_pairs_of_the_best():
  rng = np.random.default_rng(0)
  verbs, nouns = rng.random((3, 6)), rng.random((3, 8))
  labels, scores = best_pairs(verbs, nouns, num_verbs=2, num_nouns=3, num_pairs=4)
  for row in range(3):
    pairs = [
      (verbs[row, v] * nouns[row, n], v, n)
      for v in sorted(range(6), key=lambda v: -verbs[row, v])[:2]
      for n in sorted(range(8), key=lambda n: -nouns[row, n])[:3]
    ]
    pairs = sorted(pairs, reverse=True)[:4]
    np.testing.assert_array_equal(labels[row], [pair[1:] for pair in pairs])
    np.testing.assert_allclose(scores[row], [pair[0] for pair in pairs])


def test_segments_get_the_classes_of_their_film():
  segments, scores = np.array([[0.0, 1.0], [2.0, 4.0]]), np.array([0.5, 0.25])
  got = label_by_video(segments, scores, np.array([0.1, 0.8, 0.4]), num_labels=2)
  np.testing.assert_array_equal(got[0], [*segments, *segments])
  np.testing.assert_allclose(got[1], [0.4, 0.2, 0.2, 0.1])
  np.testing.assert_array_equal(got[2], [1, 1, 2, 2])
  fused = label_by_video(segments, scores, np.array([0.5]), power=0.5)[1]
  np.testing.assert_allclose(fused, np.sqrt([0.25, 0.125]))
