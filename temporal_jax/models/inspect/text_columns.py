"""Tables in plain text."""

from collections.abc import Collection, Iterator, Sequence


def align(
  rows: Sequence[Sequence[str]], *, right: Collection[int] = ()
) -> Iterator[str]:
  """Yields rows as lines, their columns two blanks apart.

  Args:
    rows: Cells, as many in each.
    right: Numbers of the columns that end, not begin, at the same place.
  """
  widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
  for row in rows:
    cells = (
      cell.rjust(width) if i in right else cell.ljust(width)
      for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    yield "  ".join(cells).rstrip()
