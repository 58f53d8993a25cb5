import json

import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import Record
from tests.support.activity_net_lists import NET, part

# Files that `test_registry` opens by name, as published, a few lines long.
FILES = {("anet", "anet_multi_label"): {"activity_net.v1-3.min.json": json.dumps(NET)}}


def test_activity_net(write):
  file = write("net.json", NET)
  got = annotations.read_activity_net(file)
  assert got.class_names == ("Ballet", "Beer pong")
  assert got.records == [
    Record("abc_0", "v_abc.mp4", 1, "train", 1.5, 4.0, "abc"),
    Record("abc_1", "v_abc.mp4", 0, "train", 4.0, 9.0, "abc"),
    # Four of eight seconds are beer pong.
    Record("def", "v_def.mp4", 1, "test", origin="def"),
  ]
  several = annotations.read_activity_net(file, multi_label=True)
  assert several.multi_label
  assert [r.label for r in several.records] == [{1}, {0}, {0, 1}]

  for broken, message in (
    ({"subset": "training"}, "abc: 'annotations' is missing"),
    (
      {"subset": "training", "annotations": [part("a", 1, 2) | {"segment": 3}]},
      r"abc: segment must be \[start, stop\], got 3",
    ),
    (
      {"subset": "training", "annotations": [part("a", -1, 2)]},
      "abc: segment must be seconds",
    ),
  ):
    with pytest.raises(ValueError, match=message):
      annotations.read_activity_net(write("net.json", {"database": {"abc": broken}}))
