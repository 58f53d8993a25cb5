"""Rows that are appended, whenever the process is killed."""

import json

import pytest

from temporal_jax import storage


@pytest.mark.parametrize("rest", [b"", b'{"n": 3', b"\0" * 100_000])
def test_what_a_killed_process_left_is_replaced(tmp_path, rest):
  file = tmp_path / "rows.jsonl"
  storage.append_json_line(file, {"n": 1})
  storage.append_json_line(file, {"n": 2})
  with file.open("ab") as out:
    out.write(rest)
  assert storage.read_json_lines(file, {"n": int}) == [{"n": 1}, {"n": 2}]
  storage.append_json_line(file, {"n": 4})
  assert file.read_bytes() == b'{"n": 1}\n{"n": 2}\n{"n": 4}\n'


@pytest.mark.parametrize(
  "line", ["", "null", "[]", "{}", '{"n": "1"}', '{"n": true}', "{", "\udcff"]
)
def test_a_damaged_row_is_named_with_file_and_line(tmp_path, line):
  file = tmp_path / "rows.jsonl"
  text = f'{{"n": 1}}\n{line}\n{{"n": 2}}\n'
  file.write_bytes(text.encode(errors="surrogateescape"))
  with pytest.raises(ValueError, match=r"rows\.jsonl, line 2 is damaged"):
    storage.read_json_lines(file, {"n": int})


def test_a_missing_file_has_no_rows(tmp_path):
  assert storage.read_json_lines(tmp_path / "none", {}) == []


def test_rows_are_json(tmp_path):
  row = {"name": "ä\udcff\n", "x": 1 / 3}
  storage.append_json_line(tmp_path / "a", row)
  text = (tmp_path / "a").read_text(encoding="ascii")
  assert [json.loads(line) for line in text.splitlines()] == [row]
