import numpy as np
import pytest

from convert_weights.reading import release


@pytest.mark.parametrize("size", [1, 1000, 100_000])
def test_no_value_changes(tmp_path, size):
  values = np.arange(size, dtype=np.float32)
  path = tmp_path / "values"
  path.write_bytes(values.tobytes() + b"\0")
  mapped = np.memmap(path, np.float32, mode="r", shape=(size,)) if size else values
  changed = values.copy()
  for array in (mapped, changed, changed[::2], changed[1:]):
    want = np.array(array)
    release(array)
    np.testing.assert_array_equal(array, want)
