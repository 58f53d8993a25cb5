import json

import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import Record

# Files that `test_registry` opens by name, as published, a few lines long.
_ENTRY = [{"id": 1, "template": "Doing [it]"}]
FILES = {
  ("ssv1",): {
    "something-something-v1-train.csv": "1;Doing it\n",
    "something-something-v1-validation.csv": "2;Doing it\n",
    "something-something-v1-labels.csv": "Doing it\n",
  },
  ("ssv2",): {
    "train.json": json.dumps(_ENTRY),
    "validation.json": json.dumps(_ENTRY),
    "labels.json": json.dumps({"Doing it": "0"}),
  },
}


def test_something_something_v1(write):
  labels = write("labels.csv", "Holding something\nPushing something\n")
  files = {
    "train": write("train.csv", "100218;Pushing something\n"),
    "test": write("val.csv", "24413;Holding something\n"),
  }
  got = annotations.read_something_something_v1(files, labels, path="jpg/{id}")
  assert got.records == [
    Record("100218", "jpg/100218", 1, "train"),
    Record("24413", "jpg/24413", 0, "test"),
  ]
  files["test"] = write("val.csv", "24413;Holding something\n7;Holding it\n")
  with pytest.raises(ValueError, match=r"val.csv, line 2: .*'Holding it'"):
    annotations.read_something_something_v1(files, labels)


def test_something_something_v2(write):
  labels = write("labels.json", {"Holding something": "1", "Poking": "0"})
  entry = {
    "id": "78687",
    "label": "holding potato",
    "template": "Holding [something]",
    "placeholders": ["potato"],
  }
  got = annotations.read_something_something_v2(
    {"train": write("train.json", [entry])}, labels
  )
  assert got.records == [Record("78687", "78687.webm", 1, "train")]
  assert got.class_names == ("Poking", "Holding something")

  for content, message in (
    ([entry, {"id": "1"}], "entry 1: 'template' is missing"),
    ("[{", "train.json is not JSON: line 1"),
    ({"id": 1}, "must hold a list, got dict"),
  ):
    with pytest.raises(ValueError, match=message):
      annotations.read_something_something_v2(
        {"train": write("train.json", content)}, labels
      )
  gaps = write("gaps.json", {"Holding something": "2", "Poking": "0"})
  with pytest.raises(ValueError, match=r"from 0 on, \[1\] are missing"):
    annotations.read_something_something_v2({}, gaps)
