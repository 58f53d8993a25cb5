"""List files as the papers' code reads them: "path label", "path n label"."""

from collections.abc import Mapping, Sequence

from temporal_jax.data.annotations.fields import class_in_range
from temporal_jax.data.annotations.read_tables import File, fields
from temporal_jax.data.annotations.record import Annotations, Record


def read_lists(
  files: Mapping[str, File],
  class_names: Sequence[str],
  *,
  columns: Sequence[str] = ("path", "label"),
  separator: str | None = None,
) -> Annotations:
  """Reads lists of videos whose classes are numbers from 0.

  Args:
    files: List files by split, "train" and "test".
    class_names: Names of all classes, see `read_names`.
    columns: Columns of a line, "path" first and "label" among the others, which
      are not used: ("path", "frames", "label") of ATM and X-ViT, ("path",
      "start", "end", "label") of bLVNet-TAM.
    separator: Separator of the columns; None is white space.

  Raises:
    ValueError: If a line is wrong or its class out of range.
  """
  if columns[0] != "path" or columns.count("label") != 1:
    raise ValueError(
      f"columns must begin with path and have a label, got {tuple(columns)}."
    )
  place = columns.index("label")
  records = [
    Record(
      id=cells[0],
      path=cells[0],
      label=class_in_range(where, cells[place], len(class_names)),
      split=split,
    )
    for split, file in files.items()
    for where, cells in fields(file, len(columns), separator)
  ]
  return Annotations(records, tuple(class_names))
