"""Indices of videos and features that are damaged, or made to do harm."""

import numpy as np
import pytest

from temporal_jax.inference.extract import feature_files
from temporal_jax.inference.text_search import video_index

_PATHS = np.array(["a.mp4", "b.mp4"])
_ONE = _PATHS[:1]
GOOD = {
  "about": np.array('{"model": "x"}'),
  "features": np.eye(2, dtype=np.float32),
  "paths": _PATHS,
  "bytes": np.array([1, 2]),
  "mtime_ns": np.array([1, 2]),
}
INDEX = {
  "about": [
    np.array("{"),
    np.array("[]"),
    np.array("[" * 100_000),
    np.array(3),
    np.array('{"a": NaN}'),
    np.array('{"a": 1, "a": 2}'),
    None,
  ],
  "features": [
    None,
    np.eye(2, dtype=int),
    np.ones(2),
    np.ones((3, 2)),
    np.ones((2, 0, 1)),
    np.full((2, 2), np.nan),
    np.full((2, 2), np.inf),
    np.eye(2, dtype=object),
  ],
  "paths": [
    None,
    np.array(["a", "a"]),
    np.arange(2),
    np.array("ab"),
    _ONE,
  ],
  "bytes": [None, np.array([1.5, 2.5]), np.arange(3), np.array(["1", "2"])],
  "mtime_ns": [None, np.array([1.5, 2.5]), np.arange(3)],
}
SETTINGS = (
  None,
  np.array("{"),
  np.array("[]"),
  np.array("[" * 100_000),
  np.array(3),
  np.array(["{}"]),
  np.array('{"a": NaN}'),
)


def _write(file, arrays):
  np.savez(file, **{k: v for k, v in arrays.items() if v is not None})
  return file


@pytest.mark.parametrize(
  ("part", "value"),
  [(part, value) for part, values in INDEX.items() for value in values],
)
def test_an_index_names_its_wrong_part(tmp_path, part, value):
  file = _write(tmp_path / "index.npz", GOOD)
  assert list(video_index.load_index(file).entries) == _PATHS.tolist()
  _write(file, {**GOOD, part: value})
  # Another number of paths is seen at the first array that has not as many.
  words = "features" if value is _ONE else part
  with pytest.raises(ValueError, match=words) as caught:
    video_index.load_index(file)
  assert str(file) in str(caught.value)


@pytest.mark.parametrize("settings", SETTINGS)
def test_features_of_unknown_settings_are_refused(tmp_path, settings):
  file = _write(tmp_path / "features.npz", {"settings": settings, "x": _PATHS})
  with pytest.raises(ValueError, match="settings") as caught:
    feature_files._check_same(file, {"model": "x"})
  assert str(file) in str(caught.value)


def test_what_unpacks_to_far_more_than_its_size_is_refused(tmp_path):
  file = tmp_path / "index.npz"
  np.savez_compressed(file, **GOOD, zeros=np.zeros(2**25, np.float32))
  with pytest.raises(ValueError, match="bytes in"):
    video_index.load_index(file)
  with pytest.raises(ValueError, match="bytes in"):
    feature_files._check_same(file, {})
