import jax
import numpy as np
import pytest

from temporal_jax.inference import visualize
from temporal_jax.inference.visualize.layers import choose_layer, map_shapes
from temporal_jax.inference.visualize.scaling import frames_of, over_time
from tests.inference.visualize.networks import (
  RESNET,
  VIT,
  captured,
  make_clip,
  make_named,
)


def _expected(values):
  sizes = np.abs(values).mean(axis=-1)
  return (sizes - sizes.min()) / (sizes.max() - sizes.min())


def test_is_the_mean_size_of_the_channels():
  clip = make_clip()
  saved = make_named("resnet18", **RESNET)
  for layer, name in ((None, "stage1_block1"), ("stem_conv", "stem_conv")):
    features = jax.jit(visualize.create_features(saved, layer=layer))
    (kept,) = captured(saved, clip)[name]
    want = _expected(np.asarray(kept[0] if layer is None else kept)[0])
    got = features(saved.variables, clip)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_patches_are_without_the_class_token():
  saved, clip = make_named("vit_b16", **VIT), make_clip()
  ((tokens, _),) = captured(saved, clip)["block2"]
  patches = np.asarray(tokens)[0, :, 1:].reshape(4, 4, 4, 16)
  got = jax.jit(visualize.create_features(saved))(saved.variables, clip)
  np.testing.assert_allclose(got, _expected(patches), rtol=1e-4, atol=1e-5)


def test_layers_that_are_no_maps_are_left_out():
  saved = make_named("vit_b16", temporal="divided", tubelet=(3, 2), **VIT)
  shapes = map_shapes(saved, saved.variables, make_clip())
  assert shapes["patch_embedding"].shape == (1, 2, 4, 4, 16)
  assert shapes["block1/mlp"].shape == (1, 2, 17, 16)
  lacking = {
    "block1/attention/qkv",
    "block1/attention_branch/attention",
    "norm",
  }
  assert not lacking & set(shapes)
  assert list(shapes)[-1] == "block2"


def test_strides_along_time_are_undone():
  maps = np.array([0.0, 1.0, 4.0])[:, None, None]
  np.testing.assert_array_equal(frames_of(3, 6), [0, 2, 4])
  got = over_time(jax.numpy.asarray(maps, np.float32), 6)
  np.testing.assert_allclose(got[:, 0, 0], [0, 0.5, 1, 2.5, 4, 4], atol=1e-6)


def test_layers_are_chosen_by_name():
  names = ["stem", "stage1_block1/conv1", "stage1_block1", "stage2_block1"]
  assert choose_layer(names, None, (r"slow_.*", r"stage\d+_block\d+")) == (
    "stage2_block1"
  )
  assert choose_layer(names, "stem", ()) == "stem"
  with pytest.raises(ValueError, match=r"near names: \['stage1_block1', "):
    choose_layer(names, "stage1_blok1", ())
  with pytest.raises(ValueError, match=r"there are \['stem', 'stage1_block1'"):
    choose_layer(names, "xyz", ())
