"""Maps of what temporal operators do: alignment, calibration, arithmetic."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers
from temporal_jax.inference import visualize
from temporal_jax.models import ResNet, VideoTextModel
from temporal_jax.models.operators import OPERATORS
from temporal_jax.models.temporal import Temporal
from tests.inference.visualize.networks import (
  RESNET,
  captured,
  make_clip,
  make_named,
  make_saved,
)
from tests.models.small_video_text import SIZES


@pytest.fixture(scope="module")
def aligned():
  sizes = {**SIZES, "num_frames": 4, "depth": 2}
  network = VideoTextModel(temporal=OPERATORS["alignment"], **sizes)
  return make_saved(network)


def _with_text(saved):
  text = np.random.default_rng(0).standard_normal((3, 64), np.float32)
  return {**saved.variables, "inputs": {"text": text}}


def test_masks_are_those_that_the_network_returns(aligned):
  clip, variables = make_clip(), _with_text(aligned)
  pixels = (clip[None] / np.float32(255) - np.float32(0.5)) / np.float32(0.25)

  @jax.jit
  def both(variables, clip, pixels):
    inputs = variables["inputs"]
    _, aux = aligned.network.apply(aligned.variables, pixels, **inputs)
    masks = visualize.create_masks(aligned)(variables, clip)
    first = visualize.create_masks(
      aligned, layer="visual/block1/attention_branch"
    )(variables, clip)
    points = visualize.create_points(aligned)(variables, clip)
    return aux, masks, first, points

  aux, masks, first, points = both(variables, clip, pixels)
  for got, block in ((masks, "block2"), (first, "block1")):
    pairs = np.asarray(aux[block]["masks"])[0]
    want = [
      pairs[0, 0],
      (pairs[0, 1] + pairs[1, 0]) / 2,
      (pairs[1, 1] + pairs[2, 0]) / 2,
      pairs[2, 1],
    ]
    np.testing.assert_allclose(got, want, atol=1e-6)
  pairs = np.asarray(aux["block2"]["points"])[0]
  np.testing.assert_allclose(points[1:, 0], pairs[:, 1], atol=1e-6)
  np.testing.assert_allclose(points[:-1, 1], pairs[:, 0], atol=1e-6)
  assert np.isnan(points[0, 0]).all()
  assert np.isnan(points[-1, 1]).all()
  assert np.abs(pairs).max() > 0.01


def test_a_network_of_texts_has_grad_cam(aligned):
  shape = jax.eval_shape(
    visualize.create_grad_cam(aligned), _with_text(aligned), make_clip()
  )
  assert shape.shape == (4, 4, 4)


def test_nothing_is_calibrated_at_first():
  saved = make_named(
    "resnet18", noise=0.0, temporal="adaptive_convolution", **RESNET
  )
  calibrate = jax.jit(visualize.create_calibrations(saved))
  got = calibrate(saved.variables, make_clip())
  assert list(got) == ["stage1_block1/conv1"]
  np.testing.assert_array_equal(got["stage1_block1/conv1"], np.ones((4, 8)))


def test_calibration_is_what_the_route_function_returns():
  saved = make_named("resnet18", temporal="adaptive_convolution", **RESNET)
  clip = make_clip()
  (want,) = captured(saved, clip)["stage1_block1/conv1/route"]
  got = jax.jit(visualize.create_calibrations(saved))(saved.variables, clip)
  np.testing.assert_allclose(
    got["stage1_block1/conv1"], want[0], rtol=1e-4, atol=1e-5
  )
  assert np.std(want[0], axis=0).max() > 1e-3


@pytest.fixture(scope="module")
def arithmetic():
  modeling = functools.partial(
    layers.ArithmeticModeling,
    operations=("difference", "sum"),
    length=3,
    hidden=4,
  )
  network = ResNet(3, **RESNET, temporal=Temporal(block_input=modeling))
  saved = make_saved(network)
  return saved, jax.jit(visualize.create_cues(saved))


def test_cues_are_the_mean_over_the_frames_around(arithmetic):
  saved, cues = arithmetic
  clip = make_clip()
  got = cues(saved.variables, clip)
  kept = captured(saved, clip)
  for operation, sign in (("difference", -1), ("sum", 1)):
    name = f"stage1_block1_input/{operation}"
    x = np.asarray(kept[f"{name}/reduce"][0])[0]
    want = []
    for t in range(4):
      around = [s for s in (t - 1, t + 1) if 0 <= s < 4]
      sizes = [np.abs(x[s] + sign * x[t]).mean(axis=-1) for s in around]
      want.append(np.mean(sizes, axis=0))
    want = np.stack(want)
    np.testing.assert_allclose(got[name], want / want.max(), atol=1e-4)


def test_nothing_differs_in_a_still_video(arithmetic):
  saved, cues = arithmetic
  still = np.repeat(make_clip()[:1], 4, axis=0)
  got = cues(saved.variables, still)
  np.testing.assert_allclose(
    got["stage1_block1_input/difference"], 0, atol=1e-6
  )
  assert np.max(got["stage1_block1_input/sum"]) == 1
  assert all(values.dtype == jnp.float32 for values in got.values())


def test_what_a_network_lacks_is_refused(arithmetic):
  saved, _ = arithmetic
  for create, words in (
    (visualize.create_masks, "masks of alignment"),
    (visualize.create_calibrations, "calibration"),
  ):
    with pytest.raises(
      ValueError, match=f"tiny has no {words}.* offers cues, features, gradcam"
    ):
      jax.eval_shape(create(saved), saved.variables, make_clip())
