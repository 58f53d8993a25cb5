import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers, ops
from tests.support.examples import layer_example

RANDOM = functools.partial(layers.RouteMlp, identity_init=False)

LAYER_EXAMPLES = {
  "AdaptiveConv": layer_example(layers.AdaptiveConv, features=6, use_bias=True),
}


def _clip(channels=4):
  rng = np.random.default_rng(0)
  return rng.standard_normal((2, 3, 5, 6, channels), np.float32)


def test_starts_as_the_plain_convolution_with_its_weights():
  x = _clip()
  plain = layers.Conv2D(6, 3, stride=2, use_bias=True)
  image = plain.init(jax.random.key(1), x)["params"]
  image["bias"] = np.arange(6, dtype=np.float32)
  layer = layers.AdaptiveConv(6, 3, 2, use_bias=True)
  variables = layer.init(jax.random.key(0), x)
  params = {**variables["params"], **image}
  got, aux = layer.apply({**variables, "params": params}, x)
  want = plain.apply({"params": image}, x)
  np.testing.assert_array_equal(got, want)
  np.testing.assert_array_equal(aux["calibration"], np.ones((2, 3, 4)))


def test_starts_as_the_depthwise_convolution_with_its_weights():
  x = _clip()
  plain = layers.DepthwiseConv2D(5)
  image = plain.init(jax.random.key(1), x)["params"]
  layer = layers.AdaptiveConv(4, 5, groups=4, axis="out", use_bias=True)
  variables = layer.init(jax.random.key(0), x)
  params = {**variables["params"], **image}
  got, _ = layer.apply({**variables, "params": params}, x)
  np.testing.assert_array_equal(got, plain.apply({"params": image}, x))


@pytest.mark.parametrize(
  ("taps", "size", "groups", "shape"),
  [
    (1, 3, 1, (3, 3, 4, 8)),
    (1, 1, 2, (1, 1, 2, 8)),
    (3, 1, 1, (3, 4, 8)),
    (3, 3, 1, (3, 3, 3, 4, 8)),
  ],
)
def test_starts_with_small_uniform_weights(taps, size, groups, shape):
  layer = layers.AdaptiveConv(8, size, taps=taps, groups=groups, use_bias=True)
  params = layer.init(jax.random.key(0), _clip())["params"]
  bound = np.prod(shape) ** -0.5
  assert params["kernel"].shape == shape
  for leaf in (params["kernel"], params["bias"]):
    assert 0.5 * bound < np.abs(leaf).max() <= bound


def test_starts_as_it_is_told():
  layer = layers.AdaptiveConv(
    64, use_bias=True, kernel_init=jax.nn.initializers.normal(0.02)
  )
  params = layer.init(jax.random.key(0), _clip())["params"]
  np.testing.assert_allclose(params["kernel"].std(), 0.02, rtol=0.1)
  np.testing.assert_array_equal(params["bias"], np.zeros(64))


@pytest.mark.parametrize("axis", ["in", "out", "both", "spatial"])
@pytest.mark.parametrize(("taps", "size"), [(1, 3), (3, 1), (3, 3)])
def test_calibrates_with_its_route(axis, taps, size):
  x = _clip()
  layer = layers.AdaptiveConv(6, size, taps=taps, axis=axis, route=RANDOM)
  (got, aux), variables = layer.init_with_output(jax.random.key(0), x)
  params = variables["params"]
  count = {"in": 4, "out": 6, "both": 10, "spatial": size * size}[axis]
  calibration = RANDOM(count).apply(
    {
      "params": params["route"],
      "batch_stats": variables["batch_stats"]["route"],
    },
    x,
  )
  if axis == "spatial":
    calibration = calibration.reshape(2, 3, size, size)
  want = ops.adaptive_convolution(
    x, params["kernel"], calibration, axis=axis, padding=size // 2
  )
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
  np.testing.assert_allclose(aux["calibration"], calibration, rtol=1e-5)


@pytest.mark.parametrize(("axis", "channels"), [("in", 16), ("out", 32)])
@pytest.mark.parametrize("share", [1 / 64, 1 / 8, 1 / 2, 1])
def test_calibrates_a_share_of_the_channels(axis, channels, share):
  x = _clip(16)
  layer = layers.AdaptiveConv(32, axis=axis, share=share, route=RANDOM)
  (got, aux), variables = layer.init_with_output(jax.random.key(0), x)
  calibrated = aux["calibration"].shape[-1]
  assert calibrated == max(1, round(share * channels))
  plain = ops.convolution_2d(x, variables["params"]["kernel"], padding=1)
  if axis == "out":
    rest = got[..., calibrated:], plain[..., calibrated:]
    np.testing.assert_allclose(*rest, rtol=1e-5, atol=1e-6)
  assert np.abs(got - plain).max() > 1e-3


def test_calibrates_the_bias_too():
  x = _clip(8)
  route = functools.partial(
    layers.RouteAttention,
    ratio=2,
    head_width=2,
    bias=True,
    identity_init=False,
  )
  layer = layers.AdaptiveConv(8, axis="out", use_bias=True, route=route)
  (got, aux), variables = layer.init_with_output(jax.random.key(0), x)
  params = variables["params"]
  of_kernel, of_bias = route().apply({"params": params["route"]}, x)
  want = ops.adaptive_convolution(x, params["kernel"], of_kernel, axis="out", padding=1)
  bias = params["bias"].reshape(1, 1, 1, 1, -1)
  want = want + of_bias[:, :, None, None] * bias
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)
  np.testing.assert_allclose(aux["calibration"], of_kernel, rtol=1e-5)


def test_takes_a_calibration_in_place_of_its_route():
  x = _clip()
  layer = layers.AdaptiveConv(6, route=None, padding=0, dilation=2)
  calibration = np.full((2, 3, 4), 2, np.float32)
  (got, _), variables = layer.init_with_output(
    jax.random.key(0), x, calibration=calibration
  )
  kernel = variables["params"]["kernel"]
  want = ops.convolution_2d(2 * x, kernel, dilation=2)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_computes_in_its_dtype():
  layer = layers.AdaptiveConv(6, dtype=jnp.bfloat16)
  (got, _), variables = layer.init_with_output(jax.random.key(0), _clip())
  assert got.dtype == jnp.bfloat16
  assert variables["params"]["kernel"].dtype == jnp.float32


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"route": None}, "calibration must be given"),
    ({"share": 0.0}, "share"),
    ({"axis": "time"}, "axis must be one of"),
    ({"groups": 3}, "3 groups"),
  ],
)
def test_rejects_what_does_not_fit(options, message):
  with pytest.raises(ValueError, match=message):
    layers.AdaptiveConv(6, **options).init(jax.random.key(0), _clip())


_C, _T = 16, 3  # Sizes of the clip in the next test.


def _learned(per_frame=False, identity_init=True):
  weights = (_T if per_frame else 1) * _C
  return {"per_frame": per_frame, "identity_init": identity_init}, weights


def _dynamic(per_frame=False, identity_init=True):
  hidden = _C // 4
  weights = hidden * (_C + 1) + hidden * (_T if per_frame else 1) * _C
  return {"per_frame": per_frame, "identity_init": identity_init}, weights


def _tanet(local=True, identity_init=True):
  weights = 2 * _T * (_T + 2) + 2 * _T  # Two layers along time, and a norm.
  if local:
    weights += 3 * _C * _C // 4 + 2 * _C // 4 + _C // 4 * _C
  return {"local": local, "identity_init": identity_init}, weights


def _mlp(taps=(3, 3), ratio=4, context=True, linear=False, identity_init=True):
  hidden = _C if linear else _C // ratio
  weights = taps[1] * hidden * _C + context * _C * (_C + 1)
  if not linear:
    weights += hidden * (taps[0] * _C + 3)  # With its bias and the norm.
  options = {"taps": taps, "ratio": ratio, "linear": linear}
  options |= {"global_context": context, "identity_init": identity_init}
  return options, weights


_BOTH = (False, True)
# Tables 3a, 3d, A4 and A8: route function, arguments and their weights.
_ROUTES = [
  *((layers.LearnedCalibration, *_learned(t, i)) for t in _BOTH for i in _BOTH),
  *((layers.ClipCalibration, *_dynamic(t, i)) for t in _BOTH for i in _BOTH),
  *((layers.AdaptiveModule, *_tanet(t, i)) for t in _BOTH for i in _BOTH),
  (layers.RouteMlp, *_mlp(identity_init=False)),
  *(
    (layers.RouteMlp, *_mlp((3, k), context=g, linear=True))
    for k in (1, 3, 5, 7)
    for g in _BOTH
  ),
  *(
    (layers.RouteMlp, *_mlp((a, b), context=False))
    for a in (1, 3, 5, 7)
    for b in (1, 3, 5, 7)
  ),
  *((layers.RouteMlp, *_mlp((k, k))) for k in (1, 3)),
  *((layers.RouteMlp, *_mlp(ratio=r)) for r in (1, 2, 8)),
]


def test_takes_every_route_of_the_tables():
  x = np.zeros((1, _T, 4, 4, _C), np.float32)
  for route, options, weights in _ROUTES:
    layer = layers.AdaptiveConv(8, route=functools.partial(route, **options))
    (out, aux), variables = jax.eval_shape(layer.init_with_output, jax.random.key(0), x)
    assert out.shape == (1, _T, 4, 4, 8)
    assert aux["calibration"].shape == (1, _T, _C)
    leaves = jax.tree.leaves(variables["params"]["route"])
    assert sum(leaf.size for leaf in leaves) == weights, (route, options)


@pytest.mark.slow
@pytest.mark.parametrize("route", dict.fromkeys(route for route, _, _ in _ROUTES))
def test_with_its_init_every_route_leaves_the_image_weights(route):
  x = np.random.default_rng(0).standard_normal((1, _T, 4, 4, _C), np.float32)
  layer = layers.AdaptiveConv(8, route=route)
  (got, _), variables = jax.jit(layer.init_with_output)(jax.random.key(0), x)
  plain = {"params": {"kernel": variables["params"]["kernel"]}}
  want = layers.Conv2D(8, 3).apply(plain, x)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
  random = layers.AdaptiveConv(8, route=functools.partial(route, identity_init=False))
  (got, _), _ = jax.jit(random.init_with_output)(jax.random.key(0), x)
  assert np.abs(got - want).max() > 1e-2
