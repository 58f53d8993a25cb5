"""The catalog's networks over time and space: their weights and their use."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import temporal_jax
from convert_weights import convert, resnet3d, revert
from temporal_jax import models
from temporal_jax.models.rows import video_resnets

# Parameters with 400 classes: those of the authors' code.
PLAIN = {
  "slowonly_50": 32_454_096,
  "slowfast_50_4x16": 34_480_216,
  "slowfast_50_8x8": 34_566_488,
  "r2plus1d_10": 14_570_677,
  "r2plus1d_18": 33_383_797,
  "r2plus1d_50": 28_126_495,
  "r2d3d_18": 14_160_336,
  "r3d_18": 33_371_472,
}
# In millions, those of arXiv:2110.06178, table 3.
PAPER = {
  "slowonly_50_tada": 35.6,
  "slowfast_50_4x16_tada": 37.7,
  "slowfast_50_8x8_tada": 37.7,
  "r2plus1d_50_tada": 31.2,
  "r2plus1d_50_tada1d": 34.4,
  "r3d_50": 47.0,
  "r3d_50_tada": 50.1,
}
TINY = {
  "stage_sizes": (1, 1),
  "stem_width": 8,
  "widths": (8, 16),
  "num_classes": 5,
}


def _shapes(model, shape):
  clip = jax.ShapeDtypeStruct(shape, jnp.float32)
  return jax.eval_shape(model.init, jax.random.key(0), clip)


def _count(name):
  model = temporal_jax.create_model(name, num_classes=400)
  shapes = _shapes(model, (1, *models.find_model(name).clip_shape, 3))
  return sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))


def _tiny(name, **kwargs):
  if "slowfast" in name:
    kwargs = {"beta": 2, **kwargs}
  return temporal_jax.create_model(name, **TINY, **kwargs)


def _clip(frames=4, size=(20, 18)):
  rng = np.random.default_rng(0)
  return rng.standard_normal((2, frames, *size, 3), np.float32)


def test_no_row_is_missing():
  assert PLAIN.keys() | PAPER.keys() == video_resnets.ROWS.keys()


@pytest.mark.parametrize("name", PLAIN)
def test_has_the_authors_parameters(name):
  assert _count(name) == PLAIN[name]


@pytest.mark.parametrize("name", PAPER)
def test_has_the_papers_parameters(name):
  # The paper's R(2+1)D has 31.2 M in one table and 31.3 M in another.
  assert abs(_count(name) / 1e6 - PAPER[name]) < 0.1


@pytest.mark.parametrize(
  ("name", "width"),
  [("r2plus1d_10", 16), ("r3d_50", 64), ("slowfast_50_8x8", 96)],
)
def test_contract(name, width):
  model = _tiny(name)
  apply = model.init_with_output
  (logits, aux), _ = jax.eval_shape(apply, jax.random.key(0), _clip())
  assert logits.shape == (2, 5)
  assert logits.dtype == jnp.float32
  assert aux["features"].shape == (2, width)


def test_late_taps_see_the_order_of_frames():
  model = _tiny("slowonly_50", first_taps=(1, 3))
  clip = _clip()
  variables = jax.jit(model.init)(jax.random.key(0), clip)
  variables = jax.tree.map(lambda leaf: leaf + 0.03, variables)
  apply = jax.jit(model.apply)
  forward, _ = apply(variables, clip)
  backward, _ = apply(variables, clip[:, ::-1])
  assert not np.allclose(forward, backward, atol=1e-5)


def test_slow_frames_are_every_alpha_th():
  model, clip = _tiny("slowfast_50_8x8"), _clip(9)
  variables = jax.jit(model.init)(jax.random.key(0), clip)
  apply = jax.jit(model.apply)
  got, _ = apply(variables, clip)
  want, _ = apply(variables, clip, slow=clip[:, ::4])
  np.testing.assert_allclose(got, want, atol=1e-5)
  other, _ = apply(variables, clip, slow=clip[:, 6:])
  assert not np.allclose(got, other, atol=1e-5)
  with pytest.raises(ValueError, match="slow must be"):
    model.apply(variables, clip, slow=clip)


def test_computes_in_bfloat16():
  model = _tiny("r2plus1d_50_tada1d", dtype=jnp.bfloat16)
  clip = jax.ShapeDtypeStruct((1, 4, 16, 16, 3), jnp.float32)
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  logits, aux = jax.eval_shape(model.apply, variables, clip)
  assert logits.dtype == aux["features"].dtype == jnp.float32
  assert {x.dtype for x in jax.tree.leaves(variables)} == {jnp.dtype("float32")}


@pytest.mark.parametrize(
  ("name", "rules"),
  [
    (
      "slowonly_50",
      resnet3d.resnet3d("bottleneck", theirs="slow_", first_taps=(1, 1, 3, 3)),
    ),
    (
      "slowfast_50_8x8",
      resnet3d.slowfast(
        "bottleneck",
        stem_taps=(1, 5),
        first_taps=((1, 1, 3, 3), (3, 3, 3, 3)),
        lateral_taps=7,
      ),
    ),
    ("r2plus1d_18", resnet3d.resnet3d("basic", taps=(3,) * 5, parted=True)),
    ("r3d_50", resnet3d.resnet3d("bottleneck", taps=(3,) * 5)),
  ],
)
def test_weights_go_out_and_come_back(name, rules):
  model = temporal_jax.create_model(name, num_classes=400)
  shapes = _shapes(model, (1, *models.find_model(name).clip_shape, 3))
  target = jax.tree.map(
    lambda leaf: np.broadcast_to(np.float32(0), leaf.shape), shapes
  )
  tensors = revert(rules, target)
  again = convert(rules, tensors, shapes)
  assert jax.tree.map(np.shape, again) == jax.tree.map(np.shape, target)


@pytest.mark.parametrize(
  ("name", "kwargs", "match"),
  [
    ("r3d_50", {"block": "dense"}, "block must be in"),
    ("slowonly_50", {"block": "basic"}, "no first_taps"),
    ("r3d_50", {"taps": (3, 3)}, "taps must have 3 numbers"),
    ("r3d_50", {"temporal": "adaptive_space_and_time"}, "temporal_convolution"),
    ("slowfast_50_8x8", {"beta": 3}, "beta 3 must divide"),
  ],
)
def test_refuses_what_does_not_fit(name, kwargs, match):
  with pytest.raises(ValueError, match=match):
    _tiny(name, **kwargs)
