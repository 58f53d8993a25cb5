"""The papers' recipes train: two steps of each, and 16 clips by heart."""

import types

import jax
import numpy as np
import pytest

from temporal_jax import experiment, training
from temporal_jax.training.parameter_names import named
from tests.support.small_recipes import FAMILIES, small


def _start(config, names):
  """The settings, the components, a first state, and the training step."""
  settings = experiment.RunSettings.from_config(config, jax.devices()[:1])
  videos = types.SimpleNamespace(class_names=names, multi_label=False)
  classes = experiment.num_classes(config, videos)
  run = experiment.assemble(settings, classes, 4 * config.batch_size)
  variables = training.init_variables(run.model, settings.clip_shape, jax.random.key(0))
  state = training.create_state(
    variables, run.optimizer, ema=config.optim.ema_decay > 0
  )
  state = jax.device_put(state, run.layout)
  inputs = experiment.other_inputs(run.model, names, variables, run.groups)
  augment = settings.augmentation(names)
  step, _ = experiment.create_steps(
    settings, run, settings.loss(run.classes), augment, inputs
  )
  return settings, run, state, step


def _batch(config, count, rng, num_labels):
  height, width = config.data.canvas
  shape = (count, config.data.num_frames, height, width, 3)
  label = np.arange(count, dtype=np.int32) % 4
  if num_labels > 1:
    label = np.stack([label] * num_labels, axis=1)
  return {
    "clip": rng.integers(0, 256, shape).astype(np.uint8),
    "label": label,
    "weight": np.ones(count, np.float32),
    "size": np.tile(np.float32([height, width]), (count, 1)),
  }


def _names(config):
  """Names for all classes, of each task if there are several."""
  pairs = [name for pair in config.data.flip_pairs for name in pair]

  def fill(count):
    return (*pairs, *(f"class {i}" for i in range(count - len(pairs))))

  counts = config.data.num_classes
  if config.data.tasks:
    return dict(zip(config.data.tasks, map(fill, counts), strict=True))
  return fill(counts[0])


def _slow_but(*fast):
  """All families; compiling the others takes minutes together."""
  return [
    name if name in fast else pytest.param(name, marks=pytest.mark.slow)
    for name in FAMILIES
  ]


@pytest.mark.parametrize("name", _slow_but())
def test_two_steps_of_the_recipe(name):
  config = small(name)
  names = _names(config)
  settings, run, state, step = _start(config, names)
  before = jax.device_get(state.params)
  rng = np.random.default_rng(0)
  for _ in range(2):
    batch = _batch(config, config.batch_size, rng, max(len(config.data.tasks), 1))
    state = step(state, training.place_batch(batch, settings.mesh))
  window = jax.device_get(state.window)
  assert window["bad_step"] == -1
  assert window["weight"] == 2 * config.batch_size * config.data.repeats
  assert window["grad_norm"] > 0
  after = named(jax.device_get(state.params))
  moved = {n for n, v in named(before).items() if not np.array_equal(v, after[n])}
  frozen = {n for n, group in run.groups.items() if group.frozen}
  assert moved
  assert not moved & frozen
  assert bool(frozen) == bool(config.optim.frozen or config.optim.trained)


@pytest.mark.parametrize("name", _slow_but("tada2d"))
def test_learns_sixteen_clips_by_heart(name):
  config = small(name)
  config.data.canvas = (32, 32)
  config.data.num_frames = 4 if name != "slowfast" else 8
  config.data.augment, config.data.flip_pairs = "", ()
  config.data.num_classes, config.data.tasks = (4,), ()
  config.data.repeats, config.batch_size = 1, 16
  config.mix.mixup_alpha = config.mix.cutmix_alpha = 0.0
  config.loss.label_smoothing = 0.0
  for rate in ("dropout", "head_dropout", "drop_path"):
    if rate in config.model.overrides:
      config.model.overrides[rate] = 0.0
  optim = config.optim
  optim.name, optim.schedule = "adamw", "cosine"
  optim.lr, optim.warmup_steps = 3e-3, 5
  optim.warmup_lr, optim.end_lr, optim.layer_decay = 0.0, 0.0, 1.0
  optim.lr_batch_size, optim.clip_norm, optim.weight_decay = 0, 1.0, 0.0
  optim.frozen = optim.trained = optim.lr_factors = optim.decay_factors = ()
  optim.layer_decay_except = optim.milestones = ()
  config.num_steps = 300
  settings, _, state, step = _start(config, ("zero", "one", "two", "three"))
  batch = _batch(config, 16, np.random.default_rng(0), 1)
  batch = training.place_batch(batch, settings.mesh)
  loss = np.inf
  for _ in range(config.num_steps // 20):
    empty = training.empty_window(training.ClipObjective.sums)
    state = state.replace(window=jax.device_put(empty, state.step.sharding))
    for _ in range(20):
      state = step(state, batch)
    loss = float(state.window["loss"] / state.window["weight"])
    if loss < 0.05:
      break
  assert loss < 0.05
