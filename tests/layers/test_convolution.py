"""Convolutions: parameters and one call into ops, or several with a norm."""

import flax.traverse_util as trees
import jax
import numpy as np
import pytest

from temporal_jax import layers, ops
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "Conv2D": layer_example(layers.Conv2D, features=6, size=3, use_bias=True),
  "Conv3D": layer_example(layers.Conv3D, features=6, taps=3),
  "ConvNormRelu": layer_example(layers.ConvNormRelu, features=6),
  "DepthwiseConv2D": layer_example(layers.DepthwiseConv2D, size=3),
  "FactorisedConv": layer_example(layers.FactorisedConv, features=6),
  "TemporalConv": layer_example(layers.TemporalConv, features=6),
}
X = np.random.default_rng(0).standard_normal((2, 4, 6, 6, 8), np.float32)


def _random(layer):
  """Variables of a layer, all of them positive."""
  shapes = trees.flatten_dict(jax.eval_shape(layer.init, jax.random.key(0), X))
  rng = np.random.default_rng(1)
  drawn = {
    path: rng.uniform(0.5, 1.5, leaf.shape).astype(np.float32)
    for path, leaf in shapes.items()
  }
  return trees.unflatten_dict(drawn)


@pytest.mark.parametrize(
  ("layer", "operator", "options", "shape"),
  [
    (
      layers.Conv2D(5, 3, stride=2, use_bias=True),
      ops.convolution_2d,
      {"stride": 2, "padding": 1},
      (3, 3, 8, 5),
    ),
    (
      layers.Conv2D(5, 3, padding=0),
      ops.convolution_2d,
      {"padding": 0},
      (3, 3, 8, 5),
    ),
    (
      layers.DepthwiseConv2D(5),
      ops.depthwise_convolution_2d,
      {"padding": 2},
      (5, 5, 8),
    ),
    (
      layers.Conv3D(5, taps=3, time_stride=2),
      ops.convolution_3d,
      {"time_stride": 2, "padding": 1},
      (3, 3, 3, 8, 5),
    ),
    (layers.Conv3D(5), ops.convolution_2d, {"padding": 1}, (3, 3, 8, 5)),
    (layers.Conv3D(5, size=1, taps=3), ops.temporal_convolution, {}, (3, 8, 5)),
    (layers.TemporalConv(5, taps=5), ops.temporal_convolution, {}, (5, 8, 5)),
  ],
)
def test_calls_the_operator(layer, operator, options, shape):
  variables = _random(layer)
  kernel = variables["params"]["kernel"]
  bias = variables["params"].get("bias", np.zeros(shape[-1], np.float32))
  assert kernel.shape == shape
  want = operator(X, kernel, **options) + bias[None, None, None, None]
  np.testing.assert_allclose(layer.apply(variables, X), want, rtol=1e-5, atol=1e-4)


def test_a_norm_and_relu_come_after_the_convolution():
  layer = layers.ConvNormRelu(5, stride=2)
  variables = _random(layer)
  norm, seen = variables["params"]["norm"], variables["batch_stats"]["norm"]
  kernel = variables["params"]["conv"]["kernel"]
  maps = np.asarray(ops.convolution_2d(X, kernel, stride=2, padding=1))
  scale = norm["scale"] / np.sqrt(seen["var"] + 1e-5)
  want = np.maximum((maps - seen["mean"]) * scale + norm["bias"], 0)
  np.testing.assert_allclose(layer.apply(variables, X), want, rtol=1e-4, atol=1e-4)


def test_a_factorised_convolution_has_the_weights_of_the_whole():
  layer = layers.FactorisedConv(5)
  params = _random(layer)["params"]
  size = sum(params[part]["kernel"].size for part in ("space", "time"))
  width = params["space"]["kernel"].shape[-1]
  assert params["time"]["kernel"].shape == (3, width, 5)
  assert 0 <= 3 * 3 * 3 * 8 * 5 - size < size // width  # One channel more is more.


def test_a_factorised_convolution_is_two_with_a_norm_and_relu_between():
  layer = layers.FactorisedConv(5, stride=2, time_stride=2)
  variables = _random(layer)
  params, seen = variables["params"], variables["batch_stats"]["norm"]
  maps = ops.convolution_2d(X, params["space"]["kernel"], stride=2, padding=1)
  scale = params["norm"]["scale"] / np.sqrt(seen["var"] + 1e-5)
  maps = (np.asarray(maps) - seen["mean"]) * scale + params["norm"]["bias"]
  want = ops.temporal_convolution(
    np.maximum(maps, 0), params["time"]["kernel"], stride=2
  )
  got, aux = layer.apply(variables, X)
  assert aux == {}
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)


def test_a_factorised_convolution_may_begin_along_time():
  layer = layers.FactorisedConv(5, stride=2, time_stride=2, time_first=True)
  variables = _random(layer)
  params, seen = variables["params"], variables["batch_stats"]["time_norm"]
  maps = ops.temporal_convolution(X, params["time"]["kernel"], stride=2)
  scale = params["time_norm"]["scale"] / np.sqrt(seen["var"] + 1e-5)
  maps = (np.asarray(maps) - seen["mean"]) * scale + params["time_norm"]["bias"]
  want = ops.convolution_2d(
    np.maximum(maps, 0), params["space"]["kernel"], stride=2, padding=1
  )
  got, aux = layer.apply(variables, X)
  assert aux == {}
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)
  sizes = [params[part]["kernel"].size for part in ("space", "time")]
  width = params["time"]["kernel"].shape[-1]
  assert 0 <= 3 * 3 * 3 * 8 * 5 - sum(sizes) < sum(sizes) // width
