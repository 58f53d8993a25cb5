"""Sequences to train on: their arrays, windows and buckets."""

import numpy as np
import pytest

from temporal_jax.data import BadVideos
from temporal_jax.data.annotations import Film, read_segment_list
from temporal_jax.data.pipeline.bad_videos import BadVideoError
from temporal_jax.localization import BMN, ActionFormer
from temporal_jax.localization.detector.sequence_format import SequenceFormat
from temporal_jax.localization.detector.sequences import film_sequences
from temporal_jax.localization.features import FeatureStore
from temporal_jax.localization.training.film_cache import FilmCache, _num_bytes
from temporal_jax.localization.training.training_sequences import (
  CropSettings,
  TrainingSequences,
  cut_to_bucket,
  places_for,
)
from tests.support.tiny_detectors import film
from tests.support.tiny_films import write_films

_WHOLE = CropSettings(sizes=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  """Films and their features."""
  folder = tmp_path_factory.mktemp("films") / "films"
  write_films(folder)
  return folder


def _sequences(folder, form, *, length=None, crop=_WHOLE, policy="raise", films=None):
  films = films or read_segment_list(folder / "segments.csv").films
  store = FeatureStore(folder / "features")
  length = length or form.length
  return TrainingSequences(films, store, form, length, crop, BadVideos(policy))


def _read(sequences, index, seed=0):
  return sequences.read(index, np.random.default_rng(seed))


def test_a_film_is_padded_and_its_segments_are_positions(folder):
  sequences = _sequences(folder, SequenceFormat("pad", 64), length=72)
  film, row = sequences.films[0], _read(sequences, 0)
  file = np.load(folder / "features" / f"{film.id}.npz")
  count = len(file["features"])
  np.testing.assert_array_equal(row["features"][:count], file["features"])
  assert not row["features"][count:].any()
  np.testing.assert_array_equal(row["mask"], np.arange(72) < count)
  # A position is the middle of its window: 8 frames, each 4th, 8 a second.
  wanted = (film.segments * 8 - 4) / 4
  np.testing.assert_allclose(row["segments"][row["exists"]], wanted, atol=1e-4)
  np.testing.assert_array_equal(row["labels"][row["exists"]], film.labels)
  assert len(row["exists"]) == 8


def test_a_part_moves_features_and_segments_together(folder):
  sequences = _sequences(folder, SequenceFormat("pad", 30), crop=CropSettings())
  for seed in range(5):
    row = _read(sequences, 0, seed)
    assert row["mask"].all()
    for (start, end), label, exists in zip(
      row["segments"], row["labels"], row["exists"], strict=True
    ):
      inside = row["features"][max(int(start) + 1, 0) : int(end), label]
      assert not exists or inside.mean() > 1.5


def test_a_film_without_a_segment_is_a_sequence_without_one(folder):
  sequences = _sequences(folder, SequenceFormat("pad", 64), crop=CropSettings())
  (number,) = (n for n, film in enumerate(sequences.films) if not len(film.segments))
  assert not _read(sequences, number)["exists"].any()


def test_resampled_films_have_one_length(folder):
  sequences = _sequences(folder, SequenceFormat("resample", 24))
  row = _read(sequences, 0)
  assert row["mask"].all()
  assert row["features"].shape == (24, 8)
  film = sequences.films[0]
  count = len(np.load(folder / "features" / f"{film.id}.npz")["features"])
  wanted = (film.segments * 8 - 4) / 4 * (24 - 1) / (count - 1)
  np.testing.assert_allclose(row["segments"][row["exists"]], wanted, atol=1e-4)


def test_windows_hold_the_segments_that_are_inside(folder):
  form = SequenceFormat("windows", 16, step=8, every=2.0)
  sequences = _sequences(folder, form)
  seen = set()
  for index, (number, window) in enumerate(sequences.places):
    row = _read(sequences, index)
    assert row["features"].shape == (16, 8)
    segments = row["segments"][row["exists"]]
    assert (segments > -0.1).all()
    assert (segments < 16.1).all()
    seen |= {(number, window)}
  assert len(seen) == len(sequences.places) > len(sequences.films)
  assert {number for number, _ in seen} == set(range(len(sequences.films)))


@pytest.mark.parametrize("policy", ["raise", "skip"])
def test_features_that_cannot_be_read_are_named_or_skipped(folder, policy):
  form = SequenceFormat("pad", 64)
  films = [
    Film(name, f"{name}.mp4", "train", np.zeros((0, 2)), np.zeros(0, int))
    for name in ("lost", "other")
  ]
  sequences = _sequences(folder, form, policy=policy, films=films)
  if policy == "raise":
    with pytest.raises(BadVideoError, match="lost"):
      _read(sequences, 0)
  else:
    assert _read(sequences, 0) is None
    assert "lost" in sequences.bad_films.reasons()


def test_batches_are_cut_to_few_shapes():
  network = ActionFormer(2, ranges=((0, 4), (4, 8), (8, 10_000)), windows=5)
  network = network.clone(max_length=64)
  shapes = set()
  for count in range(1, 65):
    batch = {
      "features": np.ones((1, 64, 3), np.float32),
      "mask": np.arange(64)[None] < count,
      "segments": np.zeros((1, 32, 2), np.float32),
      "labels": np.zeros((1, 32), np.int32),
      "exists": np.arange(32)[None] < count % 20,
    }
    cut = cut_to_bucket(batch, network)
    assert cut["mask"].sum() == count
    assert cut["exists"].sum() == count % 20
    assert cut["features"].shape[:2] == cut["mask"].shape
    assert cut["segments"].shape[:2] == cut["labels"].shape == cut["exists"].shape
    shapes.add(cut["features"].shape)
  assert len(shapes) <= 9
  assert cut_to_bucket(batch, BMN())["mask"].shape == (1, 64)


def test_places_are_powers_of_two():
  assert [places_for(n) for n in (0, 1, 8, 9, 16, 17)] == [8, 8, 8, 16, 16, 32]


def test_windows_of_a_film_read_it_once_in_an_epoch(folder, monkeypatch):
  sequences = _sequences(folder, SequenceFormat("windows", 12, step=6))
  read = []
  one = FeatureStore.read
  monkeypatch.setattr(
    FeatureStore, "read", lambda store, film: read.append(film.id) or one(store, film)
  )
  order = np.random.default_rng(0).permutation(len(sequences.places))
  rows = {index: _read(sequences, int(index)) for index in order}
  assert len(rows) > 2 * len(sequences.films)
  assert sorted(read) == sorted(film.id for film in sequences.films)
  again = _sequences(folder, SequenceFormat("windows", 12, step=6))
  for index, row in rows.items():
    for name, values in _read(again, int(index)).items():
      np.testing.assert_array_equal(values, row[name])


def test_kept_films_are_the_last_ones_within_the_bytes():
  read = []

  def of_film(number):
    read.append(number)
    size = 100 if number == 9 else 5
    return film_sequences(film(size, number), SequenceFormat("pad", 8))

  size = _num_bytes(of_film(0))
  cache = FilmCache(of_film, 2 * size)
  read.clear()
  for number in (1, 2, 1, 3, 1, 2, 9, 1):
    np.testing.assert_array_equal(
      cache.read(number).film.values, film(100 if number == 9 else 5, number).values
    )
  # 3 takes the place of 2; 9 is too large to be kept.
  assert read == [1, 2, 3, 2, 9]
