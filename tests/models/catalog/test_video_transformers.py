import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import create_model, models
from temporal_jax.models.catalog import video_transformers

# Sums of the layers, by hand: ViT-B/16 without its classifier has 85,798,656
# (Dosovitskiy et al. 2020), and timm's vit_base_patch16_224 with 1000 classes
# 86,567,656.
_VIT = 86_567_656 - 769 * 1000
_HEAD = 769 * 400
_QKVO = 4 * (768 * 768 + 768)
_BRANCH = 12 * (2 * 768 + _QKVO + 768 * 768 + 768)  # Norm, attention, out.


def _block(width, hidden, *, key_bias=True):
  biases = (3 if key_bias else 2) * width + width
  mlp = 2 * width * hidden + hidden + width
  return 4 * width**2 + biases + mlp + 4 * width


def _videomae(width, depth, hidden=None, patch=16):
  block = _block(width, hidden or 4 * width, key_bias=False)
  embedding = 3 * 2 * patch**2 * width + width
  return embedding + depth * block + 2 * width + (width + 1) * 400


def _vjepa2(width, depth, hidden=None):
  """With three blocks and a query, without a last projection, as pooling."""
  hidden = hidden or 4 * width
  embedding = 3 * 2 * 16**2 * width + width
  query = _block(width, 4 * width) - (width**2 + width) + width
  pooling = 3 * _block(width, 4 * width) + query
  encoder = embedding + depth * _block(width, hidden) + 2 * width
  return encoder + pooling + (width + 1) * 400


def _vivit(width, depth, temporal_depth):
  """With an encoder over 16 tubelets; joint if that has no blocks."""
  embedding = 3 * 2 * 16**2 * width + width
  block, norm = _block(width, 4 * width), 2 * width
  counted = embedding + depth * block + norm + (width + 1) * 400 + width
  if not temporal_depth:
    return counted + (1 + 16 * 196) * width
  return counted + 197 * width + temporal_depth * block + norm + (1 + 17) * width


_VJEPA2_L, _VJEPA2_G = _vjepa2(1024, 24), _vjepa2(1408, 40, hidden=6144)
COUNTS = {
  "timesformer_b16": _VIT + _HEAD + 8 * 768 + _BRANCH,
  "timesformer_b16_448": _VIT + _HEAD + 16 * 768 + (28**2 - 14**2) * 768 + _BRANCH,
  "timesformer_b16_96f": _VIT + _HEAD + 96 * 768 + _BRANCH,
  "timesformer_b16_joint": _VIT + _HEAD + 8 * 768,
  "timesformer_b16_space": _VIT + _HEAD,
  "videomae_s16": _videomae(384, 12),
  "videomae_b16": _videomae(768, 12),
  "videomae_l16": _videomae(1024, 24),
  "videomae_h16": _videomae(1280, 32),
  "videomaev2_g14": _videomae(1408, 40, hidden=6144, patch=14),
  "vivit_b16x2": _vivit(768, 12, 0),
  "vivit_b16x2_factorised": _vivit(768, 12, 4),
  "vivit_l16x2_factorised": _vivit(1024, 24, 24),
  **dict.fromkeys(("vjepa2_l16", "vjepa2_l16_16f", "vjepa2_l16_32f"), _VJEPA2_L),
  "vjepa2_h16": _vjepa2(1280, 32),
  **dict.fromkeys(("vjepa2_g16", "vjepa2_g16_384", "vjepa2_g16_384_32f"), _VJEPA2_G),
}
_LARGE = ("l16", "h16", "g14", "g16", "448", "96f")


def test_every_row_is_counted():
  assert COUNTS.keys() == video_transformers.ENTRIES.keys()


@pytest.mark.parametrize(
  "name",
  [
    pytest.param(name, marks=[pytest.mark.slow] * any(part in name for part in _LARGE))
    for name in COUNTS
  ],
)
def test_has_the_parameters_of_its_layers(name):
  entry = video_transformers.ENTRIES[name]
  network = create_model(name, num_classes=400)
  clip = jax.ShapeDtypeStruct((1, *entry.clip_shape, 3), jnp.float32)
  logits, variables = jax.eval_shape(network.init_with_output, jax.random.key(0), clip)
  assert logits[0].shape == (1, 400)
  leaves = jax.tree.leaves(variables["params"])
  assert sum(leaf.size for leaf in leaves) == COUNTS[name]


def _small(name, **kwargs):
  sizes = {"width": 16, "depth": 2, "num_heads": 2, "patch_size": 4, "grid": 2}
  return create_model(name, num_classes=3, **{**sizes, **kwargs})


def _clip(frames=8, height=8, width=8):
  rng = np.random.default_rng(0)
  return rng.standard_normal((2, frames, height, width, 3), np.float32)


@pytest.mark.parametrize("name", ["timesformer_b16", "timesformer_b16_joint"])
def test_all_frames_have_the_same_class_token(name):
  model = _small(name)
  variables = jax.jit(model.init)(jax.random.key(0), _clip())
  rng = np.random.default_rng(1)
  variables = jax.tree.map(
    lambda x: x + 0.1 * rng.standard_normal(x.shape, np.float32), variables
  )
  _, aux = jax.jit(model.apply)(variables, _clip())
  tokens = aux["tokens"][:, :, 0]
  np.testing.assert_allclose(tokens, tokens[:, :1].repeat(8, 1), rtol=1e-4, atol=1e-5)
  assert np.abs(tokens[0] - tokens[1]).max() > 1e-3


def _fits(operator):
  """Whether an operator has its slots in a vision transformer."""
  slots = models.operators.resolve(operator, _small("timesformer_b16")).filled()
  return slots <= set(models.VisionTransformer.SLOTS)


@pytest.mark.parametrize("name", COUNTS)
def test_clips_of_other_sizes(name):
  model = _small(name)
  shapes = jax.eval_shape(model.init, jax.random.key(0), _clip())
  for clip in (_clip(4), _clip(7, 12, 8)):
    logits, _ = jax.eval_shape(model.apply, shapes, clip)
    assert logits.shape == (2, 3)


@pytest.mark.parametrize("name", ["timesformer_b16", "videomae_b16", "vjepa2_l16"])
@pytest.mark.parametrize(
  "operator",
  [name for name in models.OPERATORS if _fits(name) and not name.startswith("causal")],
)
def test_operators_of_tokens_fit_their_backbones(name, operator):
  model = _small(name, temporal=operator, width=256, num_heads=4)
  clip = jax.ShapeDtypeStruct((1, 8, 16, 16, 3), jnp.float32)
  logits, _ = jax.eval_shape(model.init_with_output, jax.random.key(0), clip)
  assert logits[0].shape == (1, 3)


def test_only_frames_by_themselves_are_framewise():
  framewise = {
    name for name in COUNTS if create_model(name, num_classes=3).is_framewise()
  }
  assert framewise == set()  # Space-only attention norms the frames' average.
  model = create_model("timesformer_b16_space", num_classes=3, average_first=False)
  assert model.is_framewise()
