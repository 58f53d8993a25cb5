"""The order of training videos with all classes equally often."""

import fractions
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from temporal_jax.data.pipeline.permutation import shuffled
from temporal_jax.data.sources import Source

_WORD = 32  # Bits of a seed.


class Balance(NamedTuple):
  """Videos by class, and the share of clips that are drawn by class.

  Of the first n clips, floor(share n) are drawn by class, evenly spread; the
  others are all videos in turn, in the order of a run without balance. Among
  the clips that are drawn by class, C consecutive ones are of all C classes,
  shuffled; of a class each video comes once before any comes again. The video
  of a place is thus computed from the place, on any process.

  Attributes:
    members: Numbers of the videos of each class that has videos.
    share: In (0, 1].
  """

  members: Sequence[np.ndarray]
  share: float

  def number(self, place: int, count: int, seed: int) -> int:
    """Returns the number of the video at a place of the order.

    Args:
      place: Place in the order, from 0.
      count: Number of all videos.
      seed: Seed of the order.
    """
    # The decimal number itself: floats would miscount far places.
    share = fractions.Fraction(str(self.share))
    before, after = int(share * place), int(share * (place + 1))
    if before == after:
      return shuffled(place - before, count, seed)
    classes = len(self.members)
    chosen = shuffled(before, classes, seed + (1 << _WORD))
    members = self.members[chosen]
    visit = before // classes  # Every class was drawn as many times before.
    return int(members[shuffled(visit, len(members), seed + (chosen + 2 << _WORD))])


def balance_classes(source: Source, share: float) -> Balance:
  """Returns the balance of a source.

  Args:
    source: The videos. Of a prepared data set, whose labels are stored with the
      videos, all are read once.
    share: Share of clips that are drawn by class, in (0, 1].

  Raises:
    ValueError: If a video has several labels.
  """
  if isinstance(source.class_names, Mapping) or source.multi_label:
    several = "several classes each"
    if isinstance(source.class_names, Mapping):
      several = f"the tasks {[*source.class_names]}"
    raise ValueError(
      f"data.balance {share:g} is for videos of one class each; these have {several}."
    )
  labels = np.array([source[number]["label"] for number in range(len(source))])
  numbers = np.argsort(labels, kind="stable")
  _, starts = np.unique(labels[numbers], return_index=True)
  return Balance(np.split(numbers, starts[1:]), share)


def count_classes(source: Source) -> list[np.ndarray]:
  """Returns the number of videos of each class (L,), of each task.

  Args:
    source: The videos; see `balance_classes`. Videos with several classes count
      for each.
  """
  tasks = source.class_names
  names = [*tasks.values()] if isinstance(tasks, Mapping) else [tasks]
  counts = [np.zeros(len(of_task), np.int64) for of_task in names]
  for number in range(len(source)):
    label = source[number]["label"]
    if isinstance(label, frozenset):
      counts[0][list(label)] += 1
      continue
    labels = label if isinstance(label, tuple) else (label,)
    for of_task, one in zip(counts, labels, strict=True):
      of_task[one] += 1
  return counts
