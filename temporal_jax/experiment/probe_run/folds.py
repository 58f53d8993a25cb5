"""Parts of few videos, each held out once (k-fold cross-validation)."""

from collections.abc import Sequence

import numpy as np

from temporal_jax.data.labels import Label


def split_folds(
  labels: Sequence[Label], count: int, *, groups: Sequence[str] = (), seed: int = 0
) -> np.ndarray:
  """Returns the fold of each video; classes are spread over the folds.

  A class, of several tasks or labels a combination of them, has in two folds
  numbers of videos that differ by one at most, unless groups are large.

  Args:
    labels: Labels of n videos.
    count: Folds at most, K: fewer where the smallest class has fewer videos
      or groups.
    groups: Group of each video, whose videos stay together; () for none.
    seed: Seed of the order in which videos are given to folds.

  Returns:
    (n,) int32, from 0; all 0 where a class has a single video or group.
  """
  groups = groups or [str(number) for number in range(len(labels))]
  of_class: dict[Label, set[str]] = {}
  members: dict[str, list[int]] = {}
  for number, (label, group) in enumerate(zip(labels, groups, strict=True)):
    of_class.setdefault(label, set()).add(group)
    members.setdefault(group, []).append(number)
  count = min(count, *(len(of) for of in of_class.values())) if of_class else 1
  folds = np.zeros(len(labels), np.int32)
  if count < 2:
    return folds
  order = np.random.default_rng(seed).permutation(len(members))
  names = [list(members)[place] for place in order]
  names.sort(key=lambda name: -len(members[name]))  # Large groups first.
  sizes = {label: np.zeros(count) for label in of_class}
  total = np.zeros(count)
  for name in names:
    own = members[name]
    crowded = sum(sizes[labels[number]] for number in own)
    fold = int(np.lexsort((total, crowded))[0])
    folds[own] = fold
    total[fold] += len(own)
    for number in own:
      sizes[labels[number]][fold] += 1
  return folds
