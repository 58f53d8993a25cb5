"""Small networks of every family, as they lie in a directory."""

import jax.numpy as jnp
import numpy as np

import temporal_jax
from temporal_jax import inference
from tests.support import tiny_networks

_RESNET = {"width": 8, "stage_sizes": (1,)}
_3D = {"stage_sizes": (1, 1), "stem_width": 8, "widths": (8, 16)}
_TOWER = {"patch_size": 4, "width": 64, "depth": 2, "num_heads": 2, "grid": 4}
_TEXT = {
  **_TOWER,
  "projection": 64,
  "text_width": 16,
  "text_depth": 1,
  "text_heads": 2,
  "context": 8,
  "prompt_depth": 1,
}
# Row of the catalog, arguments.
FAMILIES = {
  "resnet": ("resnet18", _RESNET),
  "shift": ("tsm_resnet50", _RESNET),
  "aggregation": ("aggregation_resnet50", _RESNET),
  "tada2d": ("tada2d_resnet50", _RESNET),
  "arithmetic": ("atm_resnet18", {"width": 8, "stage_sizes": (1, 1, 1)}),
  "big_little": ("blvnet_tam_50", {"width": 8, "stage_sizes": (2, 2, 2, 1)}),
  "convnext": ("tadaconvnext_tiny", {"widths": (8,), "stage_sizes": (1,)}),
  "convnextv2": ("tadaconvnextv2_tiny", {"widths": (8,), "stage_sizes": (1,)}),
  "vit": ("vit_b16", _TOWER),
  "xvit": ("xvit_b16", _TOWER),
  "atm_vit": ("atm_vit_b16", _TOWER),
  "eva": ("eva_b16", _TOWER),
  "tadaformer": ("tadaformer_b16", {**_TOWER, "width": 256}),
  "joint": ("vit_b32_joint", _TOWER),
  "divided": ("vit_b32_divided", _TOWER),
  "ata": ("vit_b32_ata", _TOWER),
  "vjepa2": ("vjepa2_l16", _TOWER),
  "xclip": ("xclip_b32", {**_TEXT, "head": "linear"}),
  "ila": ("ila_vit_b16", _TEXT),
  "slowonly": ("slowonly_50", _3D),
  "r2plus1d": ("r2plus1d_50_tada1d", _3D),
  "slowfast": ("slowfast_50_4x16", {**_3D, "beta": 2}),
}
CLIP_SHAPE = (8, 16, 16, 3)
CLASS_NAMES = ("falling", "waving", "a | b")


def describe(family, **changes):
  """Fields of model.json of a network of three classes."""
  name, overrides = FAMILIES[family]
  return {
    "model": name,
    "overrides": dict(overrides),
    "num_classes": 3,
    "clip_shape": list(CLIP_SHAPE),
    "class_names": list(CLASS_NAMES),
    "pixels": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]},
    **changes,
  }


def draw(description):
  """Variables of a network that are nowhere zero."""
  model = temporal_jax.create_model(
    description["model"],
    num_classes=description["num_classes"],
    **description["overrides"],
  )
  clips = jnp.zeros((1, *description["clip_shape"]))
  return tiny_networks.nested(
    tiny_networks.draw(tiny_networks.flat(tiny_networks.shapes(model, clips)))
  )


def load(directory, family, **changes):
  """Writes such a network and reads it again."""
  description = describe(family, **changes)
  inference.save_model(directory, draw(description), description)
  return inference.load_model(directory, dtype="float32")


def make_clips(number):
  """Clips of noise."""
  shape = (number, *CLIP_SHAPE)
  return np.random.default_rng(1).integers(0, 256, shape, np.uint8)
