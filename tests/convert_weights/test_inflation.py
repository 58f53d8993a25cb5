"""Networks over clips that start as the image network they are made of."""

import functools

import jax
import numpy as np
import pytest

from temporal_jax.models.backbones.convnext import ConvNeXt
from temporal_jax.models.backbones.resnet import ResNet
from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast
from temporal_jax.models.operators import OPERATORS
from tests.support import network_shapes

WIDTHS = (8, 16)
SMALL = {"num_classes": 5, "stage_sizes": (1, 1)}
SPACE_TIME = {**SMALL, "stem_width": 8, "widths": WIDTHS}
SIDE = 32


def _image(block):
  return ResNet(**SMALL, block=block, width=8)


def _slow(**kwargs):
  """Some convolutions span frames: of the stem, of three pixels, of one."""
  return ResNet3D(**SPACE_TIME, **kwargs)


VIDEOS = {
  "basic": _slow(block="basic", taps=(5, 3, 1)),
  "bottleneck": _slow(taps=(3, 1, 3), first_taps=(3, 1)),
}


def _clip(frames, channels=3, seed=0):
  rng = np.random.default_rng(seed)
  return rng.standard_normal((2, frames, SIDE, SIDE, channels), np.float32)


def _shapes(network, clip):
  return jax.eval_shape(network.init, jax.random.key(0), clip)


@functools.cache
def _tensors(network, source):
  target = _shapes(network, _clip(1))
  tensors = network_shapes.draw(network_shapes.names(source, network, target))
  return {
    name: np.abs(t) + 0.5 if name.endswith("weight") and t.ndim == 1 else t
    for name, t in tensors.items()
    if "num_batches" not in name
  }


def _converted(network, like, clip, inflation="centre", source="torchvision"):
  """Variables of a network, made of the weights of an image network."""
  tensors = _tensors(like, source)
  initial = jax.jit(network.init)(jax.random.key(1), clip)
  target = _shapes(network, clip)
  return network_shapes.converted(
    source, network, tensors, target, inflation, new=initial
  )


def _apply(network, variables, clip, **kwargs):
  apply = functools.partial(network.apply, **kwargs)
  return jax.jit(apply)(variables, clip)


def _same(got, want):
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("block", VIDEOS)
def test_in_the_centre_every_frame_is_seen_by_itself(block):
  clip, image, video = _clip(4), _image(block), VIDEOS[block]
  want, _ = _apply(image, _converted(image, image, clip), clip)
  got, _ = _apply(video, _converted(video, image, clip), clip)
  _same(got, want)
  assert np.abs(want).max() > 0.1


@pytest.mark.parametrize("block", VIDEOS)
def test_of_a_still_clip_the_mean_sees_the_image_but_for_its_ends(block):
  """Frames from outside the clip are zeros; they reach a few frames far."""
  image, video = _image(block), VIDEOS[block]
  still = np.repeat(_clip(1), 13, axis=1)
  variables = _converted(video, image, still, "mean")
  last = "stage2_block1"
  keep = {
    "capture_intermediates": lambda module, method: (
      (module.name, method) == (last, "__call__")
    ),
    "mutable": "intermediates",
  }

  def maps(network, variables, clip):
    _, kept = _apply(network, variables, clip, **keep)
    return kept["intermediates"][last]["__call__"][0][0]

  frame = still[:, :1]
  want = maps(image, _converted(image, image, frame), frame)[:, 0]
  got = maps(video, variables, still)
  for middle in range(4, 9):
    _same(got[:, middle], want)
  assert np.abs(got[:, 0] - want).max() > 0.1


def test_a_slow_pathway_starts_as_the_image_network():
  image = _image("bottleneck")
  video = SlowFast(
    **SPACE_TIME,
    alpha=2,
    beta=2,
    lateral_taps=3,
    first_taps=((1, 3), (3, 3)),
  )
  clip = _clip(4)
  variables = _converted(video, image, clip)
  got, _ = _apply(video, variables, clip)
  slow = clip[:, ::2]
  want, _ = _apply(image, _converted(image, image, slow), slow)
  _same(got, want)
  kernel = variables["params"]["slow_stage2_block1"]["conv1"]["kernel"]
  assert not kernel[..., 32:, :].any()
  assert kernel.shape == (3, 32 + 2 * 16, 16)


def test_an_adaptive_convolution_starts_as_the_image_network():
  image, clip = _image("bottleneck"), _clip(3)
  video = image.clone(temporal=OPERATORS["adaptive"])
  want, _ = _apply(image, _converted(image, image, clip), clip)
  got, _ = _apply(video, _converted(video, image, clip), clip)
  _same(got, want)


def test_a_stem_for_flow_takes_the_mean_over_colours():
  image, grey = _image("basic"), _clip(2, channels=1)
  three, ten = np.repeat(grey, 3, axis=-1), np.repeat(grey, 10, axis=-1)
  want, _ = _apply(image, _converted(image, image, three), three)
  variables = _converted(image, image, ten)
  assert variables["params"]["stem_conv"]["kernel"].shape[-2] == 10
  got, _ = _apply(image, variables, 0.3 * ten)
  _same(got, want)
  video = VIDEOS["basic"]
  got, _ = _apply(video, _converted(video, image, ten), 0.3 * ten)
  _same(got, want)


def test_tubelets_start_as_patches_of_their_middle_frame():
  form = {**SMALL, "widths": WIDTHS, "average_first": True}
  image = ConvNeXt(**form)
  video = image.clone(tubelet=(3, 2), temporal=OPERATORS["adaptive_depthwise"])
  clip = _clip(5)
  every = clip[:, ::2]
  source = "convnext"
  want, _ = _apply(image, _converted(image, image, every, source=source), every)
  got, _ = _apply(video, _converted(video, image, clip, source=source), clip)
  _same(got, want)
