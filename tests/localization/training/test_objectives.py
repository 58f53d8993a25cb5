"""Training steps of localization networks."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from temporal_jax import training
from temporal_jax.localization import (
  BMN,
  ActionFormer,
  actionformer_loss,
  bmn_loss,
  point_targets,
  proposal_targets,
)
from temporal_jax.localization.training.objectives import (
  NORMALIZER,
  PointObjective,
  ProposalObjective,
)
from temporal_jax.localization.training.training_sequences import cut_to_bucket
from tests.training.conftest import standard_promotion as standard_promotion

_POINTS = ActionFormer(
  2,
  width=8,
  num_heads=2,
  windows=5,
  ranges=((0, 10_000),),
  max_length=16,
  embedding_layers=1,
  stem_blocks=1,
  head_layers=2,
  drop_path=0.0,
)
_PROPOSALS = BMN(width=4, proposal_width=8, map_width=4, bins=4, groups=2)
_OBJECTIVES = {
  "points": PointObjective(_POINTS, label_smoothing=0.1, offset_weight=2.0),
  "proposals": ProposalObjective(_PROPOSALS),
}


def _batch(length=16, size=4):
  rng = np.random.default_rng(0)
  start = rng.uniform(0, 6, (size, 8))
  segments = np.stack([start, start + rng.uniform(2, 5, (size, 8))], axis=-1)
  values = rng.normal(size=(size, length, 6)).astype(np.float32)
  mask = np.arange(length) < np.full((size, 1), 12)
  return {
    "features": np.where(mask[..., None], values, 0),
    "mask": mask,
    "segments": segments.astype(np.float32),
    "labels": rng.integers(0, 2, (size, 8)).astype(np.int32),
    "exists": np.arange(8) < np.array([[2], [1], [0], [3]])[:size],
  }


def _state(kind, mesh, optimizer):
  network = _OBJECTIVES[kind].network
  inputs = {"mask": np.ones((1, 16), bool)} if kind == "points" else {}
  variables = training.init_variables(network, (1, 16, 6), jax.random.key(0), inputs)
  if kind == "points":
    variables["batch_stats"] = {NORMALIZER: jnp.float32(100)}
  state = training.create_state(
    variables, optimizer, ema=True, sums=_OBJECTIVES[kind].sums
  )
  return jax.device_put(state, training.shard_state(state, mesh))


_assert_close = np.testing.assert_allclose


@functools.cache  # One compilation for all tests.
def _compiled(kind, devices):
  mesh = training.create_mesh({"data": devices}, jax.devices()[:devices])
  optimizer = optax.sgd(0.1)
  spec = training.StepSpec(_OBJECTIVES[kind], optimizer, seed=0, ema_decay=0.9)
  layout = training.shard_state(_state(kind, mesh, optimizer), mesh)
  return mesh, optimizer, training.make_train_step(spec, mesh, layout)


def _step(kind, devices=1, batch=None):
  mesh, optimizer, step = _compiled(kind, devices)
  placed = training.place_batch(batch or _batch(), mesh)
  return jax.device_get(step(_state(kind, mesh, optimizer), placed))


@pytest.mark.parametrize(
  "kind", [pytest.param("points", marks=pytest.mark.slow), "proposals"]
)
def test_two_devices_compute_what_one_does(kind):
  one, two = _step(kind), _step(kind, devices=2)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5), one, two
  )
  assert one.window["bad_step"] == -1
  assert one.window["weight"] == 4


def test_the_loss_is_that_of_the_whole_batch():
  state, batch = _step("points"), _batch()
  mesh = training.create_mesh({"data": 1}, jax.devices()[:1])
  variables = _state("points", mesh, optax.sgd(0.1)).variables()
  levels = _POINTS.apply(variables, batch["features"], batch["mask"])
  targets = point_targets(
    jnp.concatenate([level["points"] for level in levels]),
    *(batch[name] for name in ("segments", "labels", "exists")),
    num_classes=2,
  )
  value, normalizer, parts = actionformer_loss(
    levels, targets, jnp.float32(100), label_smoothing=0.1, offset_weight=2.0
  )
  np.testing.assert_allclose(state.window["loss"] / 4, value, rtol=1e-5)
  np.testing.assert_allclose(state.window["classes"] / 4, parts["classes"], rtol=1e-5)
  assert state.batch_stats[NORMALIZER] == pytest.approx(float(normalizer), rel=1e-6)
  assert float(normalizer) < 100


def test_the_loss_of_proposals_is_that_of_the_whole_batch():
  """Except for what it draws: the regression's part."""
  state, batch = _step("proposals"), _batch()
  mesh = training.create_mesh({"data": 1}, jax.devices()[:1])
  variables = _state("proposals", mesh, optax.sgd(0.1)).variables()
  scores = _PROPOSALS.apply(variables, batch["features"])
  targets = proposal_targets(
    batch["segments"], batch["exists"], length=16, durations=16
  )
  _, parts = bmn_loss(jax.random.key(0), scores, targets)
  for name in ("boundaries", "classification"):
    np.testing.assert_allclose(state.window[name] / 4, parts[name], rtol=1e-5)


def test_the_bucket_does_not_matter():
  def pad(name, values):
    more = 48 if name in ("features", "mask") else 24
    return np.pad(values, [(0, 0), (0, more)] + [(0, 0)] * (values.ndim - 2))

  long = {name: pad(name, values) for name, values in _batch().items()}
  cut = cut_to_bucket(long, _POINTS)
  assert cut["mask"].shape[1] < 64
  mesh = training.create_mesh({"data": 1}, jax.devices()[:1])
  variables = _state("points", mesh, optax.sgd(0.1)).variables()

  @jax.jit
  def loss(batch):
    key = jax.random.key(0)
    prepared = _OBJECTIVES["points"].prepare(key, jnp.int32(0), batch)
    return prepared.loss(variables, prepared.examples, key, 1).value

  np.testing.assert_allclose(loss(long), loss(cut), rtol=1e-5)


@pytest.mark.parametrize("objective", _OBJECTIVES.values(), ids=_OBJECTIVES)
def test_parts_of_a_batch_are_refused(objective):
  key = jax.random.key(0)
  prepared = objective.prepare(key, jnp.int32(0), _batch())
  with pytest.raises(ValueError, match="cannot be computed in 2 parts"):
    prepared.loss({}, prepared.examples, key, 2)


@pytest.mark.parametrize("kind", _OBJECTIVES)
def test_films_without_a_segment_give_a_finite_step(kind):
  batch = {**_batch(), "exists": np.zeros((4, 8), bool)}
  state = _step(kind, batch=batch)
  assert state.window["bad_step"] == -1
  assert np.isfinite(state.window["loss"])
