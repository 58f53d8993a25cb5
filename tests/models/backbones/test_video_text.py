import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import temporal_jax
from temporal_jax import layers, models
from temporal_jax.models.backbones.video_text import VideoTextModel
from tests.support import tiny_networks
from tests.support.tiny_video_text import SIZES, TEXTS, make_clip

KEY = jax.random.key(0, impl="rbg")  # Compiles faster.
ALIGNMENT = models.Temporal(
  attention_branch=functools.partial(layers.LearnableAlignment, features=8)
)


def _model(temporal=ALIGNMENT, **kwargs):
  return VideoTextModel(**SIZES | kwargs, temporal=temporal)


@functools.cache
def _drawn(model):
  """Variables with which every branch counts, none being zero."""
  rng = np.random.default_rng(1)

  def draw(path, leaf):
    value = 0.2 * rng.standard_normal(leaf.shape, np.float32)
    return abs(value) if path[-1].key == "var" else value

  shapes = jax.eval_shape(model.init, KEY, make_clip())
  return jax.tree.map_with_path(draw, shapes)


@functools.cache
def _apply(model):
  return jax.jit(model.apply)


def test_contract():
  model = _model(depth=2)
  logits, aux = _apply(model)(_drawn(model), make_clip(), TEXTS)
  assert logits.shape == (2, 3)
  assert logits.dtype == jnp.float32
  assert aux["features"].shape == (2, 64)
  assert aux["text_features"].shape == (3, 64)
  losses = [aux[f"block{i}"]["alignment_loss"] for i in (1, 2)]
  assert aux["block1"]["masks"].shape == (2, 2, 2, 4, 4)
  assert aux["alignment_loss"] == pytest.approx(float(sum(losses)), rel=1e-5)
  assert aux["alignment_loss"] > 0


def test_features_of_texts_serve_for_the_texts():
  model = _model()
  variables = _drawn(model)
  want, aux = _apply(model)(variables, make_clip(), TEXTS)
  encode = jax.jit(functools.partial(model.apply, method="encode_text"))
  features = encode(variables, TEXTS)
  np.testing.assert_allclose(features, aux["text_features"], rtol=1e-5, atol=1e-5)
  got, _ = _apply(model)(variables, make_clip(), text=features)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
  ("temporal", "head"),
  [
    (ALIGNMENT, "text"),
    (ALIGNMENT, "linear"),
    (models.OPERATORS["messages"], "text"),
  ],
  ids=["ila", "ila-linear", "xclip"],
)
def test_order_of_frames_matters(temporal, head):
  model = _model(temporal, head=head, num_classes=3)
  variables = _drawn(model)
  # Without positions time enters through the operator alone.
  positions = variables["params"]["integration"]["position"]
  without = jax.tree.map(lambda x: x, variables)
  without["params"]["integration"]["position"] = 0 * positions

  def apply(variables, clip):
    return _apply(model)(variables, clip, TEXTS)[0]

  forth = apply(without, make_clip())
  back = apply(without, make_clip()[:, ::-1])
  # Messages to the frames do not depend on the frames' order.
  assert (np.abs(forth - back).max() > 1e-4) == (temporal is ALIGNMENT)
  changed = apply(variables, make_clip()) - apply(variables, make_clip()[:, ::-1])
  assert np.abs(changed).max() > 1e-5


def test_other_lengths_and_sizes():
  model = _model()
  logits, _ = _apply(model)(_drawn(model), make_clip(1, 20, 20), TEXTS)
  assert np.isfinite(logits).all()
  longer = jax.eval_shape(model.apply, _drawn(model), make_clip(5), TEXTS)
  assert longer[0].shape == (2, 3)


def test_oblong_clips_need_their_grid():
  model, clip = _model(), make_clip(columns=20)
  with pytest.raises(ValueError, match="square grid of patches"):
    jax.eval_shape(model.apply, _drawn(model), clip, TEXTS)
  oblong = models.Temporal(
    attention_branch=functools.partial(
      layers.LearnableAlignment, features=8, grid=(4, 5)
    )
  )
  apply = _model(oblong).apply
  logits, _ = jax.eval_shape(apply, _drawn(model), clip, TEXTS)
  assert logits.shape == (2, 3)


def test_every_parameter_learns():
  model = _model()
  variables = _drawn(model)

  def loss(params):
    (logits, aux), state = model.apply(
      {**variables, "params": params},
      make_clip(),
      TEXTS,
      train=True,
      rngs={"dropout": KEY},
      mutable=["batch_stats"],
    )
    return jnp.sum(logits[:, 0]) + aux["alignment_loss"], state

  gradients, state = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
  moved = jax.tree.map(
    lambda new, old: np.abs(new - old).max(),
    state["batch_stats"],
    variables["batch_stats"],
  )
  assert all(m > 0 for m in jax.tree.leaves(moved))
  for path, gradient in jax.tree.leaves_with_path(gradients):
    assert np.isfinite(gradient).all(), path
    assert np.abs(gradient).max() > 0, path


# TAdaFormer with texts: two frames a token, neither integration nor prompt.
_PLAIN = {
  **{"tubelet": (3, 2), "average_first": True},
  **{"integration_depth": 0, "prompt_depth": 0},
}


def test_without_integration_and_prompt_its_towers_are_compared():
  model = _model(models.OPERATORS["adaptive_branch"], **_PLAIN)
  clip = make_clip(4)
  shapes = jax.eval_shape(model.init, KEY, clip)
  assert shapes["params"].keys() == {"visual", "text", "log_scale"}
  leaves = tiny_networks.draw(tiny_networks.flat(shapes))
  params = tiny_networks.nested(leaves)["params"]
  stats = tiny_networks.nested(leaves)["batch_stats"]
  params["log_scale"] = np.float32(2.0)
  logits, aux = _apply(model)({"params": params, "batch_stats": stats}, clip, TEXTS)
  assert aux["tokens"].shape[1] == 2
  tower = models.VisionTransformer(
    num_classes=None,
    **{name: SIZES[name] for name in ("patch_size", "width", "depth", "grid")},
    **{name: _PLAIN[name] for name in ("tubelet", "average_first")},
    num_heads=SIZES["num_heads"],
    activation="quick_gelu",
    epsilon=1e-5,
    patch_bias=False,
    pre_norm=True,
    projection=SIZES["projection"],
    temporal=models.OPERATORS["adaptive_branch"],
  )
  own = {"params": params["visual"], "batch_stats": stats["visual"]}
  features, _ = _apply(tower)(own, clip)
  np.testing.assert_allclose(aux["features"], features, rtol=1e-5, atol=1e-5)
  texts = np.asarray(aux["text_features"])
  cosines = np.asarray(features) @ texts.T
  cosines /= np.linalg.norm(features, axis=1)[:, None] * np.linalg.norm(texts, axis=1)
  np.testing.assert_allclose(logits, np.exp(2.0) * cosines, rtol=1e-4, atol=1e-5)


def test_positions_are_those_of_the_tubelets():
  names = {"num_frames": 16, "image_size": None}
  assert _model(tubelet=(3, 2)).arguments_for(**names) == {"num_frames": 8}
  assert _model(**_PLAIN).arguments_for(**names) == {}


def test_bfloat16_is_close():
  model, half = _model(), _model(dtype=jnp.bfloat16)
  _, want = _apply(model)(_drawn(model), make_clip(), TEXTS)
  logits, got = _apply(half)(_drawn(model), make_clip(), TEXTS)
  assert logits.dtype == jnp.float32
  for name in ("features", "text_features"):
    error = np.linalg.norm(got[name] - want[name])
    assert error < 3e-2 * np.linalg.norm(want[name]), name


def test_refuses_what_does_not_fit():
  with pytest.raises(ValueError, match="head must be one of"):
    _model(head="cosine")
  with pytest.raises(ValueError, match="needs num_classes"):
    _model(head="linear")
  with pytest.raises(ValueError, match="integration_depth must be 0, got 1"):
    _model(average_first=True)
  model = _model()
  call = functools.partial(jax.eval_shape, model.apply, _drawn(model), make_clip())
  with pytest.raises(ValueError, match="needs texts"):
    call()
  with pytest.raises(ValueError, match="integer tokens"):
    call(np.zeros((3, 8), np.float32))
  linear = _model(head="linear", num_classes=3)
  with pytest.raises(ValueError, match="reads no texts"):
    linear.apply(_drawn(linear), TEXTS, method="encode_text")


@pytest.mark.parametrize(
  ("name", "num_frames", "count"),
  [
    ("ila_vit_b32", 16, 201_601_073),
    pytest.param("ila_vit_b16", 16, 199_944_497, marks=pytest.mark.slow),
    ("xclip_b32", 8, 196_585_729),
    # CLIP's 149,620,737 and what `tadaformer_b16` has beside its image tower.
    ("tadaformer_b16_text", 16, 167_709_441),
  ],
)
def test_parameters(name, num_frames, count):
  """As many as the authors' have; test_figures counts ILA's of 8 frames."""
  model = temporal_jax.create_model(name, num_classes=400, num_frames=num_frames)
  _, *size = models.find_model(name).clip_shape
  clip = jax.ShapeDtypeStruct((1, num_frames, *size, 3), jnp.float32)
  shapes = jax.eval_shape(model.init, KEY, clip)
  leaves = jax.tree.leaves(shapes["params"])
  assert sum(math.prod(leaf.shape) for leaf in leaves) == count
