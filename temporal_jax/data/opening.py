"""From what a config names to the sources of a run."""

from collections.abc import Mapping

from temporal_jax.data.files import file_sources
from temporal_jax.data.sources import DatasetSource, Source


def open_sources(
  *,
  name: str,
  root: str,
  data_dir: str,
  splits: Mapping[str, str],
  test_fraction: float,
) -> dict[str, Source]:
  """Opens the training and the test videos.

  Args:
    name: A data set of `datasets.DATASETS`, or "".
    root: A folder or CSV file of a user's own videos, or "".
    data_dir: Where prepared data sets lie.
    splits: What "train" and "test" are called in the data set.
    test_fraction: Share of `root` that is kept for the test.

  Returns:
    "train" and "test" sources.

  Raises:
    ValueError: If not exactly one of `name` and `root` is given, or what they
      name holds no videos.
    FileNotFoundError: If `root` does not exist.
  """
  if bool(name) == bool(root):
    raise ValueError(
      "give either data.name, a data set, or data.root, a folder or CSV file; "
      f"got {name!r} and {root!r}."
    )
  if root:
    return file_sources(root, test_fraction)
  return {
    role: DatasetSource(name, split, data_dir) for role, split in splits.items()
  }
