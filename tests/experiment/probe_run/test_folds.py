import numpy as np
import pytest

from temporal_jax.experiment.probe_run.folds import split_folds


def test_classes_are_spread_over_the_folds():
  labels = [0] * 11 + [1] * 7 + [2] * 5
  folds = split_folds(labels, 5)
  counts = np.array(
    [np.bincount(folds[np.equal(labels, one)], minlength=5) for one in range(3)]
  )
  assert (counts.max(1) - counts.min(1) <= 1).all()
  assert np.ptp(counts.sum(0)) <= 1


def test_groups_stay_together():
  groups = [f"film {number // 4}" for number in range(32)]
  labels = [number // 16 for number in range(32)]
  folds = split_folds(labels, 3, groups=groups)
  assert set(folds) == {0, 1, 2}
  for name in set(groups):
    assert len(set(folds[np.equal(groups, name)])) == 1


@pytest.mark.parametrize(
  ("labels", "found"),
  [([0, 0, 0, 1, 1], 2), ([0, 0, 1], 1), ([(0, 1), (0, 1), (1, 1), (1, 1)], 2)],
)
def test_no_class_is_missing_in_training(labels, found):
  folds = split_folds(labels, 5)
  assert folds.max() + 1 == found
  for fold in set(folds) if found > 1 else ():
    kept = {label for label, own in zip(labels, folds, strict=True) if own != fold}
    assert kept == set(labels)


def test_the_seed_changes_them():
  labels = [number % 2 for number in range(20)]
  assert (split_folds(labels, 4) == split_folds(labels, 4)).all()
  assert (split_folds(labels, 4) != split_folds(labels, 4, seed=1)).any()
