"""From what a config names to the sources of a run."""

from collections.abc import Mapping, Sequence

from temporal_jax.data.files import file_sources
from temporal_jax.data.sources import DatasetSource, Source


def open_sources(
  *,
  name: str,
  root: str,
  data_dir: str,
  splits: Mapping[str, str],
  test_fraction: float,
  tasks: Sequence[str] = (),
) -> dict[str, Source]:
  """Opens the training and the test videos.

  Args:
    name: A data set of `datasets.DATASETS`, or "".
    root: A folder or CSV file of a user's own videos, or "".
    data_dir: Where prepared data sets lie.
    splits: What "train" and "test" are called in the data set.
    test_fraction: Share of `root` that is kept for the test.
    tasks: Columns of the CSV file `root` that hold a video's labels, see
      `files.file_sources`; () takes what its header says.

  Returns:
    "train" and "test" sources.

  Raises:
    ValueError: If not exactly one of `name` and `root` is given, what they name
      holds no videos, or `tasks` are given for a `name`.
    FileNotFoundError: If `root` does not exist.
  """
  if bool(name) == bool(root):
    raise ValueError(
      "give either data.name, a data set, or data.root, a folder or CSV file; "
      f"got {name!r} and {root!r}."
    )
  if root:
    return file_sources(root, test_fraction, tasks)
  if tasks:
    raise ValueError(
      f"data.tasks {tuple(tasks)} are columns of a CSV file, data.root; the "
      f"data set {name} has labels of its own."
    )
  return {
    role: DatasetSource(name, split, data_dir) for role, split in splits.items()
  }
