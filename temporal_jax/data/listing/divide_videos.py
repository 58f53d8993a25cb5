"""Divides videos without a split into training and test."""

import hashlib
import os
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from temporal_jax.data.listing.csv_list import ONE, Row
from temporal_jax.display import printable

_NAMED = 5  # Groups that a message names, at most.


def draw_test(
  rows: Sequence[Row], columns: Sequence[str], test_fraction: float
) -> dict[str, list[Row]]:
  """Returns the rows of the training and of the test.

  Each class gives `test_fraction` of its videos, rounded, to the test, at least
  one and never its last. Groups, and videos without one, take their turn in the
  order of a hash of their names: one goes to the test if at least half of its
  videos are still wanted by their classes, and each of its classes keeps a
  video to train on. Groups thus stay together, and large ones make the share of
  a class differ from `test_fraction`.

  Args:
    rows: The videos.
    columns: Columns of labels; of others than `label` all videos together are
      one class.
    test_fraction: Share of the videos to test, in [0, 1).
  """
  keys = [row.names if tuple(columns) == (ONE,) else () for row in rows]
  left = Counter(keys)
  wanted = {key: _wanted(count, test_fraction) for key, count in left.items()}
  units: dict[Hashable, list[int]] = {}
  for number, row in enumerate(rows):
    units.setdefault(row.group or number, []).append(number)
  splits: dict[str, list[Row]] = {"train": [], "test": []}
  for members in sorted(units.values(), key=lambda of: _hash(rows[of[0]])):
    counts = Counter(keys[number] for number in members)
    gain = sum(min(count, wanted[key]) for key, count in counts.items())
    is_tested = 2 * gain >= len(members) and all(
      count < left[key] for key, count in counts.items()
    )
    if is_tested:
      for key, count in counts.items():
        wanted[key] = max(wanted[key] - count, 0)
        left[key] -= count
    splits["test" if is_tested else "train"] += [rows[number] for number in members]
  return splits


def shared_groups(splits: Mapping[str, Sequence[Row]]) -> str:
  """Returns a sentence on groups in both splits, "" if there are none."""
  train, test = (
    {row.group for row in splits[split] if row.group} for split in ("train", "test")
  )
  shared = sorted(train & test)
  if not shared:
    return ""
  names = ", ".join(map(printable, shared[:_NAMED]))
  more = f" and {len(shared) - _NAMED} more" if len(shared) > _NAMED else ""
  return (
    f"{len(shared)} of {len(test)} groups of the test have videos in training too, "
    f"so that the test is easier than new videos: {names}{more}."
  )


def _wanted(count: int, test_fraction: float) -> int:
  """Returns the number of videos that a class of `count` gives to the test."""
  number = round(test_fraction * count)
  if test_fraction > 0 and count > 1:
    number = min(max(number, 1), count - 1)
  return number


def _hash(row: Row) -> bytes:
  """Returns the place of a group, or of a video without one, in the order."""
  if row.group:
    return hashlib.sha256(row.group.encode(errors="surrogateescape")).digest()
  # The part of a path that does not change when the data moves.
  name = "/".join(row.path.replace(os.sep, "/").rsplit("/", 2)[-2:])
  return hashlib.sha256(name.encode(errors="surrogateescape")).digest()
