import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax.core import FrozenDict

from temporal_jax import data, training
from tests.support.small_training import (
  MODEL,
  PIXELS,
  make_batch,
  make_mesh,
  make_state,
  make_step,
)


def _run(devices, steps=3, batch=None, **kwargs):
  mesh = make_mesh(devices)
  state, step = make_state(mesh), make_step(mesh, **kwargs)
  for i in range(steps):
    values = make_batch(i) if batch is None else batch
    state = step(state, training.place_batch(values, mesh))
  return jax.device_get(state)


def _assert_close(a, b, **kwargs):
  jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, **kwargs), a, b)


def test_eight_devices_compute_what_one_does():
  """BatchNorm among the rest: its batch is the global one."""
  one, eight = _run(1), _run(8)
  _assert_close(one, eight, rtol=1e-3, atol=1e-5)


def test_same_seed_same_bits():
  _assert_close(_run(1), _run(1), rtol=0, atol=0)


def test_loss_falls():
  state = _run(1, steps=1)
  later = _run(1, steps=30)
  window = later.window
  assert window["loss"] / window["weight"] < 0.7 * state.window["loss"] / 16
  assert window["correct"] / window["weight"] > 0.6


def test_window_sums_over_steps():
  window = _run(1, steps=3).window
  assert window["steps"] == 3
  assert window["weight"] == 48
  assert 0 <= window["correct"] <= 48
  assert window["bad_step"] == -1


def test_masked_clips_change_nothing_but_batch_statistics():
  def first_loss(label):
    batch = make_batch(0)
    batch["weight"][8:] = 0
    batch["label"][8:] = label
    return _run(1, steps=1, batch=batch)

  a, b = first_loss(0), first_loss(2)
  _assert_close(a, b, rtol=0, atol=0)
  assert a.window["weight"] == 8


def test_averages_follow_their_formula():
  mesh = make_mesh(1)
  state, step = make_state(mesh), make_step(mesh, ema_decay=0.15)
  want = jax.device_get(state.params["head"]["kernel"])
  for i in range(4):
    state = step(state, training.place_batch(make_batch(i), mesh))
    keep = min(0.15, (1 + i) / (10 + i))
    new = np.asarray(state.params["head"]["kernel"])
    want = keep * want + (1 - keep) * new
  got = state.eval_variables()["params"]["head"]["kernel"]
  np.testing.assert_allclose(got, want, rtol=1e-5)


def test_without_averages_the_parameters_are_evaluated():
  state = make_state(make_mesh(1), ema=False)
  assert state.eval_variables()["params"] is state.params


@pytest.mark.parametrize("devices", [1, 8])
def test_parts_have_the_gradient_of_the_whole(devices):
  """But for BatchNorm, which here uses its statistics."""
  whole = _run(devices, freeze_batch_norm=True)
  parts = _run(devices, freeze_batch_norm=True, num_microbatches=2)
  _assert_close(whole, parts, rtol=1e-3, atol=1e-5)


def test_frozen_batch_norm_keeps_its_statistics():
  stats = _run(1, freeze_batch_norm=True).batch_stats
  _assert_close(stats, make_state(make_mesh(1)).batch_stats, rtol=0)


def test_frozen_parameters_stay_and_count_nothing():
  groups = training.parameter_groups(
    make_state(make_mesh(1)).params, weight_decay=0.1, frozen=("stem.*",)
  )
  optimizer = training.create_optimizer("sgd", lambda step: 0.1, groups)
  mesh = make_mesh(1)
  step = make_step(mesh, optimizer, groups=FrozenDict(groups))
  first = make_state(mesh, optimizer)
  before = jax.device_get(first.params)
  state = step(first, training.place_batch(make_batch(), mesh))
  _assert_close(state.params["stem_conv"], before["stem_conv"], rtol=0)
  moved = state.params["head"]["kernel"] - before["head"]["kernel"]
  assert np.abs(moved).max() > 1e-4
  free = _run(1, steps=1).window["grad_norm"]
  assert 0 < state.window["grad_norm"] < free


def test_losses_of_the_network_count_by_their_weight():
  """The aux loss of a head that returns one is trained with the rest."""

  class Pushed(nn.Module):
    @nn.compact
    def __call__(self, clip, train=False):
      bias = self.param("bias", nn.initializers.zeros, (3,))
      logits = jnp.mean(clip) * 0.0 + jnp.tile(bias, (len(clip), 1))
      return logits, {"push": -jnp.sum(bias), "features": logits}

  mesh, optimizer = make_mesh(1), optax.sgd(1.0)
  model = Pushed()
  variables = training.init_variables(model, (1, 2, 8, 8, 3), jax.random.key(0))
  state = training.create_state(variables, optimizer, ema=False)
  objective = training.ClipObjective(
    network=model,
    loss=training.Loss(3),
    augment=data.Augmentation("", **PIXELS, image_size=8),
    aux_weights={"push": 0.5, "absent": 9.0},
  )
  spec = training.StepSpec(objective, optimizer, seed=0, num_microbatches=2)
  step = training.make_train_step(spec, mesh, training.shard_state(state, mesh))
  batch = make_batch(size=6)  # All classes alike: their gradients cancel.
  state = step(state, training.place_batch(batch, mesh))
  np.testing.assert_allclose(state.params["bias"], 0.5, rtol=1e-5)


def test_first_non_finite_step_is_remembered():
  mesh = make_mesh(1)
  huge = optax.sgd(1e30)
  state = make_state(mesh, huge)
  step = make_step(mesh, huge)
  for i in range(4):
    state = step(state, training.place_batch(make_batch(i), mesh))
  assert int(state.window["bad_step"]) in (1, 2)


def test_label_smoothing_raises_the_least_loss():
  sharp, smooth = _run(1, steps=20), _run(1, steps=20, label_smoothing=0.5)
  assert smooth.window["loss"] > sharp.window["loss"]


@pytest.mark.parametrize("devices", [1, 8])
def test_evaluation_gives_probabilities(devices):
  mesh = make_mesh(devices)
  state = make_state(mesh)
  step = training.make_eval_step(
    MODEL,
    lambda clip: data.normalize(clip, **PIXELS),
    training.Loss(3).probabilities,
    mesh,
    training.shard_state(state, mesh).ema,
  )
  clip = training.place_batch(make_batch(), mesh)["clip"]
  scores = step(state.eval_variables(), clip)
  assert scores.shape == (16, 3)
  assert scores.dtype == jnp.float32
  np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-5)
  views = {"clip": np.stack([clip, clip[::-1], 255 - clip], axis=1)}
  views = training.place_batch(views, mesh)["clip"]
  several = step(state.eval_variables(), views)
  assert several.shape == (16, 3, 3)
  for view, want in enumerate((scores, scores[::-1])):
    np.testing.assert_allclose(several[:, view], want, rtol=1e-6)
  assert jnp.abs(several[:, 2] - scores).max() > 1e-3
