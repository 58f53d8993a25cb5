import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.inference import visualize
from temporal_jax.models.network import Network
from tests.support.visualized_networks import (
  RESNET,
  VIT,
  make_clip,
  make_named,
  make_saved,
  run_captured,
)


class _Detector(Network):
  """Says "falling" of bright places and "waving" of dark ones."""

  @nn.compact
  def __call__(self, clip, train=False):
    maps = nn.Dense(2, name="maps")(clip)
    return nn.Dense(3, name="head")(maps.mean(axis=(1, 2, 3))), {}


@pytest.fixture(scope="module")
def detector():
  saved = make_saved(_Detector())._replace(pixels={"mean": [0.0] * 3, "std": [1.0] * 3})
  # A channel is the brightness, the other one is 1 everywhere.
  maps = {"kernel": np.array([[1 / 3, 0]] * 3), "bias": np.array([0, 1])}
  head = {"kernel": np.array([[1, -1, 0], [0, 0, 0]]), "bias": np.zeros(3)}
  params = {"maps": maps, "head": head}
  params = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), params)
  return saved._replace(variables={"params": params})


def _moving_square():
  clip = np.zeros((4, 16, 16, 3), np.uint8)
  for t in range(4):
    clip[t, 2 * t : 2 * t + 5, 3 * t : 3 * t + 5] = 255
  return clip


def test_finds_a_square_that_moves(detector):
  clip = _moving_square()
  grad_cam = jax.jit(visualize.create_grad_cam(detector))
  got = grad_cam(detector.variables, clip)
  np.testing.assert_allclose(got, clip[..., 0] / 255, atol=1e-6)
  assert got.dtype == jnp.float32
  # Nothing speaks for another class.
  np.testing.assert_array_equal(grad_cam(detector.variables, clip, 1), 0)


def test_is_what_a_linear_classifier_reads():
  """Behind the last maps of a ResNet is a mean and a matrix alone."""
  saved = make_named("resnet18", temporal="aggregation", **RESNET)
  kept, got = run_captured(
    saved, make_clip(), "stage1_block1", visualize.create_grad_cam(saved)
  )
  ((maps, _),) = kept["stage1_block1"]
  scores = maps[0] @ saved.variables["params"]["head"]["kernel"]
  label = (scores.sum((0, 1, 2)) + _bias(saved)).argmax()
  want = np.maximum(scores[..., label], 0)
  np.testing.assert_allclose(got, want / want.max(), rtol=1e-4, atol=1e-5)


def _bias(saved):
  return 4 * 4 * 4 * saved.variables["params"]["head"]["bias"]


def test_agrees_with_finite_differences():
  saved = make_named("vit_b16", **VIT, depth=1)
  clip = make_clip()
  kept, got = run_captured(
    saved,
    clip,
    "block1/norm1",
    lambda *args: visualize.create_grad_cam(saved)(*args, 1),
  )
  features = kept["block1/norm1"][0][0, :, 1:]
  pixels = (clip[None] / np.float32(255) - np.float32(0.5)) / np.float32(0.25)

  @jax.jit
  def logit(offset):
    def shift(method, args, kwargs, context):
      out = method(*args, **kwargs)
      if context.module.path == ("block1", "norm1"):
        out = out.at[:, :, 1:].add(offset[None, None, None])
      return out

    with nn.intercept_methods(shift):
      return saved.network.apply(saved.variables, pixels)[0][0, 1]

  step = 1e-2 * np.eye(features.shape[-1], dtype=np.float32)
  weights = np.array([logit(up) - logit(-up) for up in step])
  want = np.maximum(features @ weights, 0)
  want = (want / want.max()).reshape(got.shape)
  np.testing.assert_allclose(got, want, atol=2e-2)
  assert 4 < (want > 0.1).sum() < 60


def test_names_what_is_missing(detector):
  grad_cam = visualize.create_grad_cam(detector, layer="map")
  with pytest.raises(ValueError, match=r"layer to draw 'map'; did you mean 'maps'"):
    grad_cam(detector.variables, _moving_square())
