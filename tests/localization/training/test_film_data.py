"""The films of a run: what is wrong with them is named, or counted."""

import csv
import shutil

import numpy as np
import pytest

from temporal_jax.localization.features import FeatureStore
from temporal_jax.localization.training.film_data import REPEATED, open_film_data
from tests.support.tiny_films import CLASSES, write_films


@pytest.fixture
def folder(tmp_path):
  """Six films and their features."""
  write_films(tmp_path / "films", count=6)
  return tmp_path / "films"


def _open(folder, **settings):
  store = FeatureStore(folder / "features")
  return open_film_data(str(folder / "segments.csv"), "", store, **settings)


def _rows(folder):
  with (folder / "segments.csv").open(newline="") as file:
    return list(csv.reader(file))


def _write(folder, rows):
  with (folder / "segments.csv").open("w", newline="") as file:
    csv.writer(file).writerows(rows)


def _features(folder, name, **changes):
  """Writes features of a film anew, with changes."""
  file = folder / "features" / f"{name}.npz"
  file_values = {**np.load(file)}
  np.savez(file, **{**file_values, **changes})


def test_films_are_split_and_counted(folder):
  films = _open(folder)
  assert [film.id for film in films.test] == ["film_3"]
  assert len(films.train) == 5
  assert films.class_names == CLASSES
  assert films.kind[:3] == (8, 4.0, 8.0)
  counts = films.annotations.counts()
  assert (counts["films"], counts["films without a segment"]) == (6, 1)
  lists = films.lists()
  assert lists["train"]["videos"] == 5
  assert _open(folder).lists() == lists
  rows = _rows(folder)
  rows[1][2] = str(float(rows[1][2]) - 0.1)
  _write(folder, rows)
  assert _open(folder).lists()["train"]["sha256"] != lists["train"]["sha256"]


def test_features_that_changed_change_their_digest(folder):
  before = _open(folder).lists()
  moved = shutil.copytree(folder, folder.parent / "moved")
  assert _open(moved).lists() == before
  values = np.load(folder / "features" / "film_3.npz")["features"].copy()
  values[len(values) // 2] += 1
  _features(folder, "film_3", features=values)
  after = _open(folder).lists()
  assert after["train"] == before["train"]
  assert after["test"]["features"] != before["test"]["features"]
  assert after["test"]["sha256"] == before["test"]["sha256"]


def test_without_a_split_a_share_of_the_films_is_kept(folder):
  _write(folder, [row[:4] for row in _rows(folder)])
  films = _open(folder, test_fraction=0.34)
  assert (len(films.train), len(films.test)) == (4, 2)
  assert [f.id for f in _open(folder, test_fraction=0.34).test] == [
    f.id for f in films.test
  ]
  with pytest.raises(ValueError, match=r"no film with a segment to test: .*6 .* 0 to"):
    _open(folder, test_fraction=0.0)


def test_all_segments_may_have_one_class(folder):
  films = _open(folder, class_agnostic=True)
  assert films.class_names == ("segment",)
  assert {label for film in films.train for label in film.labels.tolist()} == {0}


def test_repeated_segments_count_once_where_that_is_asked(folder):
  rows = _rows(folder)
  _write(folder, [*rows, rows[1]])
  assert _open(folder).annotations.counts()["segments"] == 11
  counts = _open(folder, distinct=True).annotations.counts()
  assert (counts["segments"], counts[f"left out: {REPEATED}"]) == (10, 1)


def _end_before_start(folder):
  rows = _rows(folder)
  rows[1][1:3] = rows[1][2], rows[1][1]
  _write(folder, rows)


def _past_the_end(folder):
  rows = _rows(folder)
  rows[1][2] = "1000"
  _write(folder, rows)


def _no_number(folder):
  rows = _rows(folder)
  rows[1][1] = "nan"
  _write(folder, rows)


def _no_features(folder):
  (folder / "features" / "film_1.npz").unlink()


def _other_width(folder):
  _features(folder, "film_1", features=np.zeros((40, 9), np.float32))


def _other_stride(folder):
  _features(folder, "film_1", stride=5)


def _damaged(folder):
  (folder / "features" / "film_1.npz").write_bytes(b"PK nothing")


@pytest.mark.parametrize(
  ("damage", "words", "films", "segments"),
  [
    (_end_before_start, "does not end after it starts", 6, 9),
    (_past_the_end, "past the end of the film", 6, 9),
    (_no_number, "start must be", 6, 9),
    (_no_features, "'film_1' has no features", 5, 8),
    (_other_width, "width 9 instead of 8", 5, 8),
    (_other_stride, "stride 5.0 instead of 4.0", 5, 8),
    (_damaged, "film_1.npz holds no usable features", 5, 8),
  ],
)
def test_what_is_wrong_is_refused_or_left_out(folder, damage, words, films, segments):
  damage(folder)
  with pytest.raises(ValueError, match=words):
    _open(folder)
  found = _open(folder, on_error="skip")
  counts = found.annotations.counts()
  assert (counts["films"], counts["segments"]) == (films, segments)
  assert len(found.annotations.left_out) == 1
  assert words in found.annotations.left_out[0].message


def test_a_class_that_the_run_does_not_know_is_refused_or_left_out(folder):
  assert _open(folder, class_names=("run", "jump")).class_names == ("run", "jump")
  rows = _rows(folder)
  rows[1][3] = "fly"
  _write(folder, rows)
  with pytest.raises(ValueError, match="fly"):
    _open(folder, class_names=CLASSES)
  found = _open(folder, class_names=CLASSES, on_error="skip")
  assert "left out: an unknown label" in found.annotations.counts()


def test_missing_files_are_named(folder):
  with pytest.raises(ValueError, match=r"data\.annotations must be a CSV file"):
    open_film_data("", "", FeatureStore(folder / "features"))
  with pytest.raises(ValueError, match="unknown annotations of films 'thumos15'"):
    open_film_data("thumos15", "", FeatureStore(folder / "features"))
  with pytest.raises(FileNotFoundError, match=r"none\.csv"):
    open_film_data("none.csv", "", FeatureStore(folder / "features"))
  shutil.rmtree(folder / "features")
  (folder / "features").mkdir()
  with pytest.raises(ValueError, match="no features in"):
    _open(folder)
  with pytest.raises(ValueError, match="no film is left"):
    _open(folder, on_error="skip")


def test_a_task_is_for_labels_of_several(folder):
  with pytest.raises(ValueError, match=r"data\.task must be empty"):
    _open(folder, task="verb")
