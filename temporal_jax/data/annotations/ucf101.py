"""UCF101: three splits of class/video.avi."""

import functools
import pathlib
from collections.abc import Mapping

from temporal_jax.data.annotations.data_set import DataSet
from temporal_jax.data.annotations.fields import (
  class_number,
  in_order,
  numbered,
  whole,
)
from temporal_jax.data.annotations.read_tables import File, fields, lines
from temporal_jax.data.annotations.record import Annotations, Record


def read_ucf101(folder: File, *, split: int = 1) -> Annotations:
  """Reads classInd.txt, trainlist0N.txt and testlist0N.txt.

  Args:
    folder: Folder of the lists (ucfTrainTestlist).
    split: Number of the split, N: 1, 2 or 3.

  Raises:
    ValueError: If a line is wrong, its class unknown, or there is no such
      split.
  """
  if split not in (1, 2, 3):
    raise ValueError(f"split must be 1, 2 or 3, got {split}.")
  folder = pathlib.Path(folder)
  index = folder / "classInd.txt"
  given = (
    (whole(where, "a class", number, 1), name)
    for where, (number, name) in fields(index, 2)
  )
  names = in_order(given, str(index), first=1)
  numbers = numbered(names)
  records = []
  for role in ("train", "test"):
    for where, line in lines(folder / f"{role}list0{split}.txt"):
      path = line.split()[0]  # In training its class follows, from 1.
      label = class_number(where, numbers, path.partition("/")[0])
      group = path.rpartition("_")[0]  # Clips of a group are of one video.
      records.append(Record(path, path, label, role, origin=group))
  return Annotations(records, names)


DATA_SETS: Mapping[str, DataSet] = {
  f"ucf101_{split}": DataSet(
    read=functools.partial(read_ucf101, split=split),
    files=("classInd.txt", f"trainlist0{split}.txt", f"testlist0{split}.txt"),
    videos="`class/video.avi`",
  )
  for split in (1, 2, 3)
}
