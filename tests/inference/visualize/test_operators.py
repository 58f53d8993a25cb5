"""Maps of what temporal operators do: alignment, calibration, arithmetic."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers
from temporal_jax.inference import visualize
from temporal_jax.models import ResNet
from temporal_jax.models.slots import Temporal
from tests.support.visualized_networks import (
  RESNET,
  VIT,
  make_clip,
  make_named,
  make_saved,
  run_captured,
)


def test_masks_are_those_that_the_network_returns():
  align = functools.partial(layers.LearnableAlignment, features=4)
  saved = make_named(
    "vit_b16", temporal=Temporal(attention_branch=align), depth=1, **VIT
  )
  kept, got = run_captured(saved, make_clip(), "", visualize.create_alignment(saved))
  ((_, aux),) = kept[""]
  pairs = np.asarray(aux["block1"]["masks"])[0]
  want = [
    pairs[0, 0],
    (pairs[0, 1] + pairs[1, 0]) / 2,
    (pairs[1, 1] + pairs[2, 0]) / 2,
    pairs[2, 1],
  ]
  np.testing.assert_allclose(got["masks"], want, atol=1e-6)
  points, pairs = got["points"], np.asarray(aux["block1"]["points"])[0]
  np.testing.assert_allclose(points[1:, 0], pairs[:, 1], atol=1e-6)
  np.testing.assert_allclose(points[:-1, 1], pairs[:, 0], atol=1e-6)
  assert np.isnan(points[0, 0]).all()
  assert np.isnan(points[-1, 1]).all()
  assert np.abs(pairs).max() > 0.01


def test_nothing_is_calibrated_at_first():
  saved = make_named("resnet18", temporal="adaptive_convolution", **RESNET)
  calibrate = visualize.create_calibrations(saved)

  @jax.jit
  def begin(clip):
    variables = saved.network.init(jax.random.key(0), clip[None] / 255)
    return calibrate(variables, clip)

  got = begin(make_clip().astype(np.float32))
  assert list(got) == ["stage1_block1/conv1"]
  np.testing.assert_array_equal(got["stage1_block1/conv1"], np.ones((4, 8)))


def test_calibration_is_what_the_route_function_returns():
  sizes = {**RESNET, "width": 32}
  saved = make_named("resnet18", temporal="adaptive_convolution", **sizes)
  calibrate = visualize.create_calibrations(saved)
  kept, got = run_captured(saved, make_clip(), ".*/route", calibrate)
  (want,) = kept["stage1_block1/conv1/route"]
  np.testing.assert_allclose(got["stage1_block1/conv1"], want[0], rtol=1e-4, atol=1e-5)
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
  return make_saved(network)


def test_cues_are_the_mean_over_the_frames_around(arithmetic):
  kept, got = run_captured(
    arithmetic, make_clip(), ".*/reduce", visualize.create_cues(arithmetic)
  )
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
  still = np.repeat(make_clip()[:1], 4, axis=0)
  got = jax.jit(visualize.create_cues(arithmetic))(arithmetic.variables, still)
  np.testing.assert_allclose(got["stage1_block1_input/difference"], 0, atol=1e-6)
  assert np.max(got["stage1_block1_input/sum"]) == 1
  assert all(values.dtype == jnp.float32 for values in got.values())


def test_what_a_network_lacks_is_refused(arithmetic):
  for create, words in (
    (visualize.create_alignment, "masks of alignment"),
    (visualize.create_calibrations, "calibration"),
  ):
    with pytest.raises(
      ValueError, match=f"tiny has no {words}.* offers cues, features, gradcam"
    ):
      jax.eval_shape(create(arithmetic), arithmetic.variables, make_clip())
