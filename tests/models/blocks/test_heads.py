import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import models
from temporal_jax.models.blocks import heads

FRAMES = np.random.default_rng(0).standard_normal((2, 3, 64), np.float32)
TASKS = {"verb": 4, "noun": 6}
SMALL = {"patch_size": 4, "width": 64, "depth": 1, "num_heads": 1, "grid": 2}


@pytest.fixture
def clip():
  rng = np.random.default_rng(0)
  return rng.standard_normal((2, 3, 8, 8, 3), np.float32)


def _run(head, num_classes, **kwargs):
  module = heads.resolve(head)(num_classes=num_classes)
  variables = module.init(jax.random.key(0), FRAMES)
  return module.apply(variables, FRAMES, **kwargs)


def test_averaging_logits_or_features_is_the_same():
  of_logits, aux = _run("average", 5)
  of_features, nothing = _run("average_features", 5)
  np.testing.assert_allclose(of_features, of_logits, rtol=1e-5, atol=1e-6)
  assert aux["frame_logits"].shape == (2, 3, 5)
  np.testing.assert_allclose(
    aux["frame_logits"].mean(axis=1), of_logits, rtol=1e-5, atol=1e-6
  )
  assert nothing == {}


@pytest.mark.parametrize("head", heads.HEADS)
def test_every_head_takes_several_tasks(head):
  logits, _ = _run(head, TASKS)
  assert {k: v.shape for k, v in logits.items()} == {
    "verb": (2, 4),
    "noun": (2, 6),
  }
  assert {v.dtype for v in logits.values()} == {jnp.dtype(jnp.float32)}


@pytest.mark.parametrize("head", heads.HEADS)
@pytest.mark.parametrize("num_classes", [5, TASKS])
def test_a_backbone_takes_every_head(head, num_classes, clip):
  model = models.VisionTransformer(num_classes, **SMALL, head=head)
  (logits, aux), variables = model.init_with_output(jax.random.key(0), clip)
  assert jax.tree.map(len, logits) == jax.tree.map(lambda _: 2, logits)
  assert aux["features"].shape == (2, 64)
  assert aux["frame_features"].shape == (2, 3, 64)
  own = heads.resolve(head)(num_classes=num_classes)
  shapes = jax.eval_shape(own.init, jax.random.key(0), FRAMES)["params"]
  got = jax.tree.map(jnp.shape, variables["params"]["head"])
  assert got == jax.tree.map(jnp.shape, shapes)


def test_a_factory_of_ones_own_is_a_head(clip):
  head = functools.partial(
    models.TemporalAttentionAggregation, 2, num_blocks=2, hidden=8
  )
  model = models.VisionTransformer(5, **SMALL, head=head)
  (logits, _), variables = model.init_with_output(jax.random.key(0), clip)
  assert logits.shape == (2, 5)
  assert "block2" in variables["params"]["head"]


def test_attention_has_heads_of_64_channels():
  module = models.TemporalAttentionAggregation(num_classes=5)
  wide = np.zeros((1, 2, 192), np.float32)
  params = jax.eval_shape(module.init, jax.random.key(0), wide)["params"]
  assert params["block1"]["attention"]["qkv"]["kernel"].shape[1:] == (3, 3, 64)


def test_head_dropout_takes_effect_in_training_only(clip):
  model = models.VisionTransformer(5, **SMALL, head_dropout=0.5)
  variables = model.init(jax.random.key(0), clip)

  def logits(seed, train):
    rngs = {"dropout": jax.random.key(seed)}
    return model.apply(variables, clip, train=train, rngs=rngs)[0]

  assert np.abs(logits(0, True) - logits(1, True)).max() > 1e-3
  np.testing.assert_array_equal(logits(0, False), logits(1, False))


def test_norm_behind_the_average_sees_one_frame(clip):
  model = models.VisionTransformer(5, **SMALL, average_first=True)
  variables = model.init(jax.random.key(0), clip)
  _, aux = model.apply(variables, clip)
  tokens = aux["tokens"][:, :, 0].mean(axis=1)
  centred = tokens - tokens.mean(axis=-1, keepdims=True)
  want = centred / centred.std(axis=-1, keepdims=True)
  np.testing.assert_allclose(aux["features"], want, rtol=1e-3, atol=1e-4)
  assert aux["frame_features"].shape == (2, 1, 64)


def test_unknown_heads_suggest_near_ones():
  with pytest.raises(ValueError, match="did you mean 'attention'"):
    models.VisionTransformer(5, head="atention")
  with pytest.raises(ValueError, match="of must be 'logits' or 'features'"):
    _run(functools.partial(heads.AverageConsensus, of="frames"), 5)
