import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers, ops
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
