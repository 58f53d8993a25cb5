"""Films made by code, and their features by the bundled network."""

import os

import numpy as np
import pytest

from temporal_jax.configs.localization import (
  camera_motion_actionformer,
  camera_motion_bmn,
)
from temporal_jax.data.annotations.segment_list import read_segment_list
from temporal_jax.data.datasets import camera_motion_events as events
from temporal_jax.experiment.film_run.prepared_films import prepare_data_set
from temporal_jax.localization.features.read_features import read_features


@pytest.fixture
def config(monkeypatch, tmp_path):
  monkeypatch.setattr(events, "NUM_FILMS", {"train": 1, "test": 1})
  monkeypatch.setattr(events, "NUM_SHOTS", 1)
  config = camera_motion_actionformer.get_config()
  config.data.data_dir = str(tmp_path)
  return config


@pytest.mark.slow  # It compiles the network.
def test_films_have_features_of_the_configs_windows(config):
  said = []
  annotations, features = prepare_data_set(config.data, config.extract, said.append)
  assert [one.split()[0] for one in said] == ["building", "extracting"]
  films = read_segment_list(annotations).films
  assert len(films) == 2
  for film in films:
    found = read_features(features / f"{film.id}.npz")
    assert (found.window, found.stride, found.fps) == (8, 4, 12)
    frames = round(film.duration * film.fps)
    assert found.values.shape == ((frames - 8) // 4 + 1, 128)
    assert found.duration == pytest.approx(film.duration, abs=1e-3)
    assert np.ptp(found.values, axis=0).max() > 0
  files = sorted(features.rglob("*.npz"))
  before = [os.stat(file).st_mtime_ns for file in files]
  assert prepare_data_set(config.data, config.extract, said.append) == (
    annotations,
    features,
  )
  assert len(said) == 2
  assert [os.stat(file).st_mtime_ns for file in files] == before


def test_a_data_set_has_annotations_and_features_of_its_own(config, tmp_path):
  for field in ("annotations", "root", "features"):
    changed = camera_motion_actionformer.get_config().data
    changed.data_dir = str(tmp_path)
    changed[field] = "there"
    with pytest.raises(ValueError, match=f"data.{field} must be empty, got there"):
      prepare_data_set(changed, config.extract, print)
  assert not list(tmp_path.iterdir())


def test_features_of_several_axes_are_refused(config):
  config.extract.feature = "tokens"
  with pytest.raises(ValueError, match=r"tokens is \(8, 2, 2, 128\)"):
    prepare_data_set(config.data, config.extract, lambda sentence: None)


def test_both_networks_see_the_same_films_and_features():
  configs = [camera_motion_actionformer.get_config(), camera_motion_bmn.get_config()]
  for field in ("data.name", "extract", "num_steps", "optim.warmup_steps"):
    first, second = (config.to_dict() for config in configs)
    for part in field.split("."):
      first, second = first[part], second[part]
    assert first == second
