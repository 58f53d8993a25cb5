import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers, ops
from tests.support.examples import CLIP_PATCHES, layer_example

OPERATIONS = ("correlation", "difference", "sum", "log_ratio", "context")

LAYER_EXAMPLES = {
  "ArithmeticCue": layer_example(
    layers.ArithmeticCue, operation="correlation", length=3, hidden=4
  ),
  "ArithmeticModeling": layer_example(
    layers.ArithmeticModeling, CLIP_PATCHES, length=3, hidden=4
  ),
}


def _features(shape=(1, 3, 4, 5, 6), seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _awake(module, x):
  """Variables of which no kernel is zero any more."""
  variables = jax.jit(module.init)(jax.random.key(0), x)
  rng = np.random.default_rng(1)
  flat = trees.flatten_dict(variables, sep="/")
  for path, leaf in flat.items():
    if path.endswith("expand/kernel"):
      flat[path] = jnp.asarray(rng.standard_normal(leaf.shape), jnp.float32)
  return trees.unflatten_dict(flat, sep="/")


def _branch(variables, operation, x, **sizes):
  cue = layers.ArithmeticCue(operation, **sizes)
  part = {k: tree[operation] for k, tree in variables.items()}
  return jax.jit(cue.apply)(part, x)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_branch_starts_at_zero_and_learns(operation):
  x = _features()
  cue = layers.ArithmeticCue(operation, length=3)
  variables = jax.jit(cue.init)(jax.random.key(0), x)
  assert not jax.jit(cue.apply)(variables, x).any()

  def loss(params):
    return cue.apply({**variables, "params": params}, x).sum()

  gradient = jax.jit(jax.grad(loss))(variables["params"])
  assert jnp.abs(gradient["transformation"]["expand"]["kernel"]).max() > 0


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_branch_sees_the_order_of_time(operation):
  x = _features()
  cue = layers.ArithmeticCue(operation, length=3)
  variables = _awake(cue, x)
  apply = jax.jit(cue.apply)
  got, reverse = apply(variables, x), apply(variables, x[:, ::-1])
  assert got.shape == x.shape
  assert not np.allclose(got, reverse[:, ::-1], atol=1e-3)


@pytest.mark.parametrize("size", [(4, 6), (5, 3)])
def test_a_strided_branch_fills_even_places_alone(size):
  x = _features((1, 3, *size, 6))
  cue = layers.ArithmeticCue("difference", stride=2)
  got = np.array(jax.jit(cue.apply)(_awake(cue, x), x))
  assert got.shape == x.shape
  assert np.abs(got[:, :, ::2, ::2]).min() > 0
  got[:, :, ::2, ::2] = 0
  assert not got.any()


def test_kernels_start_as_torch_starts_them():
  x = jnp.zeros((1, 1, 1, 1, 32))
  params = layers.ArithmeticCue("difference").init(jax.random.key(0), x)["params"]
  transformation = params["transformation"]
  for kernel, fan_in in (
    (params["reduce"]["conv"]["kernel"], 9 * 32),
    (transformation["layer2"]["conv"]["kernel"], 9 * 64),
    (transformation["fuse"]["kernel"], 9 * 5 * 64),
  ):
    bound = fan_in**-0.5
    assert 0.99 * bound < jnp.abs(kernel).max() <= bound
    np.testing.assert_allclose(kernel.std(), bound / np.sqrt(3), rtol=0.02)


@pytest.mark.parametrize("combination", ["atm", "cascade", "parallel"])
def test_combinations_are_made_of_branches(combination):
  x = _features()
  names, sizes = ("difference", "sum"), {"length": 3, "hidden": 8}
  module = layers.ArithmeticModeling(names, combination, **sizes)
  variables = _awake(module, x)
  first, second = (
    lambda x, name=name: _branch(variables, name, x, **sizes) for name in names
  )

  got, aux = jax.jit(module.apply)(variables, x)

  if combination == "atm":
    middle = jax.nn.relu(x + first(x))
    want = jax.nn.relu(middle + second(middle))
  elif combination == "cascade":
    want = jax.nn.relu(x + second(first(x)))
  else:
    want = jax.nn.relu(x + first(x) + second(x))
  assert aux == {}
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("combination", ["atm", "cascade", "parallel"])
def test_starts_as_relu_and_every_operation_learns(combination):
  x = _features()
  module = layers.ArithmeticModeling(("difference", "log_ratio"), combination, length=3)
  variables = jax.jit(module.init)(jax.random.key(0), x)
  got, _ = jax.jit(module.apply)(variables, x)
  np.testing.assert_array_equal(got, np.maximum(x, 0))

  @jax.jit
  def step(params):
    def loss(params):
      out, _ = module.apply({**variables, "params": params}, x)
      return jnp.sum(out * out)

    gradient = jax.grad(loss)(params)
    return jax.tree.map(lambda p, g: p - 1e-3 * g, params, gradient)

  params = step(step(variables["params"]))
  for operation in module.operations:
    before = variables["params"][operation]["reduce"]["conv"]["kernel"]
    after = params[operation]["reduce"]["conv"]["kernel"]
    assert jnp.abs(after - before).max() > 0, operation


def test_tokens_are_a_class_token_and_a_map():
  tokens = _features((1, 3, 10, 6))
  module = layers.ArithmeticModeling(("difference",))
  variables = _awake(module, tokens)
  got, _ = module.apply(variables, tokens)
  maps, _ = module.apply(variables, tokens[:, :, 1:].reshape(1, 3, 3, 3, 6))
  np.testing.assert_array_equal(got[:, :, 0], tokens[:, :, 0])
  np.testing.assert_allclose(
    got[:, :, 1:], maps.reshape(1, 3, 9, 6), rtol=1e-5, atol=1e-5
  )


def test_training_moves_statistics():
  x = _features()
  module = layers.ArithmeticModeling(length=3)
  variables = jax.jit(module.init)(jax.random.key(0), x)
  _, state = jax.jit(
    lambda v, x: module.apply(v, x, train=True, mutable="batch_stats")
  )(variables, x)
  before = trees.flatten_dict(variables["batch_stats"], sep="/")
  after = trees.flatten_dict(state["batch_stats"], sep="/")
  assert all(jnp.any(after[path] != before[path]) for path in before)


def test_follows_the_dtype_of_its_input():
  x = jnp.asarray(_features(), jnp.bfloat16)
  module = layers.ArithmeticModeling(("correlation",), length=3)
  variables = _awake(module, x)
  got, _ = jax.jit(module.apply)(variables, x)
  want, _ = jax.jit(module.apply)(variables, x.astype(jnp.float32))
  assert got.dtype == jnp.bfloat16
  assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype(jnp.float32)}
  error = jnp.linalg.norm(got.astype(jnp.float32) - want)
  assert error < 3e-2 * jnp.linalg.norm(want)


def test_the_correlation_is_reduced_compared_and_encoded():
  x = _features()
  cue = layers.ArithmeticCue("correlation", length=3)
  variables = _awake(cue, x)
  parts = {
    name: {k: tree[name] for k, tree in variables.items() if name in tree}
    for name in ("reduce", "encoder", "transformation")
  }
  reduced = layers.ConvNormRelu(64).apply(parts["reduce"], x)
  windows = ops.temporal_correlation(reduced, length=3)
  cues = layers.WindowEncoder().apply(parts["encoder"], windows)
  want = layers.DomainTransformation(6).apply(
    parts["transformation"], jnp.moveaxis(cues, -2, 2)
  )
  np.testing.assert_allclose(cue.apply(variables, x), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
  ("settings", "shape", "message"),
  [
    ({"operations": ("product",)}, (1, 2, 3, 3, 4), "operation must be one of"),
    ({"operations": ()}, (1, 2, 3, 3, 4), "operations must be"),
    ({"operations": ("sum", "sum")}, (1, 2, 3, 3, 4), "each once"),
    ({"combination": "serial"}, (1, 2, 3, 3, 4), "combination must be one of"),
    ({"length": 2}, (1, 2, 3, 3, 4), "length must be odd"),
    ({"window": 7}, (1, 2, 3, 3, 4), "window must be one of"),
    ({}, (1, 2, 7, 4), "square grid"),
    ({}, (1, 2, 1, 4), "square grid"),
    ({}, (2, 3, 4), "x must be"),
  ],
)
def test_rejects_what_does_not_fit(settings, shape, message):
  module = layers.ArithmeticModeling(**settings)
  with pytest.raises(ValueError, match=message):
    module.init(jax.random.key(0), jnp.zeros(shape))
