"""Every head has its classes matched by name, whatever it is made of."""

import functools
import json

import jax
import numpy as np
import pytest

from temporal_jax import experiment, inference, training
from temporal_jax.configs import base
from temporal_jax.experiment.network import create_network, network_arguments
from tests.support.kinetics_classes import rows_by_name
from tests.support.small_recipes import small

_VIT = {"width": 64, "num_heads": 1, "depth": 1, "patch_size": 8}
_SMALL = {
  "average": ("resnet18", {"width": 4, "stage_sizes": (1,)}),
  "attention": ("vit_b32_joint", {**_VIT, "head": "attention"}),
}


def _config(name, tasks=()):
  if name not in _SMALL:
    config = small(name)
  else:
    config = base.get_config()
    config.model.name = _SMALL[name][0]
    config.model.overrides.update(_SMALL[name][1])
    config.data.num_frames, config.data.image_size = 2, 16
  config.data.tasks = tasks
  config.batch_size = 1
  return config


def _class_rows(config, names, directory, loaded, **more):
  classes = (
    {task: len(of) for task, of in names.items()}
    if isinstance(names, dict)
    else len(names)
  )
  settings = experiment.RunSettings.from_config(config, jax.devices()[:1])
  components = experiment.assemble(settings, classes, num_videos=8)
  config.init_from = str(directory)
  sizes = (
    {task: len(of) for task, of in loaded.items()}
    if isinstance(loaded, dict)
    else len(loaded or ())
  )
  description = {
    "model": config.model.name,
    "overrides": {},
    "num_classes": sizes or classes,
    "clip_shape": [2, 16, 16, 3],
    "class_names": loaded,
    "pixels": {"mean": [0.5] * 3, "std": [0.25] * 3},
    **more,
  }
  (directory / "model.json").write_text(json.dumps(description))
  return experiment.class_rows(settings, components, names)


@pytest.mark.parametrize(
  ("name", "leaves"),
  [
    ("average", {"params/head/bias": 0, "params/head/kernel": 1}),
    ("attention", {"params/head/head/bias": 0, "params/head/head/kernel": 1}),
    (
      "ila_linear",
      {"params/classifier/head/bias": 0, "params/classifier/head/kernel": 1},
    ),
  ],
)
def test_heads_of_one_task(name, leaves, tmp_path):
  rows = _class_rows(
    _config(name), ("a", "b", "c"), tmp_path, ["b", "a"], num_classes=2
  )
  assert {leaf: of.axis for leaf, of in rows.items()} == leaves
  for of in rows.values():
    assert of.match.rows == (1, 0, -1)
    assert of.match.num_loaded == 2


@pytest.mark.parametrize("name", ["average", "attention"])
def test_heads_of_several_tasks(name, tmp_path):
  names = {"verb": ("a", "b"), "noun": ("x", "y")}
  config = _config(name, ("verb", "noun"))
  rows = _class_rows(
    config,
    names,
    tmp_path,
    {"verb": ["a", "b"], "noun": ["y", "x"]},
    num_classes={"verb": 2, "noun": 2},
  )
  found = {leaf.split("/")[-2]: of.match for leaf, of in rows.items()}
  assert found["verb"].rows == (0, 1)
  assert found["noun"].rows == (1, 0)
  assert found["noun"].words == "2 classes reordered by name"
  assert len(rows) == 4


def test_a_head_that_compares_texts_has_no_classes_of_its_own(tmp_path):
  config = _config("ila_text")
  assert not _class_rows(config, ("a", "b"), tmp_path, ["b", "a"], num_classes=2)


def test_the_same_classes_need_no_word(tmp_path):
  config = _config("average")
  assert not _class_rows(config, ("a", "b"), tmp_path, ["a", "b"], num_classes=2)


@pytest.mark.parametrize("loaded", [None, []])
def test_weights_without_names_keep_their_order(tmp_path, loaded):
  rows = _class_rows(_config("average"), ("a", "b"), tmp_path, loaded, num_classes=2)
  for of in rows.values():
    assert of.match.rows == (0, 1)
    assert "unknown: its order is kept" in of.match.words


def test_weights_without_a_head_have_no_classes(tmp_path):
  assert not _class_rows(
    _config("average"), ("a", "b"), tmp_path, None, num_classes=None
  )


def test_names_are_found_beside_a_folder_of_checkpoints(tmp_path):
  config = _config("average")
  (tmp_path / "checkpoints").mkdir()
  _class_rows(config, ("a", "b"), tmp_path, ["b", "a"], num_classes=2)
  config.init_from = str(tmp_path / "checkpoints")
  settings = experiment.RunSettings.from_config(config, jax.devices()[:1])
  components = experiment.assemble(settings, 2, num_videos=8)
  rows = experiment.class_rows(settings, components, ("a", "b"))
  assert rows["params/head/bias"].match.rows == (1, 0)


def _saved(config, names, directory):
  """Saves a network with a head for `names`; returns its head."""
  model = create_network(config, len(names))
  variables = training.init_variables(model, (1, 2, 16, 16, 3), jax.random.key(1))
  head = variables["params"]["head"]
  head["bias"] = np.arange(len(names), dtype=np.float32)
  description = {
    "model": config.model.name,
    "overrides": network_arguments(config),
    "num_classes": len(names),
    "clip_shape": [2, 16, 16, 3],
    "class_names": list(names),
    "pixels": {"mean": [0.5] * 3, "std": [0.25] * 3},
  }
  inference.save_model(directory, variables, description)
  return head


def _first_head(config, names, workdir):
  """Starts a run; returns its head and the words of its start."""
  settings = experiment.RunSettings.from_config(config, jax.devices()[:1])
  components = experiment.assemble(settings, len(names), num_videos=8)
  start = training.first_state(
    functools.partial(training.init_variables, components.model, settings.clip_shape),
    components.optimizer,
    components.shapes,
    seed=0,
    init_from=config.init_from,
    fitting=functools.partial(experiment.fitting, settings, components, names),
    checkpoints=training.Checkpoints(workdir),
  )
  return start.state.params["head"], start.origin


@pytest.mark.parametrize(
  "part",
  ["k400", *(pytest.param(part, marks=pytest.mark.slow) for part in ("k600", "k700"))],
)
def test_a_run_on_kinetics_starts_from_its_rows_of_kinetics_710(part, tmp_path):
  config = _config("average")
  loaded = _saved(config, tuple(rows_by_name("k710")), tmp_path / "k710")
  config.init_from = str(tmp_path / "k710")
  rows = rows_by_name(part)
  head, words = _first_head(config, (*rows, "own class"), tmp_path / "run")
  published = list(rows.values())
  np.testing.assert_array_equal(head["bias"], [*published, 0])
  np.testing.assert_array_equal(
    head["kernel"][:, :-1], np.asarray(loaded["kernel"])[:, published]
  )
  renamed = {"k400": 13, "k600": 3, "k700": 1}[part]
  assert f"head: {len(rows)} of {len(rows) + 1} classes by name" in words
  assert f"{renamed} of them by another name: ['" in words
  assert "1 start anew: ['own class']" in words
  assert f"{710 - len(rows)} of the weights left out" in words


def test_a_run_on_kinetics_710_starts_from_the_rows_of_a_part(tmp_path):
  loaded = list(rows_by_name("k400"))
  names = tuple(rows_by_name("k710"))
  rows = _class_rows(_config("average"), names, tmp_path, loaded)
  match = rows["params/head/kernel"].match
  want = dict(zip(rows_by_name("k400").values(), range(400), strict=True))
  assert match.rows == tuple(want.get(row, -1) for row in range(710))
  assert match.words.startswith(
    "400 of 710 classes by name, 13 of them by another name: "
  )
  assert "310 start anew" in match.words
