import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import data
from temporal_jax.inference import feature_shapes, timing
from temporal_jax.inference.extract.features import (
  create_feature_forward,
  find_feature,
  prepare_feature_variables,
)
from tests.support import saved_models
from tests.support.tiny_networks import NETWORKS


def _extract(saved, name, clips):
  feature = find_feature(saved, name)
  forward = create_feature_forward(saved, feature)
  return jax.jit(forward)(prepare_feature_variables(saved, feature), clips)


@pytest.fixture(scope="module")
def resnet():
  return saved_models.small_model(**saved_models.RESNET)


@pytest.fixture(scope="module")
def clips():
  rng = np.random.default_rng(1)
  return rng.integers(0, 256, (3, 2, 16, 16, 3), np.uint8)


def test_names_of_a_network_of_maps(resnet):
  shapes = feature_shapes(resnet)
  assert list(shapes)[:2] == ["pooled", "tokens"]
  assert shapes["pooled"] == (8,)
  assert shapes["tokens"] == shapes["stage1_block1"] == (2, 4, 4, 8)
  assert shapes["stem_conv"] == (2, 8, 8, 8)
  assert shapes["stage1_block1/conv1"] == (2, 4, 4, 8)
  assert shapes["head"] == shapes["logits"] == (2,)


def test_names_of_a_transformer():
  arguments = {**NETWORKS["transformer"][1], "width": 16, "depth": 2}
  saved = saved_models.small_model("tsm_vit_b16", side=8, **arguments)
  shapes = feature_shapes(saved)
  assert shapes["pooled"] == (16,)
  assert shapes["tokens"] == shapes["block2"] == (2, 17, 16)
  assert shapes["block1/mlp"] == (2, 17, 16)


@pytest.mark.slow  # Seconds to trace, as two networks have.
def test_two_pathways_have_no_tokens():
  name, arguments = NETWORKS["slowfast"]
  shapes = feature_shapes(saved_models.small_model(name, **arguments))
  assert "tokens" not in shapes
  assert {"slow_stage1_block1", "fast_stage1_block1"} <= set(shapes)


def test_logits_of_tasks_are_what_the_network_returns(clips):
  arguments = {**saved_models.RESNET, "num_classes": {"verb": 3, "noun": 5}}
  saved = saved_models.small_model(**arguments)
  assert "logits" not in feature_shapes(saved)
  pixels = data.normalize(clips, saved.pixels["mean"], saved.pixels["std"])
  logits, _ = saved.network.apply(saved.variables, pixels)
  for task, count in arguments["num_classes"].items():
    assert feature_shapes(saved)[f"logits/{task}"] == (count,)
    got = _extract(saved, f"logits/{task}", clips)
    np.testing.assert_allclose(got, logits[task], atol=1e-4)


def test_texts_need_no_class_names():
  name, arguments = NETWORKS["video_text"]
  arguments = {**arguments, "head": "text", "text_depth": 1, "text_width": 64}
  saved = saved_models.small_model(name, side=8, **arguments)
  shapes = feature_shapes(saved._replace(class_names=()))
  assert shapes["pooled"] == (64,)
  assert shapes["tokens"] == (2, 17, 64)
  assert not [key for key in shapes if key.startswith("prompt/")]
  texts = timing._variables(saved._replace(class_names=()))["inputs"]
  assert texts["text"].shape == (2, 64)


def test_pooled_is_the_mean_of_the_last_block(resnet, clips):
  pooled = _extract(resnet, "pooled", clips)
  tokens = _extract(resnet, "tokens", clips)
  assert tokens.dtype == jnp.float32
  np.testing.assert_allclose(pooled, tokens.mean((1, 2, 3)), rtol=1e-4)
  block = _extract(resnet, "stage1_block1", clips)
  np.testing.assert_allclose(block, tokens, rtol=1e-4)


def test_a_module_gives_what_it_gives_in_the_network(resnet, clips):
  """By hand: a norm sees the convolution, which was not folded into it."""
  before = np.asarray(_extract(resnet, "stem_conv", clips))
  after = np.asarray(_extract(resnet, "stem_norm", clips))
  params = resnet.variables["params"]["stem_norm"]
  stats = resnet.variables["batch_stats"]["stem_norm"]
  want = (before - stats["mean"]) / np.sqrt(stats["var"] + 1e-5)
  np.testing.assert_allclose(
    after, want * params["scale"] + params["bias"], rtol=1e-4, atol=1e-5
  )


def test_of_modules_that_share_a_name_the_outer_counts(resnet, clips):
  """The head averages the logits of the frames, which a layer within gives."""
  got = _extract(resnet, "head", clips)
  pooled = np.asarray(_extract(resnet, "pooled", clips))
  head = resnet.variables["params"]["head"]
  want = pooled @ head["kernel"] + head["bias"]
  np.testing.assert_allclose(got, want, rtol=1e-4)


@pytest.mark.parametrize(
  ("name", "near"), [("stage1_blok1", "'stage1_block1'"), ("qqq", "'pooled'")]
)
def test_unknown_names_give_near_ones(resnet, name, near):
  with pytest.raises(ValueError, match=f"unknown feature '{name}'.*{near}"):
    find_feature(resnet, name)


def test_flow_is_refused(resnet):
  with pytest.raises(ValueError, match="10 channels of optical flow"):
    feature_shapes(resnet._replace(clip_shape=(2, 16, 16, 10)))
