import numpy as np
import pytest

from temporal_jax.inference.runtime.padded_batches import PaddedBatches


def test_any_number_of_rows_is_compiled_once():
  double = PaddedBatches(lambda factor, rows: factor * rows, batch_size=4)
  for count in (1, 4, 9):
    rows = np.arange(3.0 * count, dtype=np.float32).reshape(count, 3)
    np.testing.assert_array_equal(double(np.float32(2), rows), 2 * rows)
  assert double.compilations == 1
  double(np.float32(3), np.ones((1, 2), np.float32))
  assert double.compilations == 2


def test_what_is_missing_is_zero():
  total = PaddedBatches(lambda _, rows: {"sum": rows.sum() + 0 * rows}, batch_size=3)
  rows = np.arange(5, dtype=np.float32)
  np.testing.assert_array_equal(total(None, rows)["sum"], [3, 3, 3, 7, 7])


def test_numbers_that_do_not_fit():
  with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
    PaddedBatches(lambda _, rows: rows, batch_size=0)
  batches = PaddedBatches(lambda _, rows: rows, batch_size=2)
  for count in (0, 3):
    with pytest.raises(ValueError, match=f"1 to 2 rows, got {count}"):
      batches.start(None, np.zeros(count))


def test_the_batch_fits_the_rows_that_are_known_to_come():
  sizes = []

  def echo(_, rows):
    sizes.append(len(rows))
    return rows

  def run(total):
    batches.fit(total)
    rows = np.arange(total, dtype=np.float32)
    np.testing.assert_array_equal(batches(None, rows), rows)

  batches = PaddedBatches(echo, batch_size=8)
  batches.fit(5)
  run(3)  # Nothing was compiled for 5.
  run(2)
  assert (sizes, batches.batch_size) == ([3], 3)
  run(4)  # More than fit: now as many as are allowed.
  run(3)
  run(20)
  assert (sizes, batches.batch_size) == ([3, 8], 8)
  fewer = PaddedBatches(echo, batch_size=2)
  fewer.fit(100)
  assert fewer.batch_size == 2
