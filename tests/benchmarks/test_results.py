"""Tables printed row by row, and reports as JSON."""

import json

import pytest

pytest.importorskip("torch")

from benchmarks.shared import results


def test_rows_are_a_markdown_table(capsys):
  table = results.ResultTable(("network", "ours ms", "ratio"), name_width=12)
  assert capsys.readouterr().out.count("\n") == 2  # The header is there at once.
  table.add("[bold]resnet18", "1.25", "2.00x")
  table.add("a name wider than its column", "-", "-")
  first, second = capsys.readouterr().out.splitlines()
  assert first == "| [bold]resnet18 |     1.25 |    2.00x |"
  assert [cell.strip() for cell in second.split("|")[1:-1]] == [
    "a name wider than its column",
    "-",
    "-",
  ]


def test_header_has_the_widths_of_the_rows(capsys):
  results.ResultTable(("network", "milliseconds"), name_width=10).add("x", "1")
  header, rule, row = capsys.readouterr().out.splitlines()
  assert header == "| network    | milliseconds |"
  assert set(rule) == {"|", "-"}
  assert len(header) == len(rule) == len(row)


def test_times_that_are_missing_are_dashes():
  times = {"ours": 1.234, "theirs": 2.5, "ratio": 2.026}
  assert results.time_cells(times) == ("1.23", "2.50", "2.03x")
  assert results.time_cells(None) == ("-", "-", "-")


def test_shares_are_percent():
  assert results.share_cell(0.456) == "46%"
  assert results.share_cell(None) == "-"


def test_a_report_is_written_if_a_file_is_given(tmp_path):
  results.write_json(None, {"rows": []})
  file = tmp_path / "report.json"
  results.write_json(file, {"rows": [1, 2]})
  assert json.loads(file.read_text())["rows"] == [1, 2]
