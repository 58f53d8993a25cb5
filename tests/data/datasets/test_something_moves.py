import collections
import itertools

import numpy as np
import pytest

from configs import something_moves as something_moves_config
from temporal_jax.data import DatasetSource, VideoReader
from temporal_jax.data.augmentation import flipped_labels
from temporal_jax.data.datasets import photograph_clips, something_moves
from temporal_jax.data.datasets.something_moves import (
  CLASSES,
  PAIRS,
  SomethingMoves,
  SomethingMovesLarge,
)


@pytest.fixture(scope="module")
def photographs():
  return photograph_clips.load_photographs("test")


def _film(name, photographs, seed=0):
  return SomethingMoves.film(name, np.random.default_rng(seed), photographs)[1]


def _decoded(frames):
  with VideoReader(SomethingMoves.encode(frames)) as reader:
    assert reader.num_frames == len(frames)
    return reader.read(range(len(frames)))


def _neighbours(frames):
  """Returns how often each frame is next to which other one, in this order."""
  as_bytes = [frame.tobytes() for frame in frames]
  return collections.Counter(itertools.pairwise(as_bytes))


def test_names_of_classes():
  assert len(CLASSES) == 2 * len(PAIRS) == 16
  assert "goes left, then right" in CLASSES
  assert "left one moves, then right one moves" in CLASSES


@pytest.mark.parametrize("pair", PAIRS)
def test_a_class_is_the_other_order_played_backwards(pair, photographs):
  """Also after the codec, so that frames as a set do not show the order."""
  names = {events: name for name, events in CLASSES.items()}
  forth, back = (_film(names[order], photographs) for order in (pair, pair[::-1]))
  assert forth.shape == (16, 64, 64, 3)
  np.testing.assert_array_equal(forth, back[::-1])
  np.testing.assert_array_equal(_decoded(forth), _decoded(back)[::-1])


@pytest.mark.parametrize("name", [*CLASSES][::2])
def test_pairs_of_frames_do_not_show_the_order(name, photographs, monkeypatch):
  """Where the camera rests, backwards has the same pairs, each as often."""
  monkeypatch.setattr(something_moves, "_DRIFT", (0.0, 0.0))
  frames = _film(name, photographs)
  assert not np.array_equal(frames, frames[::-1])
  for clip in (frames, _decoded(frames)):
    assert _neighbours(clip) == _neighbours(clip[::-1])


@pytest.mark.parametrize("event", something_moves.EVENTS)
def test_an_event_is_seen_and_begins_and_ends_at_rest(event, photographs, monkeypatch):
  monkeypatch.setattr(something_moves, "_DRIFT", (0.0, 0.0))
  name = next(one for one, events in CLASSES.items() if events[0] == event)
  rng = np.random.default_rng(1)
  frames = SomethingMoves.film(name, rng, photographs)[1].astype(np.float32)
  np.testing.assert_array_equal(frames[0], frames[-1])
  changed = np.abs(frames - frames[0]).max(-1) > 20  # Pixels, of 64 x 64.
  share = changed.mean((1, 2))
  for half in (share[:8], share[8:]):  # The one event's, and the other's.
    assert half.max() > 0.01


def test_events_are_apart_symmetric_and_drawn_alike_backwards():
  rng = np.random.default_rng(0)
  drawn = np.stack([something_moves.sample_extents(rng, 16) for _ in range(2000)])
  assert drawn.min() == 0
  assert drawn.max() == 1
  assert not (drawn.min(1) > 0).any()  # One event in a frame, at most.
  for extents in drawn[:50].reshape(-1, 16):
    (during,) = extents.nonzero()
    np.testing.assert_allclose(extents[during], extents[during][::-1], atol=1e-12)
    assert 4 <= len(during) <= 7
    assert during[0] > 0
    assert during[-1] < 15
  forth, back = drawn.mean(0), drawn[:, ::-1, ::-1].mean(0)
  np.testing.assert_allclose(forth, back, atol=0.04)
  assert drawn.sum(1)[:, 4:12].min(1).max() < 0.05  # Rest between the two.


def test_drift_is_the_same_at_all_times_and_backwards():
  rng = np.random.default_rng(0)
  drawn = np.stack([something_moves.sample_drift(rng, 16) for _ in range(8000)])
  assert np.abs(drawn).max() < 0.1
  for axis in np.moveaxis(drawn, -1, 0):
    covariance = axis.T @ axis / len(axis)
    for distance in range(4):  # It depends on the distance of frames only.
      diagonal = np.diagonal(covariance, distance)
      np.testing.assert_allclose(diagonal, diagonal.mean(), atol=1e-4)
    np.testing.assert_allclose(axis.mean(0), 0, atol=2e-3)


@pytest.mark.parametrize(
  ("builder", "name"),
  [(SomethingMoves, "something_moves"), (SomethingMovesLarge, "something_moves_large")],
)
def test_builds_the_same_balanced_clips_again(builder, name, tmp_path, monkeypatch):
  monkeypatch.setattr(builder, "NUM_CLIPS", {"train": 32, "test": 16})
  test, again = (DatasetSource(name, "test", tmp_path / one) for one in "ab")
  assert test.fingerprint() == again.fingerprint()
  assert [test[i] for i in range(16)] == [again[i] for i in range(16)]
  source = DatasetSource(name, "train", tmp_path / "a")
  assert source.class_names == tuple(CLASSES)
  labels = collections.Counter(source[i]["label"] for i in range(32))
  assert labels == dict.fromkeys(range(16), 2)
  for split, one in (("train", source), ("test", test)):
    shown = {builder.photograph(one[i]["id"]) for i in range(len(one))}
    assert shown <= {*photograph_clips.PHOTOGRAPHS[split]}
  with VideoReader(source[0]["video"]) as reader:
    assert reader.num_frames == builder.NUM_FRAMES
    assert reader.read([0]).shape == (1, builder.VIEW, builder.VIEW, 3)


def test_cut_outs_are_of_the_split_and_of_other_photographs(photographs, monkeypatch):
  used = []

  def note(photograph, *others, **options):
    used.append(photograph)
    return cut_out(photograph, *others, **options)

  cut_out = something_moves.moving_cutouts.cut_out
  monkeypatch.setattr(something_moves.moving_cutouts, "cut_out", note)
  background, _ = SomethingMoves.film(
    "passes over, then under", np.random.default_rng(0), photographs
  )
  assert len(used) == 2
  assert all(any(one is known for known in photographs.values()) for one in used)
  assert len({background, *(id(one) for one in used)}) == 3
  assert photographs[background] not in used


def test_mirroring_swaps_the_classes_of_the_config():
  config = something_moves_config.get_config()
  labels = flipped_labels(tuple(CLASSES), config.data.flip_pairs)
  mirrored = [
    "turns clockwise" in name or "left" in name or "turns counter" in name
    for name in CLASSES
  ]
  assert [label != number for number, label in enumerate(labels)] == mirrored
  for number, name in enumerate(CLASSES):
    swapped = tuple(CLASSES.values())[labels[number]]
    assert sorted(swapped) == sorted(CLASSES[name])
