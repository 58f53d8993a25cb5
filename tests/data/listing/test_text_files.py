import codecs
import io
import os

import pytest

from temporal_jax.data.annotations import read_names
from temporal_jax.data.listing.find_videos import file_sources
from temporal_jax.data.listing.text_files import Table, read_text

TEXT = "path,label\n走.mp4,é\nb.mp4,ü\n"


def _table(tmp_path, text, columns=("path", "label"), **options):
  file = tmp_path / "list.csv"
  file.write_bytes(text.encode() if isinstance(text, str) else text)
  return Table(file, columns, **options)


def _rows(*args, **kwargs):
  return list(_table(*args, **kwargs))


@pytest.mark.parametrize(
  ("mark", "encoding"),
  [
    (b"", "utf-8"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
  ],
)
def test_marks_say_the_encoding(tmp_path, mark, encoding):
  content = mark + TEXT.encode(encoding)
  want = [["走.mp4", "é"], ["b.mp4", "ü"]]
  assert _rows(tmp_path, content) == want
  sources = file_sources(tmp_path / "list.csv", 0.0)
  assert sources["train"].class_names == ("é", "ü")
  file = tmp_path / "names.txt"
  file.write_bytes(mark + "é\r\nü\r".encode(encoding))
  assert read_names(file) == ("é", "ü")


@pytest.mark.parametrize(
  ("content", "message"),
  [
    ("path,label\na.mp4,é\n".encode("latin-1"), r"line 2: byte 17 .*, 0xe9"),
    (codecs.BOM_UTF16_LE + b"a\0\n\0b", r"line 2: byte 6 .* is no UTF-16-LE"),
    ("path,label\n".encode("utf-16-le"), "line 1: there is a NUL character"),
    (b"path,label\na.mp4,x\0y\n", "line 2: there is a NUL character"),
  ],
)
def test_other_encodings_are_refused_by_line_and_byte(tmp_path, content, message):
  with pytest.raises(ValueError, match=rf"list.csv, {message}"):
    _table(tmp_path, content)


def test_what_is_no_file_is_not_opened(tmp_path):
  os.mkfifo(tmp_path / "pipe")
  for name in ("pipe", "."):
    with pytest.raises(ValueError, match="no regular file"):
      read_text(tmp_path / name)
  with pytest.raises(FileNotFoundError):
    read_text(tmp_path / "nowhere")


@pytest.mark.parametrize(
  "text",
  [
    "path,label\na b.mp4,x y\nc.mp4,z\n",
    "path;label\r\na b.mp4;x y\r\nc.mp4;z\r\n",
    "path\tlabel\na b.mp4\tx y\nc.mp4\tz",
    "path,label\ra b.mp4,x y\rc.mp4,z\r",
    ' path , label \n a b.mp4 ,"x y"\n c.mp4, "z"\n',
    "\n\npath,label\n\na b.mp4,x y\n  \n,\nc.mp4,z\n\n",
    '"path";"label"\n"a b.mp4";"x y"\n"c.mp4";"z"\n',
  ],
)
def test_tables_of_all_usual_forms_are_read_alike(tmp_path, text):
  assert _rows(tmp_path, text) == [["a b.mp4", "x y"], ["c.mp4", "z"]]


def test_cells_in_quotes_hold_anything(tmp_path):
  text = 'path,label\n"a,""b"".mp4","x\ny"\nc"d.mp4,z;|\t\n'
  want = [['a,"b".mp4', "x\ny"], ['c"d.mp4', "z;|"]]
  assert _rows(tmp_path, text) == want


def test_the_delimiter_is_never_guessed_from_rows(tmp_path):
  # More semicolons than commas, but the header has commas.
  text = "path,labels\n1.mp4,a;b;c\n2.mp4,d;e;f\n"
  assert _rows(tmp_path, text, ("path", "labels"))[0] == ["1.mp4", "a;b;c"]
  sources = file_sources(tmp_path / "list.csv", 0.0)
  assert sources["train"][0]["label"] == {0, 1, 2}
  text = 'path;labels\n1.mp4;"a;b"\n2.mp4;c\n'
  _table(tmp_path, text, ("path", "labels"))
  sources = file_sources(tmp_path / "list.csv", 0.0)
  assert [sources["train"][i]["label"] for i in (0, 1)] == [{0, 1}, {2}]


LONG = "x" * 140_000


@pytest.mark.parametrize(
  ("text", "message"),
  [
    ("path,label\na,b\nc\n", "line 3: needs 2 cells between ',', got 1"),
    ("path;label\na;b;c\n", "line 2: needs 2 cells between ';', got 3.*quotes"),
    (f"path,label\na,b\n{LONG},b\n", "line 3: a cell is longer than 131072"),
    (f'path,label\n"a,b\n{LONG}', "line 2: a cell is longer than 131072"),
    ('path,label\na,b\n"c,d\ne,f\n', "line 3: a quote is not closed"),
    ('path,label\n"a"b,c\n', "line 2: a quote that ends a cell must be"),
    ('path,label\na,b\n"a" ,c\n', "line 3: a quote that ends a cell must be"),
  ],
)
def test_what_cannot_be_read_is_refused_by_line(tmp_path, text, message):
  with pytest.raises(ValueError, match=rf"list.csv, {message}"):
    _rows(tmp_path, text)


def test_a_column_that_lacks_is_named_whatever_the_delimiter(tmp_path):
  table = _table(tmp_path, "path;verb\na.mp4;cut\n", ("path", "verb", "noun"))
  assert table.header == ["path", "verb"]
  with pytest.raises(ValueError, match=r"'noun' is 0 times .*'path', 'verb'"):
    table.place("noun")


def test_columns_are_there_once(tmp_path):
  table = _table(tmp_path, "path,label,label\na,b,c\n")
  assert table.place("path") == 0
  for column, count in (("label", 2), ("split", 0)):
    with pytest.raises(ValueError, match=f"'{column}' is {count} times"):
      table.place(column)


def test_a_table_without_a_header_names_its_lines(tmp_path):
  table = _table(tmp_path, "\na,b\n\nc,d", header=False)
  assert [(table.line, cells) for cells in table] == [
    (2, ["a", "b"]),
    (4, ["c", "d"]),
  ]


def test_a_large_table_is_read_in_a_blink(tmp_path):
  out = io.StringIO("path,label\n")
  out.seek(0, io.SEEK_END)
  out.writelines(f"{i}.mp4,{i % 7}\n" for i in range(100_000))
  rows = _rows(tmp_path, out.getvalue())
  assert len(rows) == 100_000
  assert rows[-1] == ["99999.mp4", "4"]
