import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers, ops
from tests.support.examples import CLIP_PATCHES, layer_example

OPTIONS = {"reduction": 2, "ratio": 2, "head_width": 4}

LAYER_EXAMPLES = {
  "AdaptiveBranch": layer_example(
    layers.AdaptiveBranch, CLIP_PATCHES, head_width=2, reduction=2
  ),
}


def _tokens(side=3):
  rng = np.random.default_rng(0)
  return rng.standard_normal((2, 3, 1 + side * side, 16), np.float32)


def _random(layer, x):
  variables = layer.init(jax.random.key(0), x)
  rng = np.random.default_rng(1)
  params = jax.tree.map(
    lambda leaf: rng.standard_normal(leaf.shape).astype(np.float32),
    variables["params"],
  )
  return {**variables, "params": params}


@pytest.mark.parametrize("temporal", [False, True])
def test_adds_nothing_at_first(temporal):
  x = _tokens()
  layer = layers.AdaptiveBranch(**OPTIONS, temporal_projection=temporal)
  (got, aux), variables = layer.init_with_output(jax.random.key(0), x)
  assert aux == {}
  np.testing.assert_array_equal(got, np.zeros_like(x))
  shape = variables["params"]["expand"]["kernel"].shape
  assert shape == ((3, 16, 8) if temporal else (16, 8))
  kernel = variables["params"]["aggregation"]["convolution"]["kernel"]
  np.testing.assert_allclose(kernel.std(), 0.02, rtol=0.3)


def test_the_class_token_gets_nothing():
  x = _tokens()
  layer = layers.AdaptiveBranch(**OPTIONS)
  got, _ = layer.apply(_random(layer, x), x)
  np.testing.assert_array_equal(got[:, :, 0], np.zeros((2, 3, 16)))
  assert (np.abs(got[:, :, 1:]).max(axis=-1) > 0).all()


# With the rows of table 5: without TAdaConvV2, and without T-Pool.
@pytest.mark.parametrize("adaptive", [True, False])
@pytest.mark.parametrize("aggregate", [True, False])
def test_is_its_parts_on_the_grid(adaptive, aggregate):
  x = _tokens()
  layer = layers.AdaptiveBranch(
    **OPTIONS, adaptive=adaptive, aggregate=aggregate, route_form="paper"
  )
  variables = _random(layer, x)
  params = variables["params"]
  assert ("batch_stats" in variables) == aggregate

  def dense(x, layer):
    return x @ layer["kernel"] + layer["bias"].reshape(1, 1, 1, 1, -1)

  def norm(x, layer):
    scale, bias = (layer[k].reshape(1, 1, 1, 1, -1) for k in ("scale", "bias"))
    return x / np.sqrt(1 + 1e-5) * scale + bias

  grid = dense(x[:, :, 1:].reshape(2, 3, 3, 3, 16), params["expand"])
  calibrate = layers.RouteAttention(
    ratio=2, head_width=4, bias=True, identity_init=False, form="paper"
  )
  aggregation = params["aggregation"] if aggregate else params
  conv = aggregation["convolution"]
  y = ops.depthwise_convolution_2d(grid, conv["kernel"], padding=1)
  of_kernel = of_bias = np.ones((2, 3, 8))
  if adaptive:
    of_kernel, of_bias = calibrate.apply({"params": conv["route"]}, grid)
  y = y * of_kernel[:, :, None, None]
  y = y + of_bias[:, :, None, None] * conv["bias"].reshape(1, 1, 1, 1, -1)
  if aggregate:
    y = norm(y, aggregation["norm"]) + norm(
      ops.temporal_pooling(y), aggregation["pooling"]["norm"]
    )
  want = dense(ops.quick_gelu(y), params["contract"]).reshape(2, 3, 9, 16)

  got, _ = layer.apply(variables, x)
  np.testing.assert_allclose(got[:, :, 1:], want, rtol=1e-4, atol=1e-3)


def test_the_order_of_the_frames_matters():
  x = _tokens()
  layer = layers.AdaptiveBranch(**OPTIONS)
  variables = _random(layer, x)
  forward, _ = layer.apply(variables, x)
  backward, _ = layer.apply(variables, x[:, ::-1])
  assert np.abs(forward - backward[:, ::-1]).max() > 0.1


def test_computes_in_its_dtype():
  layer = layers.AdaptiveBranch(**OPTIONS, dtype=jnp.bfloat16)
  (got, _), _ = layer.init_with_output(jax.random.key(0), _tokens())
  assert got.dtype == jnp.bfloat16


@pytest.mark.parametrize(
  ("shape", "message"),
  [((2, 3, 16), "x must be"), ((1, 2, 6, 16), "square"), ((1, 2, 1, 16), "sq")],
)
def test_rejects_tokens_without_a_grid(shape, message):
  with pytest.raises(ValueError, match=message):
    layers.AdaptiveBranch(**OPTIONS).init(
      jax.random.key(0), np.zeros(shape, np.float32)
    )
