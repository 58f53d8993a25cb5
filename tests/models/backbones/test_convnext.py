import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import temporal_jax
from temporal_jax import layers
from temporal_jax.models import Temporal

SMALL = {"widths": (8, 16), "stage_sizes": (1, 2), "layer_scale": 1.0}
ADAPTIVE = Temporal(
  convolution=functools.partial(
    layers.AdaptiveConv,
    axis="out",
    use_bias=True,
    route=functools.partial(layers.RouteAttention, ratio=2, head_width=4, bias=True),
  ),
  after_convolution=functools.partial(layers.StridedTemporalPooling, norm="layer"),
)


def _small(name="tadaconvnextv2_tiny", temporal=ADAPTIVE, **kwargs):
  return temporal_jax.create_model(
    name, num_classes=5, temporal=temporal, **SMALL | kwargs
  )


def _random(model, clip):
  """Variables without zeros, which last norms of fresh branches have."""
  rng = np.random.default_rng(1)

  def draw(leaf):
    low, high = (0.5, 1.0) if leaf.ndim == 1 else (-0.2, 0.2)
    return rng.uniform(low, high, leaf.shape).astype(np.float32)

  return jax.tree.map(draw, jax.eval_shape(model.init, jax.random.key(0), clip))


def _shapes(model, clip):
  return jax.eval_shape(model.init_with_output, jax.random.key(0), clip)[0]


@pytest.fixture
def clip():
  rng = np.random.default_rng(0)
  return rng.standard_normal((2, 4, 16, 16, 3), np.float32)


@pytest.mark.parametrize(
  ("name", "frames"), [("tadaconvnextv2_tiny", 2), ("convnext_tiny", 4)]
)
def test_contract(clip, name, frames):
  model = _small(name)
  logits, aux = _shapes(model, clip)
  assert logits.shape == (2, 5)
  assert logits.dtype == jnp.float32
  assert aux["features"].shape == (2, 16)
  assert aux["frame_features"].shape == (2, frames, 16)


def test_tubelets_see_the_order_of_frames(clip):
  model = _small(temporal=None, tubelet=(3, 2))
  variables = _random(model, clip)
  apply = jax.jit(model.apply)
  forward, _ = apply(variables, clip)
  backward, _ = apply(variables, clip[:, ::-1])
  assert np.abs(forward - backward).max() > 1e-4


@pytest.mark.parametrize(
  ("name", "temporal"),
  [
    ("convnext_tiny", None),
    ("tadaconvnext_tiny", "default"),
    ("tadaconvnextv2_tiny", ADAPTIVE),
  ],
)
def test_gradients_reach_every_parameter(clip, name, temporal):
  model = _small(name, temporal)
  variables = _random(model, clip)

  def loss(params):
    logits, aux = model.apply({**variables, "params": params}, clip)
    return jnp.sum(jnp.sin(logits)), (logits, aux)

  step = jax.jit(jax.grad(loss, has_aux=True))
  gradients, (logits, aux) = step(variables["params"])
  assert logits.shape == (2, 5)
  assert ("stage2_block1" in aux) == (temporal is not None)
  for path, gradient in jax.tree.leaves_with_path(gradients):
    assert np.isfinite(gradient).all(), path
    assert np.abs(gradient).max() > 0, path


def test_consensus_of_features_normalises_their_mean(clip):
  models = [
    _small("convnext_tiny", None, average_first=first) for first in (True, False)
  ]
  variables = _random(models[0], clip)
  applies = [jax.jit(model.apply) for model in models]
  (early, early_aux), (late, late_aux) = (f(variables, clip) for f in applies)
  np.testing.assert_allclose(early_aux["frame_features"], late_aux["frame_features"])
  assert np.abs(early - late).max() > 1e-3
  still = np.repeat(clip[:, :1], 4, axis=1)
  early, late = (f(variables, still)[0] for f in applies)
  np.testing.assert_allclose(early, late, rtol=1e-5, atol=1e-6)


def test_what_patches_do_not_fill_is_left_out(clip):
  model = _small(temporal=None)
  variables = _random(model, clip)
  apply = jax.jit(model.apply)
  larger = np.pad(clip, ((0, 0), (0, 0), (0, 3), (0, 2), (0, 0)), mode="wrap")
  want, _ = apply(variables, clip)
  got, _ = apply(variables, larger)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("text", ["adaptive({})", "adaptive_depthwise({})"])
def test_groups_are_the_networks(text):
  with pytest.raises(ValueError, match=r"ConvNeXt gives groups .*got groups=2 as well"):
    temporal_jax.create_model(
      "convnext_tiny", num_classes=3, temporal=text.format("groups=2")
    )
  for name, argument in (("convnext_tiny", "share=0.5"), ("resnet18", "groups=2")):
    temporal_jax.create_model(name, num_classes=3, temporal=text.format(argument))


def test_one_frame():
  clip = np.zeros((1, 1, 17, 23, 3), np.float32)
  logits, _ = _shapes(_small(), clip)
  assert logits.shape == (1, 5)


def test_rejects_what_it_cannot_be(clip):
  with pytest.raises(ValueError, match="each stage has a width"):
    _small(widths=(8,))
  with pytest.raises(ValueError, match="must have 8 pixels a side"):
    _small().init(jax.random.key(0), clip[:, :, :7])
