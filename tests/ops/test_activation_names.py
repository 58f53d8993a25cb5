"""Activations by name, in layers and in networks."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import temporal_jax
from temporal_jax import layers, ops
from temporal_jax.ops.activations import find_activation

X = np.linspace(-4, 4, 33, dtype=np.float32)
_TOWER = {"width": 64, "depth": 1, "num_heads": 1, "patch_size": 4, "grid": 2}
_TEXT = {"text_width": 64, "text_depth": 1, "text_heads": 1, "projection": 64}


def test_names_stand_for_the_functions_of_the_papers():
  want = [x * 0.5 * (1 + math.erf(x / math.sqrt(2))) for x in X]
  np.testing.assert_allclose(find_activation("gelu")(X), want, atol=1e-6)
  want = X / (1 + np.exp(-1.702 * X))
  np.testing.assert_allclose(find_activation("quick_gelu")(X), want, atol=1e-6)
  inner = math.sqrt(2 / math.pi) * (X + 0.044715 * X**3)
  want = 0.5 * X * (1 + np.tanh(inner))
  np.testing.assert_allclose(find_activation("gelu_tanh")(X), want, atol=1e-6)
  assert find_activation(jnp.tanh) is jnp.tanh


def test_a_layer_takes_a_name_or_a_function():
  by_name = layers.Mlp(8, activation="quick_gelu")
  variables = by_name.init(jax.random.key(0), X[None])
  function = layers.Mlp(8, activation=ops.quick_gelu)
  np.testing.assert_array_equal(
    by_name.apply(variables, X[None]), function.apply(variables, X[None])
  )


@pytest.mark.parametrize(
  "name", ["vit_b16", "xvit_b16", "ila_vit_b16", "convnext_tiny"]
)
def test_an_unknown_name_is_refused_when_a_network_is_made(name):
  with pytest.raises(ValueError, match="did you mean 'quick_gelu'"):
    temporal_jax.create_model(name, num_classes=3, activation="quickgelu")


@pytest.mark.parametrize("row", ["vit_b16", "atm_vit_b16", "xclip_b32"])
def test_both_towers_of_clip_take_the_activation(row):
  texts = {**_TEXT, "vocabulary": 9, "context": 4} if "xclip" in row else {}
  inputs = [jax.random.normal(jax.random.key(1), (1, 2, 8, 8, 3))]
  if texts:
    inputs.append(jnp.array([[1, 8, 0, 0]]))
  quick, exact = (
    temporal_jax.create_model(row, num_classes=3, activation=name, **_TOWER, **texts)
    for name in ("quick_gelu", "gelu")
  )
  variables = quick.init(jax.random.key(0), *inputs)
  (_, a), (_, b) = (n.apply(variables, *inputs) for n in (quick, exact))
  for output in ("features", *(["text_features"] if texts else [])):
    assert np.abs(a[output] - b[output]).max() > 1e-4
