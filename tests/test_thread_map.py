import threading
import time

import pytest

from temporal_jax.thread_map import run_in_order


def test_results_come_in_order_from_several_threads():
  together = threading.Barrier(3, timeout=10)

  def slow_first(item):
    if item < 3:
      together.wait()  # Breaks unless three run at once.
    time.sleep(0.02 * (item == 0))
    return -item

  assert list(run_in_order(slow_first, range(9), 3, ahead=4)) == [-i for i in range(9)]
  assert list(run_in_order(slow_first, [], 3, ahead=4)) == []


def test_only_a_few_items_are_taken_ahead():
  taken = []

  def items():
    for item in range(100):
      taken.append(item)
      yield item

  results = run_in_order(abs, items(), 2, ahead=4)
  next(results)
  assert len(taken) == 4
  next(results)
  assert len(taken) == 5
  results.close()
  assert len(taken) == 5


def test_what_a_function_raises_ends_it():
  with pytest.raises(ZeroDivisionError):
    list(run_in_order(lambda item: 1 / item, [1, 0, 1], 2, ahead=1))
  with pytest.raises(ValueError, match="num_threads must be at least 1, got 0"):
    run_in_order(abs, [1], 0, ahead=1)
  with pytest.raises(ValueError, match="ahead must be at least 1, got 0"):
    run_in_order(abs, [1], 1, ahead=0)
