"""Matches detections to true segments, the best ones first."""

from collections.abc import Iterator

import numpy as np

from temporal_jax.evaluation.detection.overlap import segment_iou

_PAIRS_AT_ONCE = 2**20


def match_segments(
  keys: np.ndarray,
  segments: np.ndarray,
  true_keys: np.ndarray,
  true_segments: np.ndarray,
  thresholds: np.ndarray,
) -> np.ndarray:
  """Finds the true segment of each detection, in the order of detections.

  Each detection takes, of the true segments of its key that none before it has
  taken, the one that it overlaps most, if that is at least the threshold; of
  equal ones the first.

  Detections of one key depend on each other, detections of different keys do
  not: round k matches the k-th detection of all keys at once.

  Args:
    keys: (N,) integer, such as a number for each film and class.
    segments: (N, 2), the best one of each key first.
    true_keys: (M,) integer.
    true_segments: (M, 2).
    thresholds: (T,) of intersection over union, above 0.

  Returns:
    (N, T) bool: whether a detection takes a true segment.
  """
  hits = np.zeros((len(keys), len(thresholds)), bool)
  by_key = np.argsort(true_keys, kind="stable")
  true_keys, true_segments = true_keys[by_key], true_segments[by_key]
  found, true, iou = _overlapping(
    keys, segments, true_keys, true_segments, thresholds.min()
  )
  if not len(found):
    return hits
  rounds = _rounds(keys, found)
  # Sorted by round, then by detection, then with the best pair first.
  order = np.lexsort((true, -iou, found, rounds))
  found, true, iou, rounds = (a[order] for a in (found, true, iou, rounds))
  free = np.ones((len(true_keys), len(thresholds)), bool)
  firsts = np.flatnonzero(np.r_[True, found[1:] != found[:-1]])
  # First place of each round, among the pairs and among the detections.
  pairs = np.searchsorted(rounds, np.arange(rounds[-1] + 2))
  begins = np.searchsorted(firsts, pairs)
  for k in range(len(pairs) - 1):
    part = slice(pairs[k], pairs[k + 1])
    starts = firsts[begins[k] : begins[k + 1]]
    fits = free[true[part]] & (iou[part, None] >= thresholds)  # (pairs, T)
    count = len(fits)
    place = np.where(fits, np.arange(count)[:, None], count)
    best = np.minimum.reduceat(place, starts - pairs[k], axis=0)
    row, column = np.nonzero(best < count)
    hits[found[starts[row]], column] = True
    free[true[part][best[row, column]], column] = False
  return hits


def _overlapping(
  keys: np.ndarray,
  segments: np.ndarray,
  true_keys: np.ndarray,
  true_segments: np.ndarray,
  lowest: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Returns the pairs of a key that overlap by at least `lowest`.

  Args:
    keys: (N,) integer.
    segments: (N, 2).
    true_keys: (M,) sorted.
    true_segments: (M, 2).
    lowest: Intersection over union.

  Returns:
    Numbers (P,) of detections, ascending, and of true segments, and their
    intersection over union.
  """
  start = np.searchsorted(true_keys, keys, "left")
  counts = np.searchsorted(true_keys, keys, "right") - start
  found_, true_, iou_ = [], [], []
  for rows in _chunks(counts):
    of_row = counts[rows]
    found = np.repeat(np.arange(rows.start, rows.stop), of_row)
    # 0, 1, ... within each detection.
    within = np.arange(len(found)) - np.repeat(np.cumsum(of_row) - of_row, of_row)
    true = start[found] + within
    iou = segment_iou(segments[found], true_segments[true])
    kept = iou >= lowest
    found_.append(found[kept])
    true_.append(true[kept])
    iou_.append(iou[kept])
  if not found_:
    return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
  return np.concatenate(found_), np.concatenate(true_), np.concatenate(iou_)


def _chunks(counts: np.ndarray) -> Iterator[slice]:
  """Yields slices of detections with about as many pairs as fit at once."""
  totals = np.cumsum(counts)
  start = 0
  while start < len(counts):
    before = totals[start - 1] if start else 0
    stop = int(np.searchsorted(totals, before + _PAIRS_AT_ONCE, "right"))
    stop = max(stop, start + 1)
    yield slice(start, stop)
    start = stop


def _rounds(keys: np.ndarray, found: np.ndarray) -> np.ndarray:
  """Returns, for each pair, how many detections of its key are before its own.

  Only those that are in a pair count.

  Args:
    keys: (N,) of all detections.
    found: (P,) detections of the pairs, ascending.
  """
  fresh = np.r_[True, found[1:] != found[:-1]]
  detections = found[fresh]
  order = np.argsort(keys[detections], kind="stable")
  ordered = keys[detections][order]
  begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
  lengths = np.diff(np.r_[begins, len(ordered)])
  ranks = np.empty(len(detections), np.int64)
  ranks[order] = np.arange(len(ordered)) - np.repeat(begins, lengths)
  return ranks[np.cumsum(fresh) - 1]
