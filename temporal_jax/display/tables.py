"""Tables as text, made by rich: columns without lines, and their printing."""

import re
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterable, Iterator, Sequence

import rich.console
import rich.table

# Characters of a line that is not for a terminal: no table has as many.
_WIDE = 10_000


def columns(
  rows: Iterable[Sequence[str]],
  *,
  head: Sequence[str] = (),
  right: Collection[int] = (),
  fold: Collection[int] = (),
) -> rich.table.Table:
  """Returns a table without lines, its columns two blanks apart.

  Args:
    rows: Cells, as many in each.
    head: Titles of the columns; () for none.
    right: Numbers of the columns that end, not begin, at the same place.
    fold: Numbers of the columns whose cells become several lines where a
      terminal is narrow.
  """
  rows = [row for row in (head, *rows) if row]
  table = rich.table.Table(box=None, show_header=False, pad_edge=False)
  for number in range(len(rows[0]) if rows else 0):
    table.add_column(
      justify="right" if number in right else "left",
      no_wrap=number not in fold,
      # A word that has no room goes on in the next line.
      overflow="fold" if number in fold else "ellipsis",
    )
  for row in rows:
    table.add_row(*row)
  return table


def render(*parts: rich.table.Table | str, width: int | None = None) -> Iterator[str]:
  """Yields tables and lines as plain text, line by line, without empty ones.

  Args:
    *parts: In their order.
    width: Most characters of a line; None for as many as it needs.
  """
  console = rich.console.Console(
    width=width or _WIDE, color_system=None, markup=False, emoji=False, highlight=False
  )
  with console.capture() as shown:
    console.print(*parts, sep="\n")
  for line in shown.get().splitlines():
    if line.strip():
      yield line.rstrip()


def fold_line(line: str, width: int) -> str:
  """Returns a line, or a row of a table, as lines of `width` letters at most.

  They are broken between words. Further lines begin where the last column does,
  or the last that leaves room for the longest word after it.
  """
  begins = [
    gap.end()
    for gap in re.finditer("  +", line)
    if gap.end() + max(map(len, line[gap.end() :].split()), default=0) <= width
  ]
  return textwrap.fill(
    line,
    width,
    subsequent_indent=" " * max(begins, default=2),
    break_long_words=False,
    break_on_hyphens=False,
  )


def output_width() -> int | None:
  """Returns the columns of the terminal that stdout is, None if it is none."""
  return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def output_console() -> rich.console.Console:
  """Returns a console for stdout that folds lines for terminals only."""
  return rich.console.Console(width=output_width() or _WIDE, markup=False, emoji=False)
