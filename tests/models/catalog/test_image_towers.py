"""Published files of CLIP and EVA-02-CLIP, told by a digest."""

import functools
import hashlib

import jax
import jax.numpy as jnp
import pytest

import temporal_jax
from convert_weights.apply import revert_rules
from convert_weights.formats import clip, eva, timm

# Published file, row, arguments, rules; parameters, and a digest of the names
# and shapes of the file's tensors.
PUBLISHED = [
  ("image_clip_vit_b32", "vit_b32", {}, "clip", 87849216, "080479b06d08eabd"),
  ("image_clip_vit_b16", "vit_b16", {}, "clip", 86192640, "1a9dea715e298cbb"),
  ("image_clip_vit_l14", "vit_l14", {}, "clip", 303966208, "6cde3069810d8ac2"),
  (
    "image_clip_vit_l14_336",
    "vit_l14_336",
    {},
    "clip",
    304293888,
    "2393168a712ae63b",
  ),
  (
    "image_timm_vit_b16_in21k",
    "vit_b16_in21k",
    {},
    "timm",
    103186515,
    "4201b0dec08ed347",
  ),
  ("image_eva02_clip_l14", "eva_l14", {}, "eva", 304105152, "0bbae50327a60633"),
  (
    "image_eva02_clip_l14_336",
    "eva_l14_336",
    {},
    "eva",
    304432832,
    "0cb94be1781badcb",
  ),
  (
    "image_eva02_clip_b16",
    "eva_b16",
    {},
    "eva",
    86263040,
    "815be055d7a286ae",
  ),
]
RULES = {
  "clip": clip.vision_transformer(),
  "timm": timm.vision_transformer(),
  "eva": eva.vision_transformer(),
}
CLASSES = {"clip": None, "timm": 21843, "eva": None}


@functools.cache
def _shapes(row, num_classes, arguments):
  """The row's variables, as shapes, for a clip of a single frame."""
  model = temporal_jax.create_model(row, num_classes=num_classes, **dict(arguments))
  side = model.patch_size * model.grid
  clip = jax.ShapeDtypeStruct((1, 1, side, side, 3), jnp.float32)
  return jax.eval_shape(model.init, jax.random.key(0), clip)


@pytest.mark.parametrize(
  ("published", "row", "arguments", "family", "count", "digest"),
  [
    # The larger ones take many seconds to trace.
    pytest.param(*row, id=row[0], marks=[pytest.mark.slow] if "l14" in row[0] else [])
    for row in PUBLISHED
  ],
)
def test_is_what_was_published(published, row, arguments, family, count, digest):
  del published
  target = _shapes(row, CLASSES[family], tuple(arguments.items()))
  leaves = jax.tree.leaves(target["params"])
  assert sum(leaf.size for leaf in leaves) == count
  tensors = jax.eval_shape(functools.partial(revert_rules, RULES[family]), target)
  assert _digest(tensors) == digest


def _digest(tensors):
  """Returns a digest that changes with any tensor's name or shape."""
  lines = sorted(f"{name} {value.shape}" for name, value in tensors.items())
  return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
