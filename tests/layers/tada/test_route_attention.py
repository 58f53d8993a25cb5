import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from temporal_jax import layers
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "RouteAttention": layer_example(layers.RouteAttention, ratio=2, head_width=2),
}


def _clip(seed=0):
  rng = np.random.default_rng(seed)
  return rng.standard_normal((2, 4, 3, 2, 16), np.float32)


def _random(layer, x):
  rng = np.random.default_rng(1)
  return jax.tree.map(
    lambda leaf: 0.5 * rng.standard_normal(leaf.shape).astype(np.float32),
    layer.init(jax.random.key(0), x),
  )


def _equation_6(x, params, head_width, form="code"):
  """Equation 6 in torch, heads one by one, in the paper's or code's form."""
  params = jax.tree.map(lambda p: torch.tensor(p).double(), params)

  def conv(v, layer):
    kernel = layer["kernel"]
    padding = len(kernel) // 2
    out = torch.nn.functional.conv1d(
      v.transpose(1, 2), kernel.permute(2, 1, 0), padding=padding
    )
    return out.transpose(1, 2) + layer.get("bias", 0)

  def norm(v, layer):
    return torch.nn.functional.layer_norm(
      v, v.shape[-1:], layer["scale"], layer["bias"], 1e-6
    )

  v = conv(torch.tensor(x).double().mean((2, 3)), params["reduce"])
  v = norm(v, params["norm"])
  attention, width = params["attention"], v.shape[-1]
  if form == "code":
    v = v * torch.sigmoid(1.702 * v)
    seen, scale = norm(v, params["attention_norm"]), width**-0.5
  else:
    v = v * (1 + torch.erf(v / 2**0.5)) / 2
    seen, scale = v, head_width**-0.5
  out = attention["out"]["bias"]
  for head in range(width // head_width):
    q, k, value = (
      seen @ attention["qkv"]["kernel"][:, i, head] + attention["qkv"]["bias"][i, head]
      for i in range(3)
    )
    weights = torch.softmax(q @ k.transpose(1, 2) * scale, dim=-1)
    out = out + weights @ value @ attention["out"]["kernel"][head]
  v = v + out
  names = [name for name in ("expand", "expand_bias") if name in params]
  return [1 + conv(v, params[name]) for name in names]


@pytest.mark.parametrize(
  ("head_width", "taps", "form"),
  [
    (2, (3, 3), "code"),
    (4, (1, 5), "code"),
    (8, (3, 3), "code"),
    (4, (3, 3), "paper"),
    (8, (1, 5), "paper"),
  ],
)
def test_is_equation_6(head_width, taps, form):
  x = _clip()
  layer = layers.RouteAttention(
    ratio=2, taps=taps, head_width=head_width, bias=True, form=form
  )
  variables = _random(layer, x)
  assert ("attention_norm" in variables["params"]) == (form == "code")
  got = jax.jit(layer.apply)(variables, x)
  want = _equation_6(x, variables["params"], head_width, form)
  for found, expected in zip(got, want, strict=True):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_starts_at_exactly_one():
  layer = layers.RouteAttention(5, ratio=2, head_width=4, bias=True)
  got, _ = layer.init_with_output(jax.random.key(0), _clip())
  for calibration in got:
    np.testing.assert_array_equal(calibration, np.ones((2, 4, 5)))


def test_without_its_init_it_starts_near_zero():
  layer = layers.RouteAttention(ratio=2, head_width=4, identity_init=False)
  got, variables = layer.init_with_output(jax.random.key(0), _clip())
  assert 0 < np.abs(got).max() < 0.6
  kernel = variables["params"]["expand"]["kernel"]
  np.testing.assert_allclose(kernel.std(), 0.02, rtol=0.2)


def test_the_order_of_the_frames_matters():
  x = _clip()
  layer = layers.RouteAttention(ratio=2, head_width=4)
  variables = _random(layer, x)
  forward = layer.apply(variables, x)
  backward = layer.apply(variables, x[:, ::-1])
  assert np.abs(forward - backward[:, ::-1]).max() > 1e-2


def test_computes_in_its_dtype():
  x = _clip()
  options = {"ratio": 2, "head_width": 4}
  layer = layers.RouteAttention(**options, dtype=jnp.bfloat16)
  variables = _random(layer, x)
  got = layer.apply(variables, x)
  want = np.asarray(layers.RouteAttention(**options).apply(variables, x))
  assert got.dtype == jnp.bfloat16
  error = np.linalg.norm(np.asarray(got, np.float32) - want)
  assert error <= 3e-2 * np.linalg.norm(want)


def test_rejects_heads_that_do_not_divide():
  layer = layers.RouteAttention(ratio=2, head_width=3)
  with pytest.raises(ValueError, match="do not divide the hidden width"):
    layer.init(jax.random.key(0), _clip())


def test_rejects_other_forms():
  layer = layers.RouteAttention(ratio=2, head_width=4, form="text")
  with pytest.raises(ValueError, match="form must be one of"):
    layer.init(jax.random.key(0), _clip())
