import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from temporal_jax import layers
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "BatchNorm": layer_example(layers.BatchNorm),
  "BatchNorm of four places": layer_example(layers.BatchNorm, places=4),
}


def _start(x):
  layer = layers.BatchNorm()
  variables = layer.init(jax.random.key(0), x, train=True)
  rng = np.random.default_rng(0)
  params = {
    "scale": rng.uniform(0.5, 2, x.shape[-1]).astype(np.float32),
    "bias": rng.standard_normal(x.shape[-1]).astype(np.float32),
  }
  return layer, {"params": params, "batch_stats": variables["batch_stats"]}


def test_training_and_running_statistics_match_torch():
  rng = np.random.default_rng(1)
  batches = rng.normal(3, 2, (4, 2, 3, 2, 2, 5)).astype(np.float32)
  layer, variables = _start(batches[0])
  reference = torch.nn.BatchNorm3d(5)
  with torch.no_grad():
    reference.weight.copy_(torch.tensor(variables["params"]["scale"]))
    reference.bias.copy_(torch.tensor(variables["params"]["bias"]))

  for x in batches:
    got, updates = layer.apply(variables, x, train=True, mutable="batch_stats")
    variables = {**variables, **updates}
    want = reference(torch.tensor(x).permute(0, 4, 1, 2, 3))
    want = want.permute(0, 2, 3, 4, 1).detach()
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)

  stats = variables["batch_stats"]
  np.testing.assert_allclose(stats["mean"], reference.running_mean, rtol=1e-5)
  np.testing.assert_allclose(stats["var"], reference.running_var, rtol=1e-5)
  reference.eval()
  got = layer.apply(variables, batches[0])
  want = reference(torch.tensor(batches[0]).permute(0, 4, 1, 2, 3))
  want = want.permute(0, 2, 3, 4, 1).detach()
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_places_are_values_of_a_channel():
  """With gradients and statistics, in training and after it."""
  x = np.random.default_rng(1).normal(3, 2, (4, 3, 2, 5)).astype(np.float32)
  layer, variables = _start(x)
  flat = layers.BatchNorm(places=6)

  def run(layer, x, train):
    def forward(params, x):
      return layer.apply(
        {**variables, "params": params}, x, train, mutable=["batch_stats"]
      )

    out, backward, updates = jax.vjp(forward, variables["params"], x, has_aux=True)
    return out, backward(jnp.sin(jnp.arange(x.size)).reshape(x.shape)), updates

  for train in (True, False):
    want = run(layer, x, train)
    got = run(flat, x.reshape(4, 30), train)
    for leaf, other in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
      np.testing.assert_allclose(leaf.reshape(other.shape), other, 1e-4, 1e-5)


def test_derivatives_of_any_order_are_those_of_the_variance():
  x = np.random.default_rng(1).normal(3, 2, (7, 2)).astype(np.float32)
  layer, variables = _start(x)

  def ours(x):
    out, _ = layer.apply(variables, x, train=True, mutable=["batch_stats"])
    return jnp.sum(out**3)

  def definition(x):
    scale, bias = variables["params"]["scale"], variables["params"]["bias"]
    deviation = jnp.sqrt(jnp.var(x, 0, keepdims=True) + 1e-5)
    unit = (x - x.mean(0, keepdims=True)) / deviation
    return jnp.sum((scale[None] * unit + bias[None]) ** 3)

  for derive in (jax.grad, jax.hessian, lambda f: jax.jacfwd(jax.jacfwd(f))):
    got, want = jax.jit(derive(ours))(x), jax.jit(derive(definition))(x)
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-2)


def test_rejects_places_that_do_not_divide_the_axis():
  with pytest.raises(ValueError, match="4 places"):
    layers.BatchNorm(places=4).init(jax.random.key(0), np.zeros((2, 6), np.float32))


def test_rejects_one_value_a_channel():
  with pytest.raises(ValueError, match="two values"):
    layers.BatchNorm().init(
      jax.random.key(0), np.zeros((1, 1, 1, 1, 3), np.float32), train=True
    )
