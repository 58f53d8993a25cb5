"""Several data sets as one: Kinetics-710 of Kinetics-400, -600 and -700."""

from collections.abc import Mapping, Sequence

from temporal_jax.data.annotations.fields import numbered
from temporal_jax.data.annotations.record import Annotations, Record, origins
from temporal_jax.data.labels import class_order


def merge(
  parts: Mapping[str, Annotations],
  *,
  class_names: Sequence[str] = (),
  same: Mapping[str, str] | None = None,
) -> Annotations:
  """Joins data sets whose classes have common names.

  Of the records of a split that come from one YouTube video, the first counts,
  in the order of the parts. A video that is in the test of any part is left out
  of training, whichever part's training has it. Kinetics-710 was made so, see
  DATASET.md of OpenGVLab/UniFormerV2.

  Args:
    parts: Data sets by the folder that holds each; paths begin with it.
    class_names: Names in the order of a network's outputs; () sorts all names.
    same: Other names of a class in a part: {"old name": "name"}.

  Returns:
    The records, training first; `note` counts the records left out.

  Raises:
    ValueError: If a class of a part is not in `class_names`, there are several
      tasks or labels, or a record has no origin.
  """
  same = same or {}
  names = {part: _names(part, a, same) for part, a in parts.items()}
  merged = tuple(class_names) or class_order(
    name for of_part in names.values() for name in of_part
  )
  numbers = {part: _numbers(merged, of) for part, of in names.items()}
  records = [
    record._replace(
      id=f"{part}/{record.id}",
      path=f"{part}/{record.path}",
      label=numbers[part][record.label],
    )
    for part, annotations in parts.items()
    for record in annotations.records
  ]
  unknown = [record.id for record in records if not record.origin]
  if unknown:
    raise ValueError(
      f"{len(unknown)} records have no origin to find copies by: {unknown[:3]}."
    )
  tested = origins(records, "test")
  train, test = (
    _first([record for record in records if record.split == split])
    for split in ("train", "test")
  )
  kept = [record for record in train if record.origin not in tested]
  note = (
    f"{', '.join(parts)} have {len(merged)} classes together, {len(kept)} training "
    f"and {len(test)} test videos; left out by YouTube id: copies "
    f"{len(records) - len(train) - len(test)}, training videos that are in any test "
    f"{len(train) - len(kept)}"
  )
  return Annotations(kept + test, merged, note=note)


def _numbers(among: Sequence[str], names: Sequence[str]) -> tuple[int, ...]:
  """Returns the numbers of classes in the list of all parts.

  Raises:
    ValueError: If a name is not there.
  """
  numbers = numbered(among)
  missing = [name for name in names if name not in numbers]
  if missing:
    raise ValueError(
      f"{len(missing)} classes are not among the {len(among)} ones: {missing[:5]}."
    )
  return tuple(numbers[name] for name in names)


def _names(
  part: str, annotations: Annotations, same: Mapping[str, str]
) -> tuple[str, ...]:
  if isinstance(annotations.class_names, Mapping) or annotations.multi_label:
    raise ValueError(f"{part} has several classes per video; one can be merged.")
  return tuple(same.get(name, name) for name in annotations.class_names)


def _first(records: Sequence[Record]) -> list[Record]:
  """Returns the first record of each origin."""
  first: dict[str, Record] = {}
  for record in records:
    first.setdefault(record.origin, record)
  return list(first.values())
