import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers, models, ops
from temporal_jax.models.blocks.residual import BottleneckBlock
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "AggregatedConv": layer_example(
    layers.AggregatedConv,
    convolution=functools.partial(layers.AdaptiveConv, 6),
  ),
  "StridedTemporalPooling": layer_example(layers.StridedTemporalPooling, stride=2),
}


def _clip():
  x = np.random.default_rng(0).standard_normal((2, 4, 3, 2, 6), np.float32)
  return x


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_adds_nothing_at_first(norm):
  layer = layers.StridedTemporalPooling(norm=norm)
  (got, aux), variables = layer.init_with_output(jax.random.key(0), _clip())
  assert aux == {}
  np.testing.assert_array_equal(got, np.zeros_like(_clip()))
  norm = variables["params"]["norm"]
  np.testing.assert_array_equal(norm["scale"], np.zeros(6))
  np.testing.assert_array_equal(norm["bias"], np.zeros(6))


@pytest.mark.parametrize("kind", ["average", "max", "mix"])
def test_normalises_what_it_pools(kind):
  x = _clip()
  layer = layers.StridedTemporalPooling(5, 2, kind=kind, norm="layer")
  scale, bias = np.arange(6, dtype=np.float32), np.ones(6, np.float32)
  params = {"norm": {"scale": scale, "bias": bias}}
  got, _ = layer.apply({"params": params}, x)
  pooled = np.asarray(ops.temporal_pooling(x, size=5, stride=2, kind=kind))
  mean = pooled.mean(axis=-1, keepdims=True)
  var = pooled.var(axis=-1, keepdims=True)
  want = (pooled - mean) / np.sqrt(var + 1e-6) * scale + bias
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_computes_in_its_dtype():
  layer = layers.StridedTemporalPooling(dtype=jnp.bfloat16)
  (got, _), variables = layer.init_with_output(jax.random.key(0), _clip())
  assert got.dtype == jnp.bfloat16
  assert variables["params"]["norm"]["scale"].dtype == jnp.float32


def test_rejects_an_unknown_norm():
  with pytest.raises(ValueError, match="norm must be one of"):
    layers.StridedTemporalPooling(norm="group").init(jax.random.key(0), _clip())


def test_an_aggregated_convolution_is_equation_8():
  x = _clip()
  conv = functools.partial(layers.AdaptiveConv, 5)
  layer = layers.AggregatedConv(conv)
  variables = layer.init(jax.random.key(0), x)
  start, aux = layer.apply(variables, x)
  params, stats = variables["params"], variables["batch_stats"]
  y, _ = conv().apply(
    {"params": params["convolution"], "batch_stats": stats["convolution"]}, x
  )
  root = np.sqrt(1 + 1e-5)
  np.testing.assert_allclose(start, y / root, rtol=1e-4, atol=1e-6)
  assert aux["calibration"].shape == (2, 4, 6)

  params["pooling"]["norm"]["scale"] = np.full(5, 2, np.float32)
  got, _ = layer.apply(variables, x)
  want = (y + 2 * ops.temporal_pooling(y)) / root
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)


def _window_mean(y):
  """The mean over three frames, zero outside the clip, in float64."""
  padded = np.pad(np.asarray(y, np.float64), ((0, 0), (1, 1), *[(0, 0)] * 3))
  return (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3


# Table 3e: what the norms are of, by the columns Sc. and SepBN.
_AGGREGATIONS = {
  "own_norm": lambda y, norm, own: norm(y) + own(_window_mean(y)),
  "shared_norm": lambda y, norm, own: norm(y + _window_mean(y)),
  "none": lambda y, norm, own: norm(_window_mean(y)),
}


def _norm_of(variables, *path):
  """Returns a batch norm with these variables, in float64."""
  params, stats = variables["params"], variables["batch_stats"]
  for name in path:
    params, stats = params[name], stats[name]
  factor = params["scale"] / np.sqrt(stats["var"].astype(np.float64) + 1e-5)
  return lambda y: (y - stats["mean"]) * factor + params["bias"]


def _random(variables):
  rng = np.random.default_rng(1)
  return jax.tree.map(
    lambda leaf: rng.uniform(0.5, 1.5, leaf.shape).astype(np.float32), variables
  )


@pytest.mark.parametrize("shortcut", _AGGREGATIONS)
def test_a_block_joins_it_as_table_3e_says(shortcut):
  x = np.random.default_rng(0).standard_normal((1, 4, 2, 3, 8), np.float32)
  pooling = functools.partial(layers.StridedTemporalPooling, shortcut=shortcut)
  block = BottleneckBlock(2, temporal=models.Temporal(after_convolution=pooling))
  variables = _random(jax.eval_shape(block.init, jax.random.key(0), x))
  own = "after_convolution" in variables["params"]
  assert own == (shortcut == "own_norm")

  def conv(y, name):  # 1 x 1 and 3 x 3, from their definition.
    kernel = variables["params"][name]["kernel"].astype(np.float64)
    (rows, columns), side = y.shape[2:4], len(kernel)
    sides = (side // 2, side // 2)
    y = np.pad(y, ((0, 0), (0, 0), sides, sides, (0, 0)))
    return sum(
      y[:, :, i : i + rows, j : j + columns] @ kernel[i, j]
      for i in range(side)
      for j in range(side)
    )

  y = np.maximum(_norm_of(variables, "norm1")(conv(np.float64(x), "conv1")), 0)
  separate = _norm_of(variables, "after_convolution", "norm") if own else None
  joined = _AGGREGATIONS[shortcut](
    conv(y, "conv2"), _norm_of(variables, "norm2"), separate
  )
  y = _norm_of(variables, "norm3")(conv(np.maximum(joined, 0), "conv3"))
  want = np.maximum(y + x, 0)
  got, _ = jax.jit(block.apply)(variables, x)
  np.testing.assert_allclose(got, want, rtol=1e-4)
  folded, _ = jax.jit(block.apply)(models.fold_batch_norm(variables), x)
  np.testing.assert_allclose(folded, want, rtol=1e-4)


@pytest.mark.parametrize("kind", ["average", "max", "mix"])
def test_pools_over_space_too(kind):
  x = _clip()
  edges = ((0, 0), (1, 1), (1, 1), (1, 1), (0, 0))

  def windows(outside):
    padded = np.pad(x, edges, constant_values=outside)
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3, 3), (1, 2, 3))

  mean, largest = windows(0).mean((-3, -2, -1)), windows(-np.inf).max((-3, -2, -1))
  want = {"average": mean, "max": largest, "mix": mean + largest}[kind]
  got = ops.temporal_pooling(x, size=3, space=3, kind=kind)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
  layer = layers.StridedTemporalPooling(space=3, kind=kind)
  variables = layer.init(jax.random.key(0), x)
  variables["params"]["norm"]["scale"] = np.ones(6, np.float32)
  np.testing.assert_allclose(
    layer.apply(variables, x)[0], got / np.sqrt(1 + 1e-5), rtol=1e-5, atol=1e-6
  )


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"shortcut": "shared"}, "shortcut must be one of"),
    ({"shortcut": "none", "kind": "max"}, "'max' needs shortcut 'own_norm'"),
    ({"space": 2}, "space must be odd"),
  ],
)
def test_rejects_what_it_cannot_join_or_pool(options, message):
  with pytest.raises(ValueError, match=message):
    layers.StridedTemporalPooling(**options).init(jax.random.key(0), _clip())
