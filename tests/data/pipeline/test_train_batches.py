"""One order of training clips for any number of processes."""

import json

import numpy as np
import pytest

from temporal_jax import data
from temporal_jax.data.listing.find_videos import file_sources
from tests.data.pipeline.test_shuffled_order import OLD_ORDER

CLIP = data.ClipFormat(num_frames=3, image_size=24)
BATCH = 8
BAD = ("missing.mp4", "lost.mp4")


@pytest.fixture(scope="module")
def source(video_folder, tmp_path_factory):
  """Eleven videos, of which two cannot be read."""
  folder = tmp_path_factory.mktemp("list")
  videos = sorted(video_folder.glob("*/*"))[:9]
  rows = [f"{path},{path.parent.name}" for path in videos]
  rows += [f"{folder / name},rise" for name in BAD]
  (folder / "list.csv").write_text("\n".join(["path,label", *rows]))
  return file_sources(folder / "list.csv", 0.0)["train"]


def _run(source, count, *, policy="mask", batch_size=BATCH):
  """The batches of each of `count` processes."""
  return [
    data.train_batches(
      data.VideoOpener(source, data.BadVideos(policy)),
      CLIP,
      batch_size=batch_size,
      seed=3,
      num_threads=2,
      process_index=index,
      process_count=count,
    )
    for index in range(count)
  ]


def _take(run, steps):
  """Global batches: the parts of the processes in their order."""
  batches = []
  for _ in range(steps):
    parts = [next(batches) for batches in run]
    batches.append(
      {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    )
  return batches


def _save(run):
  """The run's saved position, through a file, as processes gather it."""
  read = [batches.position(lambda n: [n] * len(run))["read"][0] for batches in run]
  positions = [batches.position(lambda _: read) for batches in run]
  assert all(position == positions[0] for position in positions)
  return json.loads(json.dumps(positions[0]))


def _seek(run, position):
  notes = {batches.seek(position) for batches in run}
  assert len(notes) == 1
  return notes.pop()


def _assert_same(got, want):
  for a, b in zip(got, want, strict=True):
    assert a.keys() == b.keys()
    for name in a:
      np.testing.assert_array_equal(a[name], b[name])


def _ids(batches):
  return [str(name) for batch in batches for name in batch["id"]]


@pytest.fixture(scope="module")
def alone(source):
  """Six batches of one process: four epochs of eleven videos and a bit."""
  return _take(_run(source, 1), 6)


def test_the_order_has_every_video_once_an_epoch(source, alone):
  ids = _ids(alone)
  epochs = [ids[start : start + 11] for start in range(0, 44, 11)]
  assert all(
    sorted(epoch) == sorted(source[i]["id"] for i in range(11)) for epoch in epochs
  )
  assert len({tuple(epoch) for epoch in epochs}) == 4


@pytest.mark.parametrize("count", [2, 4])
def test_processes_together_have_the_batches_of_one(source, alone, count):
  _assert_same(_take(_run(source, count), 6), alone)


def test_clips_follow_from_their_place_whatever_the_batch_size(source, alone):
  got = _take(_run(source, 2, batch_size=6), 8)
  for name in alone[0]:
    np.testing.assert_array_equal(
      np.concatenate([batch[name] for batch in got]),
      np.concatenate([batch[name] for batch in alone]),
    )


@pytest.mark.parametrize("count", [1, 2, 4])
def test_two_processes_go_on_as_any_number(source, alone, count):
  before = _run(source, 2)
  _take(before, 2)
  after = _run(source, count)
  _take(after, 1)  # Clips read before a restart do not matter.
  assert _seek(after, _save(before)) == ""
  _assert_same(_take(after, 2), alone[2:4])
  again = _run(source, 4)
  assert _seek(again, _save(after)) == ""
  _assert_same(_take(again, 2), alone[4:])


def test_another_batch_size_keeps_the_number_of_clips(source, alone):
  before = _run(source, 2)
  _take(before, 3)
  after = _run(source, 1, batch_size=12)
  assert _seek(after, _save(before)) == ""
  assert _ids(_take(after, 2)) == _ids(alone)[24:48]


def _naive_skip(source, ids, count, steps):
  """Ids of the batches, and the first place after all that was read."""
  good = {source[i]["id"] for i in range(len(source))}
  good = {name for name in good if not name.endswith(BAD)}
  part, batches, end = BATCH // count, [[] for _ in range(steps)], 0
  for process in range(count):
    mine = [
      place
      for start in range(0, len(ids), BATCH)
      for place in range(start + process * part, start + (process + 1) * part)
    ]
    kept = [place for place in mine if ids[place] in good][: steps * part]
    end = max(end, kept[-1] + 1)
    for step in range(steps):
      rows = kept[step * part : (step + 1) * part]
      batches[step] += [ids[place] for place in rows]
  return batches, end


@pytest.fixture(scope="module")
def order(source):
  return _ids(_take(_run(source, 1), 11))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_skipped_clips_are_left_out_of_their_process(source, order, count):
  want, _ = _naive_skip(source, order, count, 5)
  got = _take(_run(source, count, policy="skip"), 5)
  assert [_ids([batch]) for batch in got] == want


def test_skipping_goes_on_with_as_many_processes_bit_for_bit(source):
  whole = _take(_run(source, 2, policy="skip"), 6)
  before = _run(source, 2, policy="skip")
  _take(before, 4)
  after = _run(source, 2, policy="skip")
  assert _seek(after, _save(before)) == ""
  _assert_same(_take(after, 2), whole[4:])


def test_skipping_goes_on_at_the_farthest_place_with_others(source, order):
  before = _run(source, 4, policy="skip")
  taken = _take(before, 5)
  _, end = _naive_skip(source, order, 4, 5)
  position = _save(before)
  left_out = end - sum(position["read"])
  assert left_out > 0
  after = _run(source, 1, policy="skip")
  note = _seek(after, position)
  assert note.startswith(f"{left_out} clips are left out")
  good = [name for name in order[end:] if name in set(_ids(taken))]
  assert _ids(_take(after, 2)) == good[: 2 * BATCH]


def test_old_runs_go_on_in_their_old_order(source):
  """Positions that were saved before the order changed have no version."""
  old = {"start": 0, "read": [8], "batch_size": BATCH, "num_videos": 11}
  run = _run(source, 1)
  assert _seek(run, old) == ""
  ids = [source[number]["id"] for number in OLD_ORDER]
  assert _ids(_take(run, 1)) == ids[8:16]
  saved = _save(run)
  assert saved["order"] == 1
  again = _run(source, 2)  # Nor does another start, or number, change it.
  assert _seek(again, saved) == ""
  assert _ids(_take(again, 1))[:6] == ids[16:22]


def test_a_place_of_an_unknown_order_is_refused(source, alone):
  (run,) = _run(source, 1)
  position = run.position() | {"order": 9}
  with pytest.raises(ValueError, match="version 9 of the order, known are 1 and 2"):
    run.seek(position)
  _assert_same(_take([run], 2), alone[:2])


def test_another_number_of_videos_is_told(source):
  (batches,) = _run(source, 1)
  position = batches.position() | {"num_videos": 10}
  assert "training videos changed from 10 to 11" in batches.seek(position)


@pytest.mark.parametrize(
  ("name", "value"),
  [
    ("start", -1),
    ("start", 1.5),
    ("start", True),
    ("start", 10**20),
    ("read", []),
    ("read", [3, -1]),
    ("read", 3),
    ("read", ["3"]),
    ("batch_size", 0),
    ("num_videos", None),
  ],
)
def test_a_place_that_cannot_be_is_refused(source, name, value):
  (batches,) = _run(source, 1)
  next(batches)
  before = batches.position()
  with pytest.raises(ValueError, match=f"'{name}' of the saved place"):
    batches.seek({**before, name: value})
  assert batches.position() == before


def test_what_is_wrong_with_a_place_is_said(source):
  (batches,) = _run(source, 1)
  with pytest.raises(ValueError, match=r"lacks \['start', 'read'"):
    batches.seek({"next_index": 3})
  with pytest.raises(ValueError, match="places of 2 processes are needed, got 1"):
    _run(source, 2)[0].position()


@pytest.mark.parametrize(
  ("kwargs", "message"),
  [
    ({"batch_size": 9}, "9 must be a positive multiple of the 2 processes"),
    ({"batch_size": 0}, "0 must be a positive multiple"),
    ({"process_index": 2}, r"must be in \[0, 2\), got 2"),
  ],
)
def test_impossible_shares_are_refused(source, kwargs, message):
  kwargs = {"batch_size": 8, "process_index": 0} | kwargs
  with pytest.raises(ValueError, match=message):
    data.train_batches(
      data.VideoOpener(source, data.BadVideos("raise")),
      CLIP,
      seed=0,
      process_count=2,
      **kwargs,
    )
