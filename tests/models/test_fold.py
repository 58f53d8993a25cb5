"""Batch norms folded into convolutions: same logits, fewer variables."""

import contextlib
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import traverse_util

from temporal_jax import create_model, layers, models

_TINY = {"stage_sizes": (1, 1), "width": 8}
_TINY_3D = {"stage_sizes": (1, 2), "stem_width": 8, "widths": (8, 16)}
_INPUT = (1, 4, 24, 20, 3)
# Each with the scopes whose norms stay.
_POOLED = ("norm2", "after_convolution/norm")
NETWORKS = {
  "basic": ("resnet18", _TINY, ()),
  "bottleneck": ("resnet50", {**_TINY, "strides": (2, 2)}, ()),
  "tada2d": ("tada2d_resnet50", _TINY, _POOLED),
  "tada2d_basic": (
    "tada2d_resnet50",
    {**_TINY, "block": "basic"},
    ("norm1", "after_convolution/norm"),
  ),
  "arithmetic": ("atm_resnet18", {**_TINY, "stage_sizes": (1, 1, 1)}, ()),
  "big_little": (
    "blvnet_tam_50",
    {"stage_sizes": (2, 2, 2, 1), "width": 8},
    (),
  ),
  "slowonly": ("slowonly_50", _TINY_3D, ()),
  "r2plus1d": ("r2plus1d_18", _TINY_3D, ()),
  "r2plus1d_tada1d": ("r2plus1d_50_tada1d", _TINY_3D, ()),
  "r2plus1d_time_first": ("r2plus1d_50_pytorchvideo", _TINY_3D, ()),
  "r2plus1d_shortcuts": ("r2plus1d_34_mmaction2", _TINY_3D, ()),
  "slowfast": ("slowfast_50_4x16", {**_TINY_3D, "beta": 2}, ()),
  "slowfast_bare": (
    "slowfast_50_4x16",
    {**_TINY_3D, "beta": 2, "lateral_norm": False},
    (),
  ),
}


@contextlib.contextmanager
def _compilations():
  """Yields the list of what is compiled within."""
  compiled = []

  def note(event, *_, **__):
    if event.endswith("backend_compile_duration"):
      compiled.append(event)

  jax.monitoring.register_event_duration_secs_listener(note)
  yield compiled
  jax.monitoring.unregister_event_duration_listener(note)


@functools.cache
def _network(name):
  """Returns a model, random variables and a clip."""
  row, kwargs, _ = NETWORKS[name]
  model = create_model(row, num_classes=5, **kwargs)
  rng = np.random.default_rng(0)
  clip = rng.standard_normal(_INPUT, np.float32)
  shapes = jax.eval_shape(model.init, jax.random.key(0), clip)

  def values(path, leaf):
    names = [part.key for part in path]
    if names[-1] in ("scale", "var"):
      return rng.uniform(0.5, 2, leaf.shape).astype(np.float32)
    spread = 1.0 if leaf.ndim == 1 else np.prod(leaf.shape[:-1]) ** -0.5
    if "expand" in names:  # Calibration multiplies: values would explode.
      spread *= 0.01
    return (spread * rng.standard_normal(leaf.shape)).astype(np.float32)

  return model, jax.tree.map_with_path(values, shapes), clip


def _norms(variables):
  """Returns the scopes of the norms with running statistics."""
  flat = traverse_util.flatten_dict(variables["batch_stats"], sep="/")
  return {path.rsplit("/", 1)[0] for path in flat}


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_stay(name):
  model, variables, clip = _network(name)
  folded = models.fold_batch_norm(variables)
  run = jax.jit(model.apply)
  want, want_aux = run(variables, clip)
  got, got_aux = run(folded, clip)
  assert np.linalg.norm(want) > 0.1
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5 * abs(want).max())
  assert jax.tree.structure(got_aux) == jax.tree.structure(want_aux)


def test_folding_compiles_nothing_and_is_the_same_when_compiled():
  _, variables, _ = _network("bottleneck")
  variables = jax.device_put(variables)
  jax.clear_caches()
  with _compilations() as compiled:
    folded = models.fold_batch_norm(variables)
  assert compiled == []
  assert {type(leaf) for leaf in jax.tree.leaves(folded)} == {type(jnp.zeros(1))}
  with _compilations() as compiled:
    in_jit = jax.jit(models.fold_batch_norm)(variables)
  assert compiled
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6),
    folded,
    in_jit,
  )


@pytest.mark.parametrize("name", NETWORKS)
def test_keeps_only_norms_that_must_stay(name):
  _, variables, _ = _network(name)
  left = _norms(models.fold_batch_norm(variables))
  stay = NETWORKS[name][2]
  assert left == {path for path in _norms(variables) if path.endswith(stay)}
  assert bool(left) == bool(stay)


def test_a_folded_norm_is_a_bias():
  _, variables, _ = _network("basic")
  before = jax.tree.map(jnp.copy, variables)
  folded = models.fold_batch_norm(variables)
  assert folded["params"]["stem_norm"].keys() == {"bias"}
  assert folded["batch_stats"] == {}
  jax.tree.map(np.testing.assert_array_equal, variables, before)


def test_jit_is_eager():
  _, variables, _ = _network("tada2d")
  eager = models.fold_batch_norm(variables)
  compiled = jax.jit(models.fold_batch_norm)(variables)
  assert jax.tree.structure(eager) == jax.tree.structure(compiled)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6),
    eager,
    compiled,
  )


def test_training_raises():
  model, variables, clip = _network("basic")
  folded = models.fold_batch_norm(variables)
  with pytest.raises(ValueError, match="folded"):
    model.apply(folded, clip, train=True, mutable="batch_stats")


def test_twice_is_once_and_without_norms_nothing():
  _, variables, _ = _network("basic")
  folded = models.fold_batch_norm(variables)
  assert models.fold_batch_norm(folded) == folded
  plain = {"params": {"dense": {"kernel": np.ones((2, 3))}}}
  assert models.fold_batch_norm(plain) == plain


def test_rejects_bare_parameters():
  _, variables, _ = _network("basic")
  with pytest.raises(ValueError, match="params"):
    models.fold_batch_norm(variables["params"])


@pytest.mark.parametrize(
  ("module", "shape", "left"),
  [
    (layers.RouteMlp(), (1, 4, 3, 3, 8), 0),
    (layers.LearnableAlignment(), (1, 4, 17, 16), 0),
    (layers.AdaptiveModule(), (1, 4, 3, 3, 8), 2),
    (
      layers.AggregatedConv(
        functools.partial(layers.AdaptiveConv, features=8, use_bias=True, axis="out")
      ),
      (1, 4, 3, 3, 8),
      2,
    ),
  ],
  ids=lambda value: type(value).__name__,
)
def test_modules_of_operators(module, shape, left):
  rng = np.random.default_rng(0)
  x = rng.standard_normal(shape, np.float32)
  variables = module.init(jax.random.key(0), x)
  variables = jax.tree.map(
    lambda leaf: leaf + rng.uniform(0.1, 0.5, leaf.shape).astype(np.float32),
    variables,
  )
  folded = models.fold_batch_norm(variables)
  assert len(_norms(folded)) == left
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5),
    module.apply(folded, x),
    module.apply(variables, x),
  )
