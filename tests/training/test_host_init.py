"""First values by NumPy: the same distributions as JAX draws."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import traverse_util

from temporal_jax import create_model
from temporal_jax.training.host_init import run_on_host

KEY = jax.random.key(0)
SHAPE = (400, 500)
TRUNCATED_STD = 0.87962566  # That of a standard normal within two deviations.
_TINY = {"stage_sizes": (1,), "width": 16}
_TINY_VIT = {"width": 64, "depth": 2, "num_heads": 1, "image_size": 32}
NETWORKS = {
  "aggregation": ("resnet18", {**_TINY, "temporal": "aggregation"}),
  "tada2d": ("tada2d_resnet50", _TINY),
  "atm": ("atm_vit_b16", _TINY_VIT),
  "aligned": ("vit_b16", {**_TINY_VIT, "temporal": "aligned"}),
}


@pytest.mark.parametrize(
  ("draw", "mean", "std", "low", "high"),
  [
    (lambda key: jax.random.normal(key, SHAPE), 0, 1, -7, 7),
    (lambda key: jax.random.exponential(key, SHAPE), 1, 1, 0, 30),
    (lambda key: 3 + 2 * jax.random.normal(key, SHAPE), 3, 2, -11, 17),
    (lambda key: jax.random.uniform(key, SHAPE), 0.5, 12**-0.5, 0, 1),
    (
      lambda key: jax.random.uniform(key, SHAPE, minval=-4.0, maxval=2.0),
      -1,
      6 * 12**-0.5,
      -4,
      2,
    ),
    (
      lambda key: jax.random.truncated_normal(key, -2, 2, SHAPE),
      0,
      TRUNCATED_STD,
      -2,
      2,
    ),
    (
      lambda key: nn.initializers.lecun_normal()(key, SHAPE),
      0,
      SHAPE[0] ** -0.5,
      -0.114,
      0.114,
    ),
  ],
)
def test_numbers_have_the_distribution(draw, mean, std, low, high):
  found = run_on_host(draw, KEY)
  assert isinstance(found, jax.Array)
  assert (found.shape, found.dtype) == (SHAPE, jnp.float32)
  values = np.sort(np.asarray(found, np.float64).ravel())
  error = std / values.size**0.5
  assert abs(values.mean() - mean) < 5 * error
  assert abs(values.std() - std) < 5 * error
  assert low <= values[0]
  assert values[-1] <= high
  # Kolmogorov and Smirnov's distance from what JAX draws.
  drawn = np.sort(np.asarray(draw(jax.random.key(1))).ravel())
  ranks = np.searchsorted(values, drawn) / values.size
  distance = np.abs(ranks - np.arange(values.size) / values.size).max()
  assert distance < 2 * (2 / values.size) ** 0.5


def test_keys_decide():
  def draw(key):
    one, two = jax.random.split(key)
    return [jax.random.normal(key, SHAPE) for key in (one, one, two)]

  first, same, other = run_on_host(draw, KEY)
  np.testing.assert_array_equal(first, same)
  assert abs(np.corrcoef(np.ravel(first), np.ravel(other))[0, 1]) < 0.01
  again = run_on_host(draw, KEY)[0]
  np.testing.assert_array_equal(first, again)
  assert np.mean(np.asarray(first) == run_on_host(draw, jax.random.key(1))[0]) < 0.01


@pytest.mark.parametrize(
  "function",
  [
    lambda key: jax.vmap(lambda key: jax.random.normal(key, (3,)))(
      jax.random.split(key, 4)
    ),
    lambda key: jax.random.truncated_normal(key, 2, 3, (5,)),
    lambda key: jax.random.truncated_normal(key, -jnp.arange(1.0, 6), 2.0, (5,)),
    lambda key: jax.random.normal(key, (5,), jnp.bfloat16),
    lambda key: jax.random.permutation(key, 9),
    lambda key: (jnp.eye(3)[None].repeat(2, 0), jnp.arange(6).at[2].set(0)),
    lambda key: jnp.linspace(0.0, 1.0, 5)[::-1].reshape(5, 1).T,
  ],
)
def test_what_numpy_does_not_draw_is_as_jax_computes_it(function):
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(
      np.asarray(a, np.float32), np.asarray(b, np.float32), rtol=1e-6
    ),
    run_on_host(function, KEY),
    function(KEY),
  )


def test_orthogonal_kernels_are_orthogonal():
  q = run_on_host(lambda key: nn.initializers.orthogonal()(key, (6, 6)), KEY)
  np.testing.assert_allclose(q @ q.T, np.eye(6), atol=1e-5)


def _flat(tree):
  return traverse_util.flatten_dict(tree, sep="/")


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_start_as_with_jax(name):
  row, kwargs = NETWORKS[name]
  network = create_model(row, num_classes=5, **kwargs)
  side = kwargs.get("image_size", 32)
  clip = jnp.zeros((1, kwargs.get("num_frames", 4), side, side, 3))
  init = jax.jit(network.init)
  found = _flat(run_on_host(network.init, KEY, clip))
  wanted, others = _flat(init(KEY, clip)), _flat(init(jax.random.key(1), clip))
  assert found.keys() == wanted.keys()
  random = 0
  for path, leaf in wanted.items():
    assert (found[path].shape, found[path].dtype) == (leaf.shape, leaf.dtype)
    fixed = leaf == others[path]  # Zeros, ones and what operators copy.
    np.testing.assert_allclose(
      np.where(fixed, found[path], 0), np.where(fixed, leaf, 0), rtol=1e-6
    )
    size = np.sum(~fixed)
    if size < 200:
      continue
    random += 1
    got, want = (np.asarray(x)[~fixed] for x in (found[path], leaf))
    spread = 5 * (2 / size) ** 0.5
    assert abs(got.mean() - want.mean()) < spread * want.std(), path
    assert abs(got.std() / want.std() - 1) < spread, path
    assert abs(got).max() < 1.8 * abs(want).max(), path
  assert random > 2


def test_a_trace_traces_the_function():
  found = jax.jit(lambda: run_on_host(jax.random.normal, jax.random.key(0)))()
  np.testing.assert_allclose(found, jax.random.normal(KEY), rtol=1e-6)


def test_a_network_is_not_compiled():
  compiled = []

  def note(event, *_, **__):
    if event.endswith("backend_compile_duration"):
      compiled.append(event)

  network = create_model("resnet18", num_classes=5)
  clip = jnp.zeros((1, 8, 64, 64, 3))
  jax.clear_caches()
  jax.monitoring.register_event_duration_secs_listener(note)
  run_on_host(network.init, KEY, clip)
  jax.monitoring.unregister_event_duration_listener(note)
  assert len(compiled) < 4  # The keys of the layers, and no array of them.
