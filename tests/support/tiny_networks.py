"""Small networks of every class, for tests of what all have in common."""

import zlib

import flax.traverse_util as trees
import jax
import numpy as np

import temporal_jax
from temporal_jax import models

_RESIDUAL = {"stem_width": 8, "widths": (8,), "stage_sizes": (1,)}
_TOWER = {"patch_size": 2, "width": 64, "depth": 1, "num_heads": 1, "grid": 4}
# Row of the catalog that has the class, and arguments.
NETWORKS = {
  "resnet_basic": ("resnet18", {"width": 8, "stage_sizes": (1,)}),
  "resnet_bottleneck": ("resnet50", {"width": 8, "stage_sizes": (1,)}),
  "big_little": ("blvnet_50", {"width": 8, "stage_sizes": (2, 2, 2, 1)}),
  "convnext": (
    "convnext_tiny",
    {"widths": (8,), "stage_sizes": (1,), "layer_scale": 1.0},
  ),
  "transformer": ("tsm_vit_b16", _TOWER),
  "resnet3d": ("r3d_50", {**_RESIDUAL, "block": "basic"}),
  "resnet3d_factorised": ("r2plus1d_50", {**_RESIDUAL, "block": "basic"}),
  "slowfast": (
    "slowfast_50_8x8",
    {**_RESIDUAL, "stem_width": 32, "widths": (32,), "alpha": 2, "beta": 2},
  ),
  "video_text": (
    "xclip_b32",
    {**_TOWER, "projection": 64, "head": "linear"},
  ),
}


def build(name, temporal=None, **kwargs):
  """A network of 3 classes, plain unless told otherwise."""
  row, arguments = NETWORKS[name]
  if "image_size" in kwargs:
    arguments = {k: v for k, v in arguments.items() if k != "grid"}
  return temporal_jax.create_model(
    row, num_classes=3, temporal=temporal, **{**arguments, **kwargs}
  )


def by_class():
  """Name of a class -> arguments that make its networks small."""
  return {
    models.MODELS[row].module.__name__: arguments
    for row, arguments in NETWORKS.values()
  }


def clip(frames=4, rows=8, columns=8, batch=1):
  rng = np.random.default_rng(0)
  return rng.standard_normal((batch, frames, rows, columns, 3), np.float32)


def shapes(model, clips):
  """The variables' shapes, without computing anything."""
  return jax.eval_shape(model.init, jax.random.key(0), clips)


def flat(variables):
  """Leaves by path."""
  return trees.flatten_dict(variables)


def nested(leaves):
  """Undoes `flat`."""
  return trees.unflatten_dict(leaves)


def draw(leaves):
  """Values that are nowhere zero, the same for a path in every network."""

  def value(path, shape):
    rng = np.random.default_rng(zlib.crc32("/".join(path).encode()))
    centre = 1 if path[-1] in ("scale", "var") else 0
    spread = np.prod(shape[:-1]) ** -0.5 if len(shape) > 1 else 0.2
    return (centre + spread * rng.standard_normal(shape)).astype(np.float32)

  return {path: value(path, leaf.shape) for path, leaf in leaves.items()}
