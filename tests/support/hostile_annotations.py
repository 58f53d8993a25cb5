"""Annotation files that are damaged, or made to do harm."""

import copy
import json

from temporal_jax.data import annotations

_ANNOTATION = {"segment": [0.0, 2.5], "label": "Waving"}
_VIDEO = {"subset": "training", "duration": 9, "annotations": [_ANNOTATION]}
_ENTRY = {"id": "7", "label": "falling", "template": "[Something] falling"}
# Files of each reader; JSON or text.
GOOD = {
  "activity_net": {"net.json": {"database": {"abc": _VIDEO}}},
  "ssv2": {
    "train.json": [_ENTRY],
    "validation.json": [{**_ENTRY, "id": "8"}],
    "labels.json": {"Something falling": "0"},
  },
  "k400": {
    "train.csv": "label,youtube_id,time_start,time_end,split\nrun,ab,0,9,train",
    "validate.csv": "label,youtube_id,time_start,time_end,split\nrun,b,0,9,val",
  },
}
READERS = {
  "activity_net": lambda folder: annotations.read_activity_net(folder / "net.json"),
  "ssv2": lambda folder: annotations.read_something_something_v2(
    {split: folder / f"{split}.json" for split in ("train", "validation")},
    folder / "labels.json",
  ),
  "k400": lambda folder: annotations.open_annotations("k400", folder),
}
_OTHERS = (
  None,
  True,
  -1,
  1.5,
  10**400,
  "",
  "x" * 10**5,
  [],
  {},
  [[]],
  {"a": 1},
)


def as_bytes(content):
  """Returns the content of a file: bytes, text, or JSON."""
  if isinstance(content, bytes):
    return content
  return (content if isinstance(content, str) else json.dumps(content)).encode()


def _net(**changes):
  return {"database": {"abc": {**_VIDEO, **changes}}}


def _part(**changes):
  return _net(annotations=[{**_ANNOTATION, **changes}])


def _json_cases():
  """Yields (content, words) of what no JSON reader may take."""
  yield b"", "not JSON"
  yield b"{", "not JSON"
  yield b"[" * 100_000, "nested deeper than 64"
  yield b'{"a":' * 100_000, "nested deeper than 64"
  yield b'{"a": NaN}', "NaN is no JSON number"
  yield b"[1e999]", "too large"
  yield b'{"a": 1, "a": 2}', "'a' is there twice"
  yield b"[" + b"1" * 5000 + b"]", "not JSON"
  yield b'["\\udfff"]', "no Unicode"
  yield b'["\xff"]', "is no UTF-8"
  yield b"null", "must hold a"
  yield b'"text"', "must hold a"


def cases():
  """Yields (reader, file, content, words of the error)."""
  for content, words in _json_cases():
    yield "activity_net", "net.json", content, words
    yield "ssv2", "train.json", content, words
  for content, words in (
    ({}, "'database' is missing"),
    ({"database": []}, "database must be an object"),
    ({"database": {"abc": 3}}, "abc: 'subset' is missing"),
    (_net(subset=[]), "abc: subset must be text"),
    (_net(annotations={}), "abc: annotations must be a list"),
    (_net(annotations=None), "abc: annotations must be a list"),
    (_net(annotations=[3]), "abc: 'segment' is missing"),
    (_part(segment=[0]), "segment must be"),
    (_part(segment="0-9"), "segment must be"),
    (_part(segment=[0, "x"]), "segment must be seconds"),
    (_part(segment=[-1, 2]), "segment must be seconds"),
    (_part(segment=[0, [2]]), "segment must be seconds"),
    (_part(label=None), "label must be text"),
    (_part(label=["a"]), "label must be text"),
    (_part(label=""), "label must be text"),
  ):
    yield "activity_net", "net.json", content, words
  for content, words in (
    ([3], "entry 0: 'id' is missing"),
    ([{**_ENTRY, "id": None}], "entry 0: id must be text"),
    ([{**_ENTRY, "template": 3}], "entry 0: the class '3'"),
    ([{**_ENTRY, "template": []}], "entry 0: template must be text"),
    ([{**_ENTRY, "template": "x"}], "entry 0: the class 'x'"),
  ):
    yield "ssv2", "train.json", content, words
  for content, words in (
    ({}, "numbered from 0"),
    ({"a": 1}, "numbered from 0"),
    ({"a": 0, "b": 0}, "must be distinct"),
    ({"a": 10**9}, "numbered from 0"),
    ({"a": -1}, "integer of at least 0"),
    ({"a": 0.5}, "integer of at least 0"),
    ({"a": True}, "integer of at least 0"),
    ({"a": None}, "integer of at least 0"),
    ({"a": "1" * 5000}, "integer of at least 0"),
    ({"a": []}, "integer of at least 0"),
  ):
    yield "ssv2", "labels.json", content, words
  head = GOOD["k400"]["train.csv"].split("\n")[0]
  for content, words in (
    ("", "lacks the columns"),
    (f"{head}\n{'x' * 131_073},ab,0,9,train", "longer than 131072 characters"),
    (f'{head}\n"{"x" * 131_073}",ab,0,9,train', "longer than 131072"),
    (f"{head}\nrun,ab,0,9\n", "needs 5 cells"),
    (f'{head}\n"run,ab,0,9,train\n', "a quote is not closed"),
    (f"{head}\nrun,ab,nan,9,train\n", "must be"),
    (f"{head}\nrun,ab,inf,9,train\n", "must be"),
    (f"{head}\nrun,ab,{'9' * 400},9,train\n", "must be"),
    (f"{head}\nrun,ab,0,9,train\0\n", "NUL"),
    (f"{head},{head}\n", "2 times in the header"),
    (b"\xff\xfe" + head.encode("utf-16-le")[:-1], "UTF-16"),
  ):
    yield "k400", "train.csv", content, words


def replacements(value):
  """Yields copies of a JSON value with one part replaced by another type."""
  yield from _OTHERS
  if isinstance(value, dict | list):
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
      for inner in replacements(value[key]):
        changed = copy.copy(value)
        changed[key] = inner
        yield changed
