"""Numbers of a config that cannot be are refused before any work is done."""

import dataclasses
import importlib

import jax
import ml_collections
import numpy as np
import pytest

from temporal_jax import config_files, evaluation, experiment, models
from temporal_jax.configs import base
from temporal_jax.configs.localization import actionformer
from temporal_jax.experiment.film_run import settings as film_settings
from temporal_jax.experiment.film_run.settings import FilmSettings
from temporal_jax.experiment.number_bounds import (
  ARGUMENT_BOUNDS,
  BOUNDS,
  check_arguments,
  check_bounds,
)
from temporal_jax.localization import LOCALIZERS
from tests.support import tiny_config


def _numbers(config, prefix=""):
  """Names of fields that are numbers, or tuples that are for numbers."""
  for name, value in config.items():
    if isinstance(value, ml_collections.ConfigDict):
      yield from _numbers(value, f"{prefix}{name}.")
    elif type(value) in (int, float):
      yield prefix + name


def test_every_number_has_bounds():
  config = base.get_config()
  assert set(_numbers(config)) <= set(BOUNDS)
  check_bounds(config)


@pytest.mark.parametrize("name", [name for name, _ in config_files.list_configs()])
def test_configs_are_within_them(name):
  stem, _, run = name.partition(":")
  module = importlib.import_module(f"temporal_jax.configs.{stem.replace('/', '.')}")
  config = module.get_config(*filter(None, [run]))
  if config.task == "localization":
    FilmSettings.from_config(config, jax.devices()[:1])
    free = ("model.overrides.", "decoding.")  # Their classes check them.
    numbers = {name for name in _numbers(config) if not name.startswith(free)}
    assert numbers <= set(film_settings.BOUNDS)
  elif stem != "base":
    check_bounds(experiment.complete(config, None))


@pytest.mark.parametrize(
  ("field", "value", "words"),
  [
    (
      "batch_size",
      10**9,
      r"batch_size must be in \[1, 131072\], got 1000000000",
    ),
    ("batch_size", -4, r"batch_size must be in \[1, 131072\], got -4"),
    ("eval.num_clips", 10**9, r"eval.num_clips must be in \[1, 1000\]"),
    ("seed", 10**20, r"seed must be in \[0, 4294967295\], got 1000"),
    ("seed", -1, "seed must be in"),
    ("data.test_fraction", 1.5, r"test_fraction must be in \[0, 1\), got 1.5"),
    ("data.test_fraction", float("nan"), "test_fraction must be in"),
    ("data.num_frames", 10**6, r"data.num_frames must be in \[1, 4096\]"),
    (
      "data.canvas",
      (8, 10**9),
      r"data.canvas must be in .*got \(8, 1000000000\)",
    ),
    ("data.time_limit", 0.0, r"time_limit must be in \(0, 86400\]"),
    (
      "model.overrides.width",
      0,
      r"model.overrides.width must be in \[1, 1048576\]",
    ),
    ("model.overrides.stage_sizes", (1, 0), "stage_sizes must be in"),
    ("model.overrides.dropout", 5, r"overrides.dropout must be in \[0, 1\), got 5"),
    ("model.overrides.dropout", -0.1, "dropout must be in"),
    ("model.overrides.dropout", float("nan"), "dropout must be in"),
    ("optim.lr", float("inf"), "optim.lr must be in"),
    ("optim.betas", (0.9, 1.0), r"betas must be in \[0, 1\)"),
    ("optim.milestones", ("x",), r"milestones must hold numbers.*got \('x',\)"),
    ("stop_after", -1, r"stop_after must be in \[0, 2147483647\], got -1"),
    ("data.balance", 1.5, r"data.balance must be in \[0, 1\], got 1.5"),
    ("loss.focal", -1.0, r"loss.focal must be in \[0, 100\], got -1"),
    ("keep_best", "top_1", r"keep_best.*'top_1'; did you mean 'top1'"),
    ("keep_best", "maP", r"keep_best.*got 'maP'; did you mean 'mAP'"),
    ("keep_best", "loss", r"keep_best.*got 'loss'. Known: \['charades_mAP'"),
  ],
)
def test_what_cannot_be_is_named(field, value, words):
  config = tiny_config.get_config()
  with config.ignore_type():
    config.update_from_flattened_dict({field: value})
  with pytest.raises(ValueError, match=words):
    check_bounds(config)


def test_sizes_that_only_together_cannot_be():
  config = tiny_config.get_config()
  config.batch_size, config.data.num_frames = 4096, 1024
  config.data.image_size = 512
  with pytest.raises(ValueError, match=r"batch.*has 3\.3e\+12 bytes"):
    check_bounds(config)
  config.batch_size, config.eval.num_clips = 4, 1000
  with pytest.raises(ValueError, match=r"1000 views .*have 8\.05e\+11 bytes"):
    check_bounds(config)


@pytest.mark.parametrize("change", [{"eval_every": 0}, {"keep_best": ""}])
def test_a_run_that_ends_early_needs_tests_and_a_value(change):
  config = tiny_config.get_config()
  config.update({"stop_after": 2, **change})
  words = r"stop_after 2 needs eval_every above 0 and a keep_best, got "
  with pytest.raises(ValueError, match=words):
    check_bounds(config)


def test_without_tests_in_training_a_misspelt_best_is_refused_too():
  config = tiny_config.get_config()
  config.eval_every, config.keep_best = 0, "topp1"
  with pytest.raises(ValueError, match=r"keep_best.*did you mean 'top1'"):
    check_bounds(config)
  config.data.tasks, config.keep_best = ("verb", "noun"), "top1"
  check_bounds(config)


@pytest.mark.parametrize(
  ("scores", "labels", "counts"),
  [
    (np.full((2, 3), 1 / 3), np.array([0, 2]), 3),
    (np.full((2, 6), 1 / 6), np.array([0, 2]), 6),
    (np.full((2, 3), 0.5), np.array([[1, 0, 1], [0, 0, 0]]), 3),
    (
      {"a": np.full((2, 3), 1 / 3), "b": np.full((2, 2), 1 / 2)},
      np.array([[0, 1], [2, 0]]),
      {"a": 3, "b": 2},
    ),
    (
      {"a": np.full((2, 2), 1 / 2), "b": np.full((2, 2), 1 / 2)},
      np.array([[0, 1], [1, 0]]),
      {"a": 2, "b": 2},
    ),
  ],
)
def test_names_of_values_are_those_of_an_evaluation(scores, labels, counts):
  predictions = evaluation.Predictions(("x", "y"), labels, scores, None)
  names = (
    {task: "abcdef"[:count] for task, count in counts.items()}
    if isinstance(counts, dict)
    else "abcdef"[:counts]
  )
  multi_label = not isinstance(counts, dict) and labels.ndim == 2
  assert set(evaluation.accuracies(predictions)) == set(
    evaluation.accuracy_names(names, multi_label=multi_label)
  )


def test_rates_of_detectors_have_bounds():
  config = actionformer.get_config("thumos14")
  config.model.overrides.drop_path = 5
  with pytest.raises(ValueError, match=r"overrides.drop_path must be in \[0, 1\)"):
    FilmSettings.from_config(config, jax.devices()[:1])


def test_each_number_of_a_network_that_is_no_size_has_bounds():
  modules = [models.find_model(name).module for name in models.list_models()]
  modules += [entry.module for entry in LOCALIZERS.values()]
  found = {
    field.name
    for module in modules
    for field in dataclasses.fields(module)
    if "float" in str(field.type)
  }
  assert found <= ARGUMENT_BOUNDS.keys()


def test_what_a_network_may_lack_can_be_none_of_it():
  joint = models.find_model("vit_b32_joint")
  assert joint.kwargs["num_temporal_positions"] == 8
  check_arguments({"num_temporal_positions": 0}, joint.module, joint.kwargs)
  with pytest.raises(ValueError, match=r"num_temporal_positions must be in \[0, "):
    check_arguments({"num_temporal_positions": -1}, joint.module, joint.kwargs)
