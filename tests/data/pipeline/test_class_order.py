"""The order with all classes equally often."""

import numpy as np
import pytest

from temporal_jax import data
from temporal_jax.data.pipeline import class_order, permutation, train_batches

# Three classes of 7, 2 and 1 videos; class 3 has none.
LABELS = [0, 1, 0, 0, 2, 0, 0, 1, 0, 0]
SOURCE = data.FileSource(
  [(f"{number}.mp4", label) for number, label in enumerate(LABELS)],
  ("a", "b", "c", "d"),
)


def _numbers(share, count, seed=0):
  balance = class_order.balance_classes(SOURCE, share)
  order = train_batches.endless_order(
    len(LABELS), seed, train_batches.FEISTEL, balance=balance
  )
  return [order[place] for place in range(count)]


def test_classes_are_equally_often_and_videos_of_a_class_in_turn():
  numbers = _numbers(1.0, 42)
  for start in range(0, 42, 3):
    assert {LABELS[n] for n in numbers[start : start + 3]} == {0, 1, 2}
  of_class = [n for n in numbers if LABELS[n] == 0]
  assert sorted(of_class[:7]) == sorted(of_class[7:]) == [0, 2, 3, 5, 6, 8, 9]
  assert of_class[:7] != of_class[7:]
  labels = [LABELS[n] for n in numbers]
  assert len({tuple(labels[i : i + 3]) for i in range(0, 42, 3)}) > 2
  assert numbers != _numbers(1.0, 42, seed=1)


def test_a_share_of_the_clips_is_balanced_and_the_others_are_in_turn():
  numbers = _numbers(0.3, 100)
  plain = [permutation.shuffled(place, 10, 0) for place in range(70)]
  balanced = _numbers(1.0, 30)
  kept, drawn = iter(plain), iter(balanced)
  taken = 0
  for place, number in enumerate(numbers):
    due = (place + 1) * 3 // 10 > taken
    taken += due
    assert number == next(drawn if due else kept)
  assert taken == 30


def test_counts_by_class():
  (counts,) = data.count_classes(SOURCE)
  assert counts.tolist() == [7, 2, 1, 0]
  tasks = data.FileSource(
    [("x", (0, 1)), ("y", (0, 0))], {"verb": ("cut",), "noun": ("egg", "ham")}
  )
  verbs, nouns = data.count_classes(tasks)
  assert (verbs.tolist(), nouns.tolist()) == ([2], [1, 1])
  several = data.FileSource(
    [("x", frozenset({0, 1})), ("y", frozenset())], ("a", "b"), multi_label=True
  )
  assert data.count_classes(several)[0].tolist() == [1, 1]
  for source, what in ((tasks, "the tasks .*verb"), (several, "several classes each")):
    with pytest.raises(ValueError, match=f"balance 0.5 .* these have {what}"):
      class_order.balance_classes(source, 0.5)


def _batches(index, count, share=1.0):
  balance = class_order.balance_classes(SOURCE, share) if share else None
  return train_batches.TrainBatches(
    lambda number, rng: {"id": np.array(number), "draw": np.array(rng.random())},
    train_batches.Share(4, index, count),
    num_videos=len(LABELS),
    seed=5,
    num_threads=1,
    balance=balance,
  )


def test_batches_are_the_same_on_any_processes_and_after_a_stop():
  one = _batches(0, 1, 0.5)
  want = [next(one) for _ in range(6)]
  halves = [_batches(index, 2, 0.5) for index in range(2)]
  for batch in want[:3]:
    got = [next(half) for half in halves]
    for name in batch:
      np.testing.assert_array_equal(np.concatenate([g[name] for g in got]), batch[name])
  read = [half.position(lambda n: [n, n])["read"][0] for half in halves]
  position = halves[0].position(lambda n: read)
  assert position["balance"] == 0.5
  again = _batches(0, 1, 0.5)
  assert again.seek(position) == ""
  for batch in want[3:]:
    got = next(again)
    for name in batch:
      np.testing.assert_array_equal(got[name], batch[name])


def test_another_balance_is_said():
  plain = _batches(0, 1, 0.0)
  next(plain)
  position = plain.position()
  assert "data.balance changed from 0 to 1" in _batches(0, 1).seek(position)
  assert _batches(0, 1, 0.0).seek(position) == ""
  del position["balance"]  # An older version lacks it.
  assert _batches(0, 1, 0.0).seek(position) == ""
