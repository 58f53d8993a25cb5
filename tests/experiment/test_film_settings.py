"""Configs of runs on films: what cannot be is refused before films are read."""

import jax
import pytest

from temporal_jax import experiment
from temporal_jax.experiment.film_run.preview import show_layout
from temporal_jax.experiment.film_run.settings import FilmSettings
from temporal_jax.localization.detector.sequence_format import SequenceFormat
from tests.support import tiny_localization
from tests.support.read_config import read_config

# ml_collections loads the files of configs so.
pytestmark = pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")


def _settings(network="actionformer", **changes):
  config = tiny_localization.get_config(network)
  config.update_from_flattened_dict(changes)
  return FilmSettings.from_config(config, jax.devices()[:1])


def test_the_catalog_has_what_the_config_leaves_open():
  settings = _settings()
  assert settings.form == SequenceFormat("pad", 48)
  assert settings.decoding.sigma == 0.5
  assert settings.length(settings.network(2)) % 2 == 0
  assert settings.max_proposals is None
  assert _settings("bmn").max_proposals == 100
  assert _settings("bmn").first_statistics() == {}


def test_class_scores_of_windows_have_values_of_three_tasks():
  settings = _settings("bmn", **{"eval.class_scores": "x", "keep_best": "verb/mAP"})
  assert settings.tasks == ("verb", "noun")
  assert _settings("bmn", **{"eval.class_scores": "x.npz"}).tasks == ()


def test_flags_set_the_decoding_and_the_network():
  config = read_config(
    [
      "--config=localization/actionformer:thumos14",
      "--config.decoding.sigma=0.7",
      "--config.decoding.max_segments=30",
      "--config.model.overrides.windows=9",
    ]
  )
  settings = FilmSettings.from_config(config, jax.devices()[:1])
  assert (settings.decoding.sigma, settings.decoding.max_segments) == (0.7, 30)
  assert settings.network(20).windows == 9


@pytest.mark.parametrize(
  ("network", "changes", "words"),
  [
    ("actionformer", {"optim.accumulate": 2}, "accumulate must be 1 for localization"),
    ("actionformer", {"data.on_error": "mask"}, "on_error"),
    ("actionformer", {"data.crop": (0.9,)}, r"data\.crop must be the least"),
    ("actionformer", {"data.crop": (0.0, 1.0)}, r"data\.crop must be in \(0, 1\]"),
    ("actionformer", {"sequences.fit": "windows"}, "step must be"),
    ("actionformer", {"sequences.fit": "whole"}, "sequences: .*'whole'"),
    ("actionformer", {"keep_best": "top1"}, "keep_best must be a value of the tests"),
    ("actionformer", {"keep_best": "AUC"}, "keep_best must be a value of the tests"),
    ("actionformer", {"model.name": "actionforner"}, "actionformer"),
    ("actionformer", {"eval.thresholds": (0.5, 1.5)}, r"thresholds must be in \(0, 1"),
    ("actionformer", {"eval.thresholds": ()}, r"eval\.thresholds not empty"),
    ("bmn", {"data.crop": (0.9, 1.0)}, r"data\.crop must be \(\) for bmn"),
    ("bmn", {"data.class_agnostic": False}, "class_agnostic must be True for bmn"),
    ("bmn", {"sequences.fit": "pad"}, "fit must be one of"),
    ("actionformer", {"eval.class_scores": "a.npz"}, "class_scores must be empty"),
    (
      "actionformer",
      {"eval.class_scores": "folder", "data.class_agnostic": True},
      r"class_scores must be a file of the scores of films \(\.npz\)",
    ),
    ("bmn", {"loss.weights": (1.0, 10.0)}, r"loss\.weights must be three"),
  ],
)
def test_what_cannot_be_is_named(network, changes, words):
  with pytest.raises(ValueError, match=words):
    _settings(network, **changes)


def test_a_field_or_an_argument_that_is_not_there_is_named():
  config = tiny_localization.get_config()
  config.decoding.sigmo = 0.5
  with pytest.raises(ValueError, match="sigma"):
    FilmSettings.from_config(config, jax.devices()[:1])
  config = tiny_localization.get_config()
  config.model.overrides.widht = 3
  with pytest.raises(ValueError, match=r"model\.overrides: .*width"):
    FilmSettings.from_config(config, jax.devices()[:1])


def test_an_unknown_task_is_named():
  config = tiny_localization.get_config()
  config.task = "localisation"
  with pytest.raises(ValueError, match="unknown task 'localisation'"):
    experiment.run_kind(config)


def test_a_plan_needs_the_classes_and_the_width():
  with pytest.raises(ValueError, match=r"data\.num_classes and data\.feature_width"):
    show_layout(tiny_localization.get_config(), 1, None)


def test_nothing_is_drawn():
  config = tiny_localization.get_config()
  with pytest.raises(ValueError, match="trains on features"):
    experiment.run_kind(config).draw(config, "clips.png")
