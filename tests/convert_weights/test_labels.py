import json

import pytest

from convert_weights.labels import read_labels

NAMES = ("falling", "riding a bike", "waving")


@pytest.mark.parametrize(
  ("name", "text"),
  [
    ("labels.txt", "falling\nriding a bike\nwaving\n"),
    ("labels.txt", "\ufefffalling\r\nriding a bike \r\nwaving"),
    ("labels.json", json.dumps(NAMES)),
    ("labels.json", '{"waving": 2, "falling": 0, "riding a bike": 1}'),
    ("labels.json", '{"2": "waving", "0": "falling", "1": "riding a bike"}'),
    (
      "config.json",
      '{"model_type": "vivit", "id2label": '
      '{"2": "waving", "0": "falling", "1": "riding a bike"}}',
    ),
    ("labels.csv", "id,name\n2,waving\n0,falling\n1,riding a bike\n"),
  ],
)
def test_reads_names_in_order(tmp_path, name, text):
  path = tmp_path / name
  path.write_text(text, encoding="utf-8")
  assert read_labels(path) == NAMES


@pytest.mark.parametrize(
  ("name", "text", "message"),
  [
    ("labels.txt", "", "has empty lines or names twice"),
    ("labels.txt", "a\n\nb\n", "has empty lines"),
    ("labels.txt", "a\na\n", r"twice: \['a'\]"),
    ("labels.json", "{", "is not JSON"),
    ("labels.json", "[1, 2]", "must hold a list of names"),
    ("labels.json", "3", "must hold a list of names"),
    ("labels.json", '{"1": "a", "2": "b"}', "must number its 2 classes from 0"),
    ("labels.json", '{"a": "b"}', "must be whole"),
    ("config.json", '{"id2label": {"0": "crane", "1": "crane"}}', r"\['crane'\]"),
    ("labels.csv", "number,name\n0,a\n", "must have the columns id and name"),
  ],
)
def test_refuses(tmp_path, name, text, message):
  path = tmp_path / name
  path.write_text(text)
  with pytest.raises(ValueError, match=message):
    read_labels(path)


def test_refuses_what_is_not_text(tmp_path):
  (tmp_path / "labels.txt").write_bytes(b"\xff\xfe\x00\x80")
  with pytest.raises(ValueError, match="is not text"):
    read_labels(tmp_path / "labels.txt")
