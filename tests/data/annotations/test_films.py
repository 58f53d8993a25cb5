"""Films with their segments: what is read, refused, left out and counted."""

import copy
import json

import numpy as np
import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import LeftOut
from tests.data.annotations.test_registry import CASES
from tests.support import hostile_annotations as hostile
from tests.support.activity_net_lists import NET, part

EPIC = {
  "EPIC_100_train.csv": "narration_id,participant_id,video_id,start_timestamp,"
  "stop_timestamp,verb_class,noun_class\nP01_01_0,P01,P01_01,0:0:1,0:0:2.5,1,0\n"
  "P01_01_1,P01,P01_01,0:0:2,0:0:12,0,2\n",
  "EPIC_100_validation.csv": "narration_id,participant_id,video_id,"
  "start_timestamp,stop_timestamp,verb_class,noun_class\n"
  "P02_01_0,P02,P02_01,0:1:1,0:1:2,0,0\n",
  "EPIC_100_verb_classes.csv": "id,key\n0,cut\n1,take\n",
  "EPIC_100_noun_classes.csv": "id,key\n0,tap\n1,pan\n2,lid\n",
}


@pytest.mark.parametrize(("names", "files"), CASES)
def test_each_name_with_films_opens_them(tmp_path, names, files):
  for file, text in files.items():
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
  name = names[0]
  if annotations.DATA_SETS[name].read_films is None:
    with pytest.raises(ValueError, match="unknown annotations of films"):
      annotations.open_films(name, tmp_path)
    return
  films = annotations.open_films(name, tmp_path, on_error="skip")
  assert films.split("train")
  assert films.split("test")
  clips = annotations.open_annotations(name, tmp_path)
  # The segments are those of the clips, with the same numbers of classes.
  if any(record.start is None for record in clips.records):
    clips = clips._replace(records=clips.split("train"))
  ours = {(r.path, r.start, r.stop, r.label) for r in films.as_clips().records}
  assert {(r.path, r.start, r.stop, r.label) for r in clips.records} <= ours
  assert films.class_names == clips.class_names


def test_films_of_activity_net_and_hacs(write):
  net = copy.deepcopy(NET)
  net["database"]["abc"] |= {"duration": 8.5}
  net["database"]["nothing"] = {"subset": "training", "annotations": []}
  file = write("net.json", net)
  with pytest.raises(ValueError, match=r"def: the segment 9.0 to 9.0 s does not end"):
    annotations.read_activity_net_films(file)
  got = annotations.read_activity_net_films(file, on_error="skip")
  assert got.class_names == ("Ballet", "Beer pong")
  first, second, third = got.films
  # Its end was half a second past the film's end.
  np.testing.assert_array_equal(first.segments, [[1.5, 4.0], [4.0, 8.5]])
  assert first.labels.tolist() == [1, 0]
  assert (first.duration, second.duration) == (8.5, None)
  assert second.segments.shape == (3, 2)
  assert (third.id, third.segments.shape, third.labels.shape) == (
    "nothing",
    (0, 2),
    (0,),
  )
  assert got.counts() == {
    "films": 3,
    "films without a segment": 1,
    "segments": 5,
    "segments cut at the film's end": 1,
    "left out: it does not end after it starts": 1,
  }
  hacs = annotations.read_hacs_films(file, on_error="skip")
  assert [film.path for film in hacs.films] == [
    "Ballet/v_abc.mp4",
    "Beer pong/v_def.mp4",
    "v_nothing.mp4",
  ]


def test_films_of_epic_kitchens(tmp_path):
  for name, text in EPIC.items():
    (tmp_path / name).write_text(text)
  got = annotations.open_films("ek100", tmp_path)
  assert got.class_names == {"verb": ("cut", "take"), "noun": ("tap", "pan", "lid")}
  first, second = got.films
  assert (first.id, first.path) == ("P01_01", "P01/videos/P01_01.MP4")
  np.testing.assert_array_equal(first.segments, [[1, 2.5], [2, 12]])
  assert first.labels.tolist() == [[1, 0], [0, 2]]
  assert (first.duration, first.fps, second.split) == (None, None, "test")
  assert got.as_clips().records[1].label == (0, 2)

  info = tmp_path / "EPIC_100_video_info.csv"
  info.write_text("video_id,duration,fps,resolution\nP01_01,11.5,59.94,1x1\n")
  got = annotations.open_films("ek100", tmp_path)
  assert (got.films[0].duration, got.films[0].fps) == (11.5, 59.94)
  assert got.films[0].segments[1].tolist() == [2, 11.5]
  info.write_text("video_id,duration,fps,resolution\nP01_01,7,59.94,1x1\n")
  with pytest.raises(ValueError, match=r"line 3: .* 2.0 to 12.0 s is past the end"):
    annotations.open_films("ek100", tmp_path)
  train = tmp_path / "EPIC_100_train.csv"
  train.write_text(EPIC["EPIC_100_train.csv"].replace("12,0,2", "3,0,3"))
  with pytest.raises(ValueError, match=r"line 3: .* must be in \[0, 3\), got 3"):
    annotations.open_films("ek100", tmp_path)


LIST = """path,start,end,label,split,duration
films/a.mp4,0.5,2,run,train,10
films/a.mp4,0:00:03,4.25,jump,train,10
films/b.mp4,,,,val,20
c.mkv,1,2,jump,,
"""


def test_a_list_of_own_films(write):
  file = write("list.csv", LIST)
  got = annotations.read_segment_list(file)
  assert got.class_names == ("jump", "run")
  assert [(f.id, f.split, f.duration, len(f.segments)) for f in got.films] == [
    ("films/a", "train", 10.0, 2),
    ("films/b", "validation", 20.0, 0),
    ("c", "", None, 1),
  ]
  assert got.films[0].path == str(file.parent / "films" / "a.mp4")
  np.testing.assert_array_equal(got.films[0].segments, [[0.5, 2], [3, 4.25]])
  assert got.films[0].labels.tolist() == [1, 0]
  of_detector = annotations.read_segment_list(file, class_names=("walk", "run", "jump"))
  assert of_detector.films[0].labels.tolist() == [1, 2]
  write("list.csv", LIST.replace(",", ";"))
  assert annotations.read_segment_list(file).counts() == got.counts()


@pytest.mark.parametrize(
  ("row", "reason", "message"),
  [
    ("c.mkv,2,1,jump,,", "it does not end", "2.0 to 1.0 s does not end after it"),
    ("c.mkv,1,1,jump,,", "it does not end", "1.0 to 1.0 s does not end after it"),
    ("c.mkv,-1,1,jump,,", "a time that is no", "start must be seconds .*, got '-1'"),
    ("c.mkv,nan,1,jump,,", "a time that is no", "start must be seconds .*, got 'nan'"),
    ("c.mkv,1,inf,jump,,", "a time that is no", "end must be seconds .*, got 'inf'"),
    ("c.mkv,1,,jump,,", "a time that is no", "end must be seconds .*, got ''"),
    ("c.mkv,1_0,20,jump,,", "a time that is no", "start must be .*, got '1_0'"),
    ("c.mkv,\u0661,20,jump,,", "a time that is no", "start must be seconds"),
    ("c.mkv,0:70:99,9:0:0,jump,,", "a time that is no", "got '0:70:99'"),
    ("c.mkv,1:30,2:00,jump,,", "a time that is no", "start must be .* h:m:s"),
    ("c.mkv,1,1e300,jump,,", "a time that is no", "at most ten years, got '1e300'"),
    ("c.mkv,1,2,,,", "an unknown label", "label must be text, got ''"),
    ("c.mkv,1,2,sit,,", "an unknown label", "'sit' is not one of the 2 known ones"),
    ("films/a.mp4,9,11.5,run,train,10", "it is past", "9.0 to 11.5 s is past the end"),
    ("films/a.mp4,10,10.5,run,train,10", "it is past", "film, which has 10.0 s"),
  ],
)
def test_a_wrong_segment_is_refused_or_left_out(write, row, reason, message):
  file = write("list.csv", f"{LIST}{row}\n")
  known = {"class_names": ("jump", "run")}
  with pytest.raises(ValueError, match=f"list.csv, line 6: .*{message}"):
    annotations.read_segment_list(file, **known)
  got = annotations.read_segment_list(file, on_error="skip", **known)
  (one,) = got.left_out
  assert one.reason.startswith(reason)
  assert one.film == ("films/a" if "films" in row else "c")
  assert got.counts()[f"left out: {one.reason}"] == 1
  assert got.counts()["segments"] == 3


def test_a_film_that_lost_its_segments_is_no_negative(write):
  file = write("list.csv", LIST.replace("c.mkv,1,2", "c.mkv,2,2"))
  got = annotations.read_segment_list(file, on_error="skip")
  assert [film.id for film in got.films] == ["films/a", "films/b"]
  assert got.counts()["left out: a film all of whose segments are left out"] == 1
  wrong = LIST.replace(",20\n", ",0\n")
  with pytest.raises(ValueError, match="line 4: duration must be a number above 0"):
    annotations.read_segment_list(write("list.csv", wrong))
  got = annotations.read_segment_list(file, on_error="skip")
  assert [film.id for film in got.films] == ["films/a", "c"]
  assert "no segment" not in str(got.left_out)
  assert len(got.left_out) == 1


@pytest.mark.parametrize(
  ("content", "message"),
  [
    ("path,start,end\na.mp4,1,2\n", r"lacks \['label'\]"),
    ("path,start,end,label,speed\n", r"has \['speed'\]"),
    ("path,start,end,label\n", "lists no film"),
    ("", "must name the columns path, start, end, label"),
    ("path,path,start,end,label\na,b,1,2,x\n", "'path' is 2 times"),
    ("path,start,end,label\n,1,2,x\n", "line 2: path is empty"),
    ("path,start,end,label\nhttps://a.b/c.mp4,1,2,x\n", "line 2: .* an address"),
    ("path,start,end,label,split\na,1,2,x,night\n", "line 2: split must be"),
    (LIST + "films/a.mp4,1,2,run,val,10\n", "line 6: .* split 'validation' here and"),
    (LIST + "films/a.avi,1,2,run,train,10\n", "line 6: .*path"),
    ("path,start,end,label\na,1,2\n", "line 2: needs 4 cells"),
  ],
)
def test_other_lists_are_refused(write, content, message):
  file = write("list.csv", content)
  for on_error in ("raise", "skip"):
    with pytest.raises(ValueError, match=message):
      annotations.read_segment_list(file, on_error=on_error)
  with pytest.raises(ValueError, match=r"on_error must be one of \['raise', 'skip'\]"):
    annotations.read_segment_list(write("list.csv", LIST), on_error="mask")


def test_durations_that_become_known_later_are_checked(write):
  got = annotations.read_segment_list(write("list.csv", LIST))
  some = {"c": 1.5, "films/a": 4, "films/b": 3}
  known = annotations.with_durations(got, some, on_error="raise")
  assert known.films[2].duration == 1.5
  assert known.films[2].segments.tolist() == [[1, 1.5]]
  assert known.films[0].segments.tolist() == [[0.5, 2], [3, 4]]
  assert known.films[0].duration == 10  # As in the list.
  assert known.num_cut == 2
  with pytest.raises(ValueError, match=r"film 'c': the segment 1.0 to 2.0 s is past"):
    annotations.with_durations(got, {"c": 0.9}, on_error="raise")
  left = annotations.with_durations(got, {"c": 0.9}, on_error="skip")
  assert [film.id for film in left.films] == ["films/a", "films/b"]
  assert len(left.left_out) == 2


def test_kept_segments_past_the_end_stay_when_durations_become_known(write):
  got = annotations.read_segment_list(write("list.csv", LIST))
  got = got._replace(past_end="keep")
  some = {"c": 0.9, "films/a": 4, "films/b": 3}
  known = annotations.with_durations(got, some, on_error="raise")
  assert known.films[2].segments.tolist() == [[1, 2]]
  assert known.films[0].segments.tolist() == [[0.5, 2], [3, 4]]
  assert known.counts()["segments past the film's end"] == 1
  again = annotations.with_durations(known, some, on_error="raise")
  assert again.counts() == known.counts()


def test_films_are_left_out_by_name(write):
  got = annotations.read_segment_list(write("list.csv", LIST))
  gone = [LeftOut("c", "a film without features", "c has none.")]
  with pytest.raises(ValueError, match=r"c has none\."):
    annotations.without_films(got, gone, on_error="raise")
  left = annotations.without_films(got, gone, on_error="skip")
  assert [film.id for film in left.films] == ["films/a", "films/b"]
  assert left.counts()["left out: a film without features"] == 1
  everything = [gone[0]._replace(film=film.id) for film in got.films]
  with pytest.raises(ValueError, match="no film is left"):
    annotations.without_films(got, everything, on_error="skip")


def test_every_value_of_another_type_is_refused_or_read(tmp_path):
  file = tmp_path / "net.json"
  good = {
    "database": {
      "abc": {
        "subset": "training",
        "duration": 9,
        "fps": 30,
        "annotations": [part("run", 0.0, 2.5), part("sit", 3, 4)],
      }
    }
  }
  for changed in hostile.replacements(good):
    file.write_text(json.dumps(changed))
    message = str(file)
    try:
      got = annotations.read_activity_net_films(file)
      assert not got.left_out
    except ValueError as error:
      message = str(error)
    assert str(file) in message
    assert len(message) < 1000


def test_names_that_look_alike_are_pointed_out(tmp_path, caplog):
  file = tmp_path / "list.csv"
  file.write_text("path,start,end,label\na.mp4,1,2,caf\u00e9\na.mp4,3,4,cafe\u0301\n")
  words = r"('caf\xe9' is not 'cafe\u0301': names must be equal)"
  with caplog.at_level("WARNING", logger="absl"):
    assert len(annotations.read_segment_list(file).class_names) == 2
  assert r"2 classes ('cafe\u0301' is not 'caf\xe9': names must" in caplog.text
  with pytest.raises(ValueError, match="1 known ones") as caught:
    annotations.read_segment_list(file, class_names=("cafe\u0301",))
  assert words in str(caught.value)


def test_a_list_of_which_nothing_is_left_is_refused(tmp_path):
  file = tmp_path / "list.csv"
  file.write_text("path,start,end,label\na.mp4,2,1,run\n")
  with pytest.raises(ValueError, match=r"all films are left out; the first: .*line 2"):
    annotations.read_segment_list(file, on_error="skip")
