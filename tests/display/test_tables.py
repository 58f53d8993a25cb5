"""Tables are plain text, and complete where the output is no terminal."""

import pytest
import rich.box
import rich.table

from temporal_jax.display import tables

ROWS = [("a", "1", "x"), ("bcd", "20", "")]


def test_columns_are_aligned():
  table = tables.columns(ROWS, right=(1,))
  assert list(tables.render(table)) == ["a     1  x", "bcd  20"]
  table = tables.columns(ROWS, head=("name", "n", "letter"), right=(1,))
  assert list(tables.render(table)) == ["name   n  letter", "a      1  x", "bcd   20"]
  assert list(tables.render(tables.columns([]))) == []


def test_cells_are_shown_as_they_are():
  cells = ("  [bold]a[/bold]", ":smile:", "視覚", "[1, 'x']")
  (line,) = tables.render(tables.columns([cells]))
  assert line == "  [bold]a[/bold]  :smile:  視覚  [1, 'x']"
  # A wide character takes two columns of a terminal.
  table = tables.columns([("視", "x"), ("abc", "y")])
  assert list(tables.render(table)) == ["視   x", "abc  y"]


def test_a_line_is_as_long_as_it_must_be():
  cells = ("name", "word " * 600 + "end")
  (line,) = tables.render(tables.columns([cells]))
  assert line.endswith("word end")
  assert len(line) == len("name  ") + len(cells[1])


@pytest.mark.parametrize("width", [25, 40])
def test_only_columns_that_may_are_folded(width):
  cells = ("a_long_name", "12345", "one two three four five six seven")
  table = tables.columns([cells], fold=(2,))
  first, *more = tables.render(table, width=width)
  assert first.startswith("a_long_name  12345  ")
  assert max(map(len, [first, *more])) <= width
  words = [first[len("a_long_name  12345  ") :], *(line.strip() for line in more)]
  assert " ".join(words).split() == cells[2].split()
  assert all(line.startswith(" " * len("a_long_name  12345  ")) for line in more)


def test_tables_and_lines_have_no_empty_lines():
  table = rich.table.Table("x", box=rich.box.SIMPLE_HEAD)
  table.add_row("1")
  assert list(tables.render("before", table, "after")) == [
    "before",
    "  x",
    " ───",
    "  1",
    "after",
  ]


def test_the_width_is_that_of_a_terminal_only(monkeypatch):
  assert tables.output_width() is None
  monkeypatch.setattr("sys.stdout.isatty", lambda: True)
  monkeypatch.setenv("COLUMNS", "77")
  assert tables.output_width() == 77
  assert tables.output_console().width == 77


@pytest.mark.parametrize(
  ("line", "lines"),
  [
    ("a short line", ["a short line"]),
    ("words that go on and on", ["words that go on", "  and on"]),
    ("slot  one  all of them", ["slot  one  all of", "           them"]),
    ("slot  longer-name  everywhere", ["slot  longer-name", "      everywhere"]),
  ],
)
def test_a_row_is_folded_in_its_last_column(line, lines):
  assert tables.fold_line(line, 18).split("\n") == lines
