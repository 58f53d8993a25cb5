import functools

import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import create_model, models
from temporal_jax.models.catalog import space_time

_B32 = 87_849_216 + 512 * 400 + 400  # OpenAI's tower without text; classifier.
_QKVO = 4 * (768 * 768 + 768)
_BRANCH = 12 * (2 * 768 + _QKVO + 768 * 768 + 768)  # Norm, attention, out.
_MOMENTS = 8 * 768

# Name, arguments, parameters of the published network. X-ViT's with attention
# hold a classifier as well, which they do not call; it is left out.
PUBLISHED = [
  ("xvit_b16", {"num_classes": 400}, 94_098_464 - 307_600),
  ("xvit_b16", {"num_classes": 400, "head": "average"}, 86_112_400),
  ("xvit_b16_kinetics", {"num_classes": 400}, 94_098_464 - 307_600),
  ("xvit_b16_ssv2", {"num_classes": 174}, 93_750_876 - 133_806),
  ("tsm_vit_b16", {"num_classes": 400}, 86_112_400 - _MOMENTS),
  ("tadaformer_b16", {"num_classes": 400}, 104_195_728),
  (
    "tadaformer_b16",
    {"num_classes": 174, "temporal": "adaptive_branches"},
    135_086_766,
  ),
  # A bias of the patches, and no norm before the blocks.
  ("tadaformer_b16_imagenet", {"num_classes": 400}, 104_195_728 + 768 - 2 * 768),
  ("tadaformer_l14", {"num_classes": 400}, 364_827_024),
  (
    "tadaformer_l14",
    {"num_classes": 174, "temporal": "adaptive_branches"},
    474_960_046,
  ),
  ("vit_b32_spatial", {"num_classes": 400}, _B32),
  ("vit_b32_joint", {"num_classes": 400}, _B32 + _MOMENTS),
  ("vit_b32_divided", {"num_classes": 400}, _B32 + _MOMENTS + _BRANCH),
  ("vit_b32_ata", {"num_classes": 400}, _B32 + _MOMENTS + _BRANCH),
]
# So small, TAdaFormers of both sizes are the same; one form of them is enough.
ROWS = pytest.mark.parametrize(
  "name",
  [
    name
    for name in space_time.ENTRIES
    if name not in ("tadaformer_l14", "tadaformer_b16_imagenet")
  ],
)


@functools.cache
def _shapes(name, kwargs):
  """Variables of a row; the clip does not decide which there are."""
  model = create_model(name, **dict(kwargs))
  clip = jax.ShapeDtypeStruct((1, 8, 224, 224, 3), jnp.float32)
  return jax.eval_shape(model.init, jax.random.key(0), clip)


def _small(name, **kwargs):
  """A row with one block of 256 channels: one head in a route function."""
  small = {"width": 256, "depth": 1, "num_heads": 4, "patch_size": 4, "grid": 2}
  return create_model(name, num_classes=5, **{**small, **kwargs})


def _clip(frames=4, height=8, width=8):
  rng = np.random.default_rng(0)
  return rng.standard_normal((2, frames, height, width, 3), np.float32)


def _init(model, clip):
  """Variables that are nowhere zero, so that no branch is shut."""
  shapes = jax.eval_shape(model.init, jax.random.key(0), clip)
  rng = np.random.default_rng(1)

  def draw(path, leaf):
    centre = 1 if path[-1].key in ("scale", "var") else 0
    return centre + 0.1 * rng.standard_normal(leaf.shape, np.float32)

  return jax.tree_util.tree_map_with_path(draw, shapes)


def test_every_row_is_counted():
  assert {name for name, *_ in PUBLISHED} == set(space_time.ENTRIES)


@pytest.mark.parametrize(
  ("name", "kwargs", "count"),
  [
    pytest.param(*row, marks=[pytest.mark.slow] if "l14" in row[0] else [])
    for row in PUBLISHED
  ],
)
def test_has_the_published_parameters(name, kwargs, count):
  params = _shapes(name, tuple(kwargs.items()))["params"]
  assert sum(leaf.size for leaf in jax.tree.leaves(params)) == count


@pytest.mark.parametrize("name", ["xvit_b16", "tadaformer_b16"])
def test_differentiates(name):
  """Its head on the frames, or its tubelets; operators: test_grid.py."""
  model, clip = _small(name), _clip()
  variables = _init(model, clip)

  def loss(params):
    logits, _ = model.apply({**variables, "params": params}, clip)
    return jnp.sum(logits**2)

  gradients = trees.flatten_dict(jax.jit(jax.grad(loss))(variables["params"]))
  dead = [p for p, g in gradients.items() if not np.abs(g).max() > 0]
  assert all(np.isfinite(g).all() for g in gradients.values())
  assert not dead


@ROWS
def test_one_frame_and_other_sizes(name):
  model = _small(name)
  variables = _init(model, _clip())
  logits, _ = jax.eval_shape(model.apply, variables, _clip(frames=1))
  assert logits.shape == (2, 5)
  frames = 16 if name == "xvit_b16_kinetics" else 11  # It mixes eight frames.
  logits, _ = jax.eval_shape(model.apply, variables, _clip(frames, 12, 12))
  assert logits.shape == (2, 5)
  oblong = _clip(3, 8, 12)
  if name.startswith("tadaformer"):
    with pytest.raises(ValueError, match="a square grid of patches"):
      jax.eval_shape(model.apply, variables, oblong)
  else:
    logits, _ = jax.eval_shape(model.apply, variables, oblong)
    assert logits.shape == (2, 5)


def test_eight_frames_mix_among_themselves():
  model = _small("xvit_b16", temporal="mixing_eight", head="average")
  clip = _clip(16)
  variables = _init(model, clip)
  apply = jax.jit(model.apply)
  halves = [
    apply(variables, half)[1]["frame_features"] for half in (clip[:, :8], clip[:, 8:])
  ]
  whole = apply(variables, clip)[1]["frame_features"]
  np.testing.assert_allclose(
    whole, np.concatenate(halves, axis=1), rtol=1e-4, atol=1e-4
  )


def test_segments_must_divide_the_clip():
  shift = models.OPERATORS["mixing_eight"].keys_values
  with pytest.raises(ValueError, match="segments of 8 do not divide"):
    shift().apply({}, np.zeros((1, 12, 4, 8), np.float32))
