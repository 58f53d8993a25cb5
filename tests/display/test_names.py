import json
import os

import pytest

from temporal_jax.display import (
  escaped,
  file_name,
  original,
  printable,
  printable_lines,
  shortened,
)

WILD = [
  "plain",
  "走路 ходьба שלום",
  "esc\x1b[31m",
  "new\nline\ttab\r",
  "\u202ebidi\u2066",
  "line\u2028and\u0085others",
  os.fsdecode(b"\xff\xe9.mp4"),
  'quote" and \\ and \\n',
  "\U0001f3c3 \U000e0001",
  "",
]


@pytest.mark.parametrize("name", WILD)
def test_escaped_names_are_one_safe_line_and_turn_back(name):
  text = escaped(name)
  assert original(text) == name
  assert text.isprintable()
  assert len(text.splitlines()) <= 1
  text.encode()  # It is UTF-8.


def test_what_is_escaped():
  assert printable("a\x1b[1m\n") == "a\\u001b[1m\\n"
  assert printable(os.fsdecode(b"\xff")) == "\\udcff"
  assert printable("走 \\ é\u200d") == "走 \\ é\u200d"
  assert printable_lines("a\nb\x07") == "a\nb\\u0007"
  with pytest.raises(ValueError, match="escape"):
    original("\\x")


def test_long_names_keep_both_ends():
  assert shortened("two\n words ") == "two words"
  name = "begin" + 300 * "x" + "end"
  short = shortened(name, 20)
  assert len(short) == 20
  assert short.startswith("beginx")
  assert short.endswith("xend")
  assert "…" in short
  assert shortened("x" * 40) == "x" * 40
  assert len(shortened(10**6 * "\x1b")) == 40


def test_names_of_files_are_parts_of_paths(tmp_path):
  names = ["a/b", "a_b", "a%2Fb", "..", "x\ny", "\x00", *WILD[:-1]]
  names += ["l" * 300, "l" * 299 + "m", "走" * 90]
  files = [file_name(name) for name in names]
  assert len(set(files)) == len(names)
  for file in files:
    (tmp_path / f"confusion_{file}.png").write_text("")
  assert len(list(tmp_path.iterdir())) == len(names)
  assert file_name("verb") == "verb"
  assert json.dumps(file_name("a/b")) == '"a%2Fb"'
