import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "RouteMlp": layer_example(layers.RouteMlp),
}


def _clip(shape=(2, 4, 3, 5, 8), seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _random(layer, x, seed=1):
  """Variables of `layer`, all parameters random."""
  variables = layer.init(jax.random.key(0), x)
  rng = np.random.default_rng(seed)
  params = jax.tree.map(
    lambda leaf: rng.standard_normal(leaf.shape).astype(np.float32),
    variables["params"],
  )
  return {**variables, "params": params}


def _conv(x, kernel, bias=0.0):
  """Convolves (B, T, C) along time, frame by frame."""
  taps, out = len(kernel), []
  for t in range(x.shape[1]):
    total = np.zeros((x.shape[0], kernel.shape[2])) + bias
    for k in range(taps):
      if 0 <= t + k - taps // 2 < x.shape[1]:
        total = total + x[:, t + k - taps // 2] @ kernel[k]
    out.append(total)
  return np.stack(out, axis=1)


def _layer_norm(x, scale, bias):
  centred = x - x.mean(axis=-1, keepdims=True)
  deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-6)
  return centred / deviation * scale + bias


_gelu = np.vectorize(lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2)


def _equation_5(x, params, linear=False, context=True, layer_norm=False):
  """Equations 5 and 7 in float64, with running statistics of 0 and 1."""
  params = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params)
  v = x.astype(np.float64).mean(axis=(2, 3))
  if context:
    whole = v.mean(axis=1, keepdims=True)
    v = v + whole @ params["context"]["kernel"] + params["context"]["bias"]
  if not linear:
    v = _conv(v, params["reduce"]["kernel"], params["reduce"]["bias"])
    if layer_norm:
      v = _gelu(_layer_norm(v, **params["norm"]))
    else:
      v = v / np.sqrt(1 + 1e-5) * params["norm"]["scale"]
      v = np.maximum(v + params["norm"]["bias"], 0)
  return [
    1 + _conv(v, params[name]["kernel"])
    for name in ("expand", "expand_bias")
    if name in params
  ]


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("context", [False, True])
@pytest.mark.parametrize(("taps", "frames"), [((3, 3), 4), ((1, 5), 2)])
def test_is_equation_5(linear, context, taps, frames):
  x = _clip((2, frames, 3, 5, 8))
  layer = layers.RouteMlp(taps=taps, linear=linear, global_context=context)
  variables = _random(layer, x)
  got = jax.jit(layer.apply)(variables, x)
  (want,) = _equation_5(x, variables["params"], linear, context)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_calibrates_a_bias_too_and_takes_a_layer_norm():
  x = _clip((2, 4, 3, 5, 16))
  layer = layers.RouteMlp(norm="layer", bias=True)
  variables = _random(layer, x)
  assert variables.keys() == {"params"}
  got = jax.jit(layer.apply)(variables, x)
  want = _equation_5(x, variables["params"], layer_norm=True)
  for one, other in zip(got, want, strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
  assert np.abs(want[0] - want[1]).max() > 0.1


def test_has_the_parameters_of_the_form():
  x = _clip()
  params = layers.RouteMlp(linear=True, global_context=False, taps=(3, 5)).init(
    jax.random.key(0), x
  )["params"]
  assert jax.tree.map(jnp.shape, params) == {"expand": {"kernel": (5, 8, 8)}}


@pytest.mark.parametrize("linear", [False, True])
def test_starts_at_exactly_one(linear):
  x = _clip()
  got, _ = layers.RouteMlp(6, linear=linear).init_with_output(jax.random.key(0), x)
  np.testing.assert_array_equal(got, np.ones((2, 4, 6)))


def test_without_its_init_it_does_not_start_at_one():
  layer = layers.RouteMlp(identity_init=False)
  got, _ = layer.init_with_output(jax.random.key(0), _clip())
  assert np.abs(got).max() > 0
  assert np.abs(got - 1).min() > 1e-3


def test_the_order_of_the_frames_matters():
  x = _clip()
  layer = layers.RouteMlp()
  variables = _random(layer, x)
  forward = layer.apply(variables, x)
  backward = layer.apply(variables, x[:, ::-1])
  assert np.abs(forward - backward[:, ::-1]).max() > 0.1


def test_training_moves_the_statistics():
  x = _clip()
  layer = layers.RouteMlp()
  variables = _random(layer, x)
  _, updates = layer.apply(variables, x, train=True, mutable="batch_stats")
  assert np.abs(updates["batch_stats"]["norm"]["mean"]).max() > 1e-3


def test_computes_in_its_dtype():
  x = _clip()
  layer = layers.RouteMlp(dtype=jnp.bfloat16)
  variables = _random(layer, x)
  got = layer.apply(variables, x)
  want = layers.RouteMlp().apply(variables, x)
  assert got.dtype == jnp.bfloat16
  error = np.linalg.norm(np.asarray(got, np.float32) - np.asarray(want))
  assert error <= 3e-2 * np.linalg.norm(want)


@pytest.mark.parametrize(
  ("x", "message"),
  [((2, 4, 3, 8), "x must be"), ((1, 2, 2, 2, 3), "ratio must be at most the 3")],
)
def test_rejects_what_does_not_fit(x, message):
  with pytest.raises(ValueError, match=message):
    layers.RouteMlp().init(jax.random.key(0), np.zeros(x, np.float32))


def test_rejects_other_norms():
  with pytest.raises(ValueError, match="norm must be one of"):
    layers.RouteMlp(norm="group").init(jax.random.key(0), _clip())
