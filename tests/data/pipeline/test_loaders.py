import json

import numpy as np
import pytest

from temporal_jax import data
from temporal_jax.data.listing.find_videos import file_sources
from temporal_jax.data.video.encoding import encode_mp4
from tests.conftest import frame_numbers

CLIP = data.ClipFormat(num_frames=4, image_size=24)
PROTOCOL = data.EvalProtocol(num_frames=4, crop_size=24)


def _source(root):
  return file_sources(root, 0.0)["train"]


def _train(source, policy="raise", file=None, **kwargs):
  kwargs = {"batch_size": 4, "seed": 0, "num_threads": 2} | kwargs
  bad = data.BadVideos(policy, file)
  return data.train_batches(data.VideoOpener(source, bad), CLIP, **kwargs)


def _eval(source, policy="raise", **kwargs):
  bad = data.BadVideos(policy)
  kwargs = {"batch_size": 5, "num_threads": 2} | kwargs
  videos = data.VideoOpener(source, bad)
  return data.eval_batches(videos, PROTOCOL, **kwargs), bad


def _ids(batches):
  return [str(name) for batch in batches for name in batch["id"] if name]


@pytest.fixture
def damaged(video_folder, tmp_path):
  """The folder with one empty, one corrupt and one missing video."""
  rows = ["path,label"]
  rows += [f"{p},{p.parent.name}" for p in sorted(video_folder.glob("*/*"))]
  (tmp_path / "empty.mp4").touch()
  (tmp_path / "corrupt.mp4").write_bytes(b"\0" * 4000)
  bad = [str(tmp_path / f"{n}.mp4") for n in ("empty", "corrupt", "missing")]
  rows += [f"{path},rise" for path in bad]
  (tmp_path / "list.csv").write_text("\n".join(rows))
  return _source(tmp_path / "list.csv"), bad


def test_batches_have_the_documented_form(video_folder):
  batch = next(_train(_source(video_folder)))
  assert batch["clip"].shape == (4, 4, 24, 24, 3)
  assert batch["clip"].dtype == np.uint8
  assert batch["label"].dtype == np.int32
  assert batch["weight"].dtype == np.float32
  np.testing.assert_array_equal(batch["weight"], 1)
  for clip, label in zip(batch["clip"], batch["label"], strict=True):
    steps = np.diff(frame_numbers(clip))
    assert np.all(steps < 0) if label == 0 else np.all(steps > 0)


def test_every_epoch_has_every_video_in_another_order(video_folder):
  batches = _train(_source(video_folder))
  epochs = [_ids(next(batches) for _ in range(3)) for _ in range(3)]
  for epoch in epochs:
    assert len(set(epoch)) == 12
  assert epochs[0] != epochs[1] != epochs[2]


def test_seed_changes_order_and_crops(video_folder):
  source = _source(video_folder)
  a, b = (next(_train(source, seed=seed)) for seed in (0, 1))
  assert list(a["id"]) != list(b["id"])


def test_evaluation_reads_each_video_once_and_pads(video_folder):
  source = _source(video_folder)
  batches, _ = _eval(source)
  got = list(batches)
  assert [len(batch["id"]) for batch in got] == [5, 5, 5]
  assert _ids(got) == [source[i]["id"] for i in range(12)]
  np.testing.assert_array_equal(got[-1]["weight"], [1, 1, 0, 0, 0])
  assert _ids(batches) == _ids(got)


def test_processes_together_evaluate_the_batches_of_one(video_folder):
  source = _source(video_folder)
  kwargs = {"batch_size": 10, "process_count": 2}
  parts = [list(_eval(source, process_index=i, **kwargs)[0]) for i in range(2)]
  whole = list(_eval(source, batch_size=10)[0])
  for batch, *shares in zip(whole, *parts, strict=True):
    for name, values in batch.items():
      together = np.concatenate([share[name] for share in shares])
      np.testing.assert_array_equal(together, values)


def test_raise_names_the_video(damaged):
  source, bad = damaged
  batches, _ = _eval(source)
  with pytest.raises(data.BadVideoError) as error:
    list(batches)
  assert any(name in str(error.value) for name in bad)


def test_skip_leaves_bad_videos_out_and_writes_them_down(damaged, tmp_path):
  source, bad = damaged
  file = tmp_path / "bad.jsonl"
  batches = _train(source, "skip", file)
  drawn = [next(batches) for _ in range(12)]
  assert set(_ids(drawn)) == {source[i]["id"] for i in range(15)} - set(bad)
  assert all(np.all(batch["weight"] == 1) for batch in drawn)
  lines = [json.loads(line) for line in file.read_text().splitlines()]
  assert sorted(line["video"] for line in lines) == sorted(bad)
  assert all(line["reason"] for line in lines)


def test_a_bad_video_is_written_down_once_over_all_starts(tmp_path):
  file = tmp_path / "bad.jsonl"
  for start in range(3):
    bad = data.BadVideos("skip", file)
    bad.add("a.mp4", f"reason {start}", listed=9)
    bad.add(f"b{start}.mp4", "other", listed=9)
    assert bad.reasons().keys() == {"a.mp4", f"b{start}.mp4"}
    with file.open("a") as out:
      out.write('{"video": "killed wh')
  rows = [json.loads(line) for line in file.read_text().split("\n")[:-1]]
  assert [row["video"] for row in rows] == ["a.mp4", "b0.mp4", "b1.mp4", "b2.mp4"]
  file.write_text("[]\n")
  with pytest.raises(ValueError, match=r"bad\.jsonl, line 1 is damaged"):
    data.BadVideos("skip", file)


def test_mask_keeps_the_place_of_bad_videos(damaged):
  source, bad = damaged
  batches = _train(source, "mask", batch_size=5)
  epoch = [next(batches) for _ in range(3)]
  assert len(set(_ids(epoch))) == 15
  for batch in epoch:
    for name, weight, clip in zip(
      batch["id"], batch["weight"], batch["clip"], strict=True
    ):
      assert weight == (str(name) not in bad)
      assert (clip.max() == 0) == (str(name) in bad)


@pytest.mark.parametrize("policy", ["skip", "mask"])
def test_evaluation_scores_no_bad_video(damaged, policy):
  source, bad = damaged
  batches, log = _eval(source, policy)
  scored = [str(name) for batch in batches for name in batch["id"][batch["weight"] > 0]]
  assert sorted(scored + bad) == sorted(source[i]["id"] for i in range(15))
  assert sorted(log.reasons()) == sorted(bad)


def test_nothing_but_bad_videos_stops(tmp_path):
  (tmp_path / "a").mkdir()
  for i in range(3):
    (tmp_path / "a" / f"{i}.mp4").touch()
  with pytest.raises(data.BadVideoError, match="none of the 3 videos"):
    next(_train(_source(tmp_path), "skip", batch_size=1))


def test_small_videos_say_how_to_resize(video_folder):
  videos = data.VideoOpener(_source(video_folder), data.BadVideos("skip"))
  protocol = data.EvalProtocol(num_frames=2, crop_size=64)
  batches = data.eval_batches(videos, protocol, batch_size=2)
  with pytest.raises(ValueError, match=r"0\.mp4.*short_side"):
    next(iter(batches))


@pytest.mark.parametrize(
  "kwargs",
  [
    {"num_frames": 0, "image_size": 8},
    {"num_frames": 1, "image_size": 0},
    {"num_frames": 1, "image_size": 8, "short_side": 7},
    {"num_frames": 1, "image_size": 8, "sampling": "often"},
    {"num_frames": 1, "image_size": 8, "canvas": (8, 0)},
    {"num_frames": 1, "image_size": 8, "canvas": (8,)},
    {"num_frames": 1, "image_size": 8, "canvas": (16, 7)},
  ],
)
def test_rejects_impossible_clips(kwargs):
  with pytest.raises(ValueError, match=r"must be|unknown sampling 'often'"):
    data.ClipFormat(**kwargs)


def test_rejects_unknown_policy():
  with pytest.raises(ValueError, match="on_error must be one of"):
    data.BadVideos("ignore")


@pytest.mark.parametrize(("short_side", "size"), [(None, (8, 12)), (20, (20, 30))])
def test_canvas_keeps_whole_frames_and_tells_their_proportions(
  tmp_path, short_side, size
):
  frames = np.full((4, 40, 60, 3), 60, np.uint8)
  frames[:, :, 30:] = 200  # The right half, of any width.
  (tmp_path / "a").mkdir()
  (tmp_path / "a" / "1.mp4").write_bytes(encode_mp4(frames, fps=10))
  (tmp_path / "a" / "2.mp4").touch()
  clip = data.ClipFormat(4, 8, short_side, canvas=(8, 32))
  bad = data.BadVideos("mask")
  batches = data.train_batches(
    data.VideoOpener(_source(tmp_path), bad), clip, batch_size=2, seed=0
  )
  batch = next(batches)
  good, masked = np.argsort(-batch["weight"])
  assert batch["clip"].shape == (2, 4, 8, 32, 3)
  assert batch["size"].dtype == np.float32
  np.testing.assert_allclose(batch["size"][good], size, rtol=1e-6)
  assert np.all(batch["clip"][masked] == 0)
  got = batch["clip"][good].astype(int)
  assert np.all(np.abs(got[:, :, :14] - 60) < 8)
  assert np.all(np.abs(got[:, :, 18:] - 200) < 8)
  evaluated = data.eval_batches(
    data.VideoOpener(_source(tmp_path), bad),
    data.EvalProtocol(num_frames=4, crop_size=8, short_side=short_side or 8),
    batch_size=2,
  )
  batch = next(iter(evaluated))
  assert batch["clip"].shape == (2, 4, 8, 8, 3)
  assert "size" not in batch
  got = batch["clip"][0].astype(int)  # The middle of 8 x 12, or of 20 x 30.
  assert np.all(np.abs(got[:, :, :2] - 60) < 12)
  assert np.all(np.abs(got[:, :, 6:] - 200) < 12)


@pytest.mark.parametrize(
  ("header", "cells", "want"),
  [
    ("verb,noun", ("cut,egg", "mix,egg"), np.array([[0, 0], [1, 0]], np.int32)),
    (
      "labels",
      ("b;c", "a;c"),
      np.array([[0, 1, 1], [1, 0, 1]], np.float32),
    ),
  ],
)
def test_batches_hold_labels_of_every_kind(video_folder, tmp_path, header, cells, want):
  videos = sorted(video_folder.glob("*/*"))[:2]
  rows = [f"{path},{cell}" for path, cell in zip(videos, cells, strict=True)]
  file = tmp_path / "list.csv"
  file.write_text("\n".join([f"path,{header}", *rows]))
  batches, _ = _eval(_source(file), batch_size=3)
  (batch,) = batches
  np.testing.assert_array_equal(batch["label"][:2], want)
  assert batch["label"].dtype == want.dtype
  assert batch["label"].shape == (3, want.shape[1])
  np.testing.assert_array_equal(batch["weight"], [1, 1, 0])
