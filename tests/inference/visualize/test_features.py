import jax
import numpy as np
import pytest

from temporal_jax import models
from temporal_jax.inference import visualize
from temporal_jax.inference.visualize.layer_choice import (
  as_maps,
  choose_layer,
  map_shapes,
)
from temporal_jax.inference.visualize.scale_maps import frames_of, over_time
from tests.support.visualized_networks import (
  RESNET,
  VIT,
  make_clip,
  make_named,
  run_captured,
)


def _expected(values):
  sizes = np.abs(values).mean(axis=-1)
  return (sizes - sizes.min()) / (sizes.max() - sizes.min())


def test_is_the_mean_size_of_the_channels():
  saved = make_named("resnet18", **RESNET)
  last, stem = (
    visualize.create_features(saved, layer=layer) for layer in (None, "stem_conv")
  )
  kept, (of_last, of_stem) = run_captured(
    saved,
    make_clip(),
    "stage1_block1|stem_conv",
    lambda *args: (last(*args), stem(*args)),
  )
  ((values, _),) = kept["stage1_block1"]
  np.testing.assert_allclose(of_last, _expected(values[0]), atol=1e-5)
  (values,) = kept["stem_conv"]
  np.testing.assert_allclose(of_stem, _expected(values[0]), atol=1e-5)


def test_patches_are_without_the_tokens_beside_them():
  tokens = np.random.default_rng(0).standard_normal((1, 2, 8, 5))
  want = tokens[0, :, 1:7].reshape(2, 2, 3, 5)
  for given in (tokens, tokens[:, :, :7], tokens[:, :, 1:7]):
    np.testing.assert_array_equal(as_maps(given, (2, 3)), want)


def test_layers_that_are_no_maps_are_left_out():
  saved = make_named("vit_b16", temporal="divided", tubelet=(3, 2), depth=1, **VIT)
  shapes = map_shapes(saved, saved.variables, make_clip())
  assert shapes["patch_embedding"].shape == (1, 2, 4, 4, 16)
  assert shapes["block1/mlp"].shape == (1, 2, 17, 16)
  lacking = {
    "block1/attention/qkv",
    "block1/attention_branch/attention",
    "norm",
  }
  assert not lacking & set(shapes)
  assert list(shapes)[-1] == "block1"


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
  tower = ["visual/block1/norm1", "visual/block2/norm1", "visual/block2"]
  shown = models.find_model("xclip_b32").module().visual_layers()
  assert choose_layer(tower, None, shown.gradients) == "visual/block2/norm1"
  assert choose_layer(tower, None, shown.features) == "visual/block2"
  with pytest.raises(ValueError, match=r"did you mean 'stage1_block1' or "):
    choose_layer(names, "stage1_blok1", ())
  with pytest.raises(ValueError, match=r"'xyz'. Known: \['stem', 'stage1_"):
    choose_layer(names, "xyz", ())
