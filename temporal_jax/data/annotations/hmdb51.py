"""HMDB51: three splits of class/video.avi, one list per class."""

import functools
import pathlib
from collections.abc import Mapping

from temporal_jax.data.annotations.data_set import DataSet
from temporal_jax.data.annotations.read_tables import File, fields
from temporal_jax.data.annotations.record import Annotations, Record
from temporal_jax.data.listing.file_names import is_hidden

_SPLITS = {"0": "", "1": "train", "2": "test"}


def read_hmdb51(folder: File, *, split: int = 1) -> Annotations:
  """Reads the lists class_test_splitN.txt: "video.avi 1".

  1 is a training video, 2 a test video, 0 is left out.

  Args:
    folder: Folder of the lists (testTrainMulti_7030_splits).
    split: Number of the split, N: 1, 2 or 3.

  Raises:
    ValueError: If a line is wrong, or there is no such split.
  """
  ending = f"_test_split{split}.txt"
  files = {
    file.name.removesuffix(ending): file
    for file in sorted(pathlib.Path(folder).glob(f"*{ending}"))
    if not is_hidden(file.name)
  }
  if not files:
    raise ValueError(f"{folder} has no lists *{ending}.")
  records = []
  for label, (name, file) in enumerate(files.items()):
    for where, (video, use) in fields(file, 2):
      if use not in _SPLITS:
        raise ValueError(f"{where}: must end in 0, 1 or 2, got {use!r}.")
      if _SPLITS[use]:
        path = f"{name}/{video}"
        records.append(Record(path, path, label, _SPLITS[use]))
  return Annotations(records, tuple(files))


DATA_SETS: Mapping[str, DataSet] = {
  f"hmdb51_{split}": DataSet(
    read=functools.partial(read_hmdb51, split=split),
    files=(f"CLASS_test_split{split}.txt",),
    videos="`class/video.avi`",
  )
  for split in (1, 2, 3)
}
