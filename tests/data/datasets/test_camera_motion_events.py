import hashlib

import numpy as np
import pytest

from temporal_jax.data import VideoReader, datasets
from temporal_jax.data.annotations.segment_list import read_segment_list
from temporal_jax.data.datasets import (
  camera_motion_events as events,
  photograph_clips,
  virtual_camera,
)
from temporal_jax.data.datasets.prepare import prepare_films

# Motion of the left and the right half of the view, to the right (x) and down
# (y): against the camera.
MOVES = {
  "pan left": ((1, 0), (1, 0)),
  "pan right": ((-1, 0), (-1, 0)),
  "pan up": ((0, 1), (0, 1)),
  "pan down": ((0, -1), (0, -1)),
  "zoom in": ((-1, 0), (1, 0)),
  "zoom out": ((1, 0), (-1, 0)),
  "rotate clockwise": ((0, 1), (0, -1)),
  "rotate counter-clockwise": ((0, -1), (0, 1)),
}


@pytest.fixture
def small(monkeypatch):
  monkeypatch.setattr(events, "NUM_FILMS", {"train": 1, "test": 2})
  monkeypatch.setattr(events, "NUM_SHOTS", 2)


def _shots(split, seed=0, count=3):
  photographs = photograph_clips.load_photographs(split)
  shots = events._shots(np.random.default_rng(seed), photographs)
  return [shot for shot, _ in zip(shots, range(count), strict=False)]


def _changes(frames):
  """Returns the mean absolute difference of each frame to the one before."""
  return np.abs(np.diff(frames.astype(np.float32), axis=0)).mean(axis=(1, 2, 3))


def _shift(frames, gap=3):
  """Returns (x, y) by which the picture moves, by phase correlation."""
  grey = frames.astype(np.float64).mean(axis=-1)
  height, width = grey.shape[1:]
  window = np.hanning(height)[:, None] * np.hanning(width)
  spectra = np.fft.fft2((grey - grey.mean(axis=(1, 2), keepdims=True)) * window)
  cross = spectra[gap:] * spectra[:-gap].conj()
  peaks = np.fft.ifft2(cross / (np.abs(cross) + 1e-9)).real.sum(axis=0)
  y, x = np.unravel_index(np.argmax(peaks), peaks.shape)
  return (x + width // 2) % width - width // 2, (y + height // 2) % height - height // 2


def test_films_have_the_photographs_of_their_split_only(monkeypatch, tmp_path):
  loaded = []

  load = photograph_clips.load_photograph

  def note(name):
    loaded.append(name)
    return load(name)

  used = {}

  def write(folder, split, photographs, index):
    used.setdefault(split, set()).update(photographs)
    return []

  monkeypatch.setattr(photograph_clips, "load_photograph", note)
  monkeypatch.setattr(events, "_write_film", write)
  events.write_films(tmp_path / "films")
  assert used == {split: set(of) for split, of in photograph_clips.PHOTOGRAPHS.items()}
  assert not used["train"] & used["test"]
  assert len(loaded) == len(set(loaded))


def test_writes_films_with_segments_inside(small, tmp_path):
  folder = tmp_path / "films"
  events.write_films(folder)
  annotations = read_segment_list(folder / "segments.csv")
  assert annotations.num_cut == 0
  assert not annotations.left_out
  assert set(annotations.class_names) <= set(virtual_camera.MOTIONS)
  assert [film.id for film in annotations.films] == [
    "train/000",
    "test/000",
    "test/001",
  ]
  for film in annotations.films:
    assert film.split == film.id.split("/")[0]
    with VideoReader(film.path) as reader:
      assert reader.num_frames == round(film.duration * film.fps)
    ends = film.segments.ravel()
    # One after the other, each with a stretch before and after it.
    assert (np.diff([0.0, *ends, film.duration]) > 0.4).all()


def test_a_film_without_a_motion_is_listed(small, monkeypatch, tmp_path):
  monkeypatch.setattr(events, "_WITH_MOTION", 0.0)
  monkeypatch.setattr(events, "NUM_FILMS", {"train": 1, "test": 0})
  events.write_films(tmp_path / "films")
  lines = (tmp_path / "films" / "segments.csv").read_text().splitlines()
  assert len(lines) == 2
  assert lines[1].startswith("train/000.mp4,,,,train,")
  (film,) = read_segment_list(tmp_path / "films" / "segments.csv").films
  assert not len(film.segments)


def test_writes_the_same_films_again(small, monkeypatch, tmp_path):
  monkeypatch.setattr(events, "NUM_SHOTS", 1)
  digests = []
  for name in ("a", "b"):
    events.write_films(tmp_path / name)
    files = sorted(file for file in (tmp_path / name).rglob("*") if file.is_file())
    digests.append([hashlib.sha256(file.read_bytes()).digest() for file in files])
  assert digests[0] == digests[1]
  assert len(set(digests[0])) == 4


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_camera_moves_in_segments_and_hardly_outside(split):
  with_motion = [shot for shot in _shots(split, count=4) if shot.motion]
  assert with_motion
  for shot in with_motion:
    changes = _changes(shot.frames)
    inside = slice(shot.start - 1, shot.stop - 1)
    outside = np.delete(changes, inside)
    assert changes[inside].min() > 1.5 * outside.max()


@pytest.mark.parametrize("motion", virtual_camera.MOTIONS)
def test_the_camera_moves_as_the_label_says(motion):
  photograph = photograph_clips.load_photograph("grass")
  shot = events._film_shot(np.random.default_rng(1), motion, photograph, moves=True)
  assert shot.motion == motion
  moved = shot.frames[shot.start - 1 : shot.stop]
  half = events.VIEW // 2
  for view, (x, y) in zip(
    (moved[:, :, :half], moved[:, :, half:]), MOVES[motion], strict=True
  ):
    got = np.array(_shift(view))
    assert got @ [x, y] > 0
    assert abs(got @ [y, x]) < got @ [x, y]


def test_films_are_prepared_once(small, monkeypatch, tmp_path):
  monkeypatch.setattr(events, "NUM_SHOTS", 1)
  said = []
  folder = prepare_films("camera_motion_events", tmp_path, said.append)
  assert folder == tmp_path / "camera_motion_events" / events.VERSION
  monkeypatch.setattr(events, "write_films", None)
  assert prepare_films("camera_motion_events", tmp_path, said.append) == folder
  assert said == [f"building camera_motion_events in {folder}."]


def test_unknown_films_suggest_near_ones(tmp_path):
  with pytest.raises(ValueError, match="did you mean 'camera_motion_events'"):
    prepare_films("camera_motion_event", tmp_path)
  assert not list(tmp_path.iterdir())
  assert datasets.find_films("camera_motion_events") is events
