import json

import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import Record
from tests.support.activity_net_lists import NET

# Files that `test_registry` opens by name, as published, a few lines long.
FILES = {
  ("hacs", "hacs_whole_tests"): {"HACS_segments_v1.1.1.json": json.dumps(NET)},
  ("hacs_clips",): {
    "HACS_clips_v1.1.1.csv": "classname,youtube_id,subset,start,end,label\n"
    "run,a,training,0,2,1\nrun,b,validation,0,2,1\n"
  },
}


def test_hacs(write):
  segments = annotations.read_hacs_segments(write("hacs.json", NET))
  assert [(r.path, r.label, r.start, r.split) for r in segments.records] == [
    ("Ballet/v_abc.mp4", 1, 1.5, "train"),
    ("Ballet/v_abc.mp4", 0, 4.0, "train"),
    ("Beer pong/v_def.mp4", 0, 0.0, "test"),
    ("Beer pong/v_def.mp4", 1, 3.0, "test"),
    ("Beer pong/v_def.mp4", 1, 6.0, "test"),
  ]
  whole = annotations.read_hacs_segments(
    write("whole.json", NET), whole_videos=("test",)
  ).split("test")
  assert [(r.id, r.start, r.stop) for r in whole] == [("def", None, None)]
  header = "classname,youtube_id,subset,start,end,label\n"
  clips = write(
    "clips.csv",
    header
    + "Archery,a2X2hz1G6i8,training,15.5,17.5,1\n"
    + "Zumba,NUdji_CqvcY,training,77.5,79.5,-1\n"
    + "Ballet,0O_qMHxBfXg,validation,24.5,26.5,1\n",
  )
  got = annotations.read_hacs_clips(clips)
  assert got.class_names == ("Archery", "Ballet")
  assert [r._replace(id="") for r in got.records] == [
    Record("", "Archery/v_a2X2hz1G6i8.mp4", 0, "train", 15.5, 17.5, "a2X2hz1G6i8"),
    Record("", "Ballet/v_0O_qMHxBfXg.mp4", 1, "test", 24.5, 26.5, "0O_qMHxBfXg"),
  ]
  write("clips.csv", header + "Archery,a,training,1,3,yes\n")
  with pytest.raises(ValueError, match="line 2: label must be 1 or -1"):
    annotations.read_hacs_clips(clips)
