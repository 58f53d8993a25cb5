"""Small networks to draw maps of, and clips for them."""

import re
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.inference import SavedModel
from temporal_jax.models import create_model

SHAPE = (4, 16, 16, 3)
VIT = {
  "patch_size": 4,
  "width": 16,
  "num_heads": 2,
  "projection": None,
}
RESNET = {"width": 8, "stage_sizes": (1,)}


def make_clip(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
  """Returns a clip of noise."""
  rng = np.random.default_rng(seed)
  return rng.integers(0, 256, shape, dtype=np.uint8)


def make_saved(network: nn.Module) -> SavedModel:
  """Returns a network with random variables, none of them zero."""
  clip = jnp.zeros((1, *SHAPE))
  shapes = jax.eval_shape(network.init, jax.random.key(0), clip)
  rng = np.random.default_rng(1)
  variables = jax.tree_util.tree_map_with_path(
    lambda path, leaf: _draw(path[-1].key, leaf.shape, rng), shapes
  )
  frames, side, *_ = SHAPE
  return SavedModel(
    "tiny",
    network,
    variables,
    SHAPE,
    ("falling", "waving", "walking"),
    {"mean": [0.5] * 3, "std": [0.25] * 3},
    EvalProtocol(num_frames=frames, crop_size=side, short_side=side),
    {"num_classes": 3},
  )


def make_named(name: str, **overrides) -> SavedModel:
  """Returns a small network of the catalog with random variables."""
  network = create_model(name, num_classes=3, image_size=16, **overrides)
  return make_saved(network)


def _draw(name: str, shape: tuple[int, ...], rng: np.random.Generator):
  """Returns random values of a leaf; norms stay near the identity."""
  if name == "var":
    return jnp.ones(shape)
  values = rng.standard_normal(shape, np.float32) / np.float32(3)
  return jnp.asarray(1 + values / 4 if name == "scale" else values)


def run_captured(
  saved: SavedModel,
  clip: np.ndarray,
  pattern: str,
  function: Callable[..., Any],
) -> tuple[dict[str, list], Any]:
  """Compiles a function of (variables, clip) together with the network.

  Args:
    saved: The network.
    clip: (T, H, W, 3) uint8.
    pattern: Pattern of names of modules.
    function: Function under test.

  Returns:
    What these modules return, by their names, as flax itself keeps it, and the
    result of `function`.
  """
  pixels = (clip[None] / np.float32(255) - np.float32(0.5)) / np.float32(0.25)

  def wanted(module, method):
    name = "/".join(module.path)
    return method == "__call__" and re.fullmatch(pattern, name) is not None

  @jax.jit
  def run(variables, pixels, clip):
    _, kept = saved.network.apply(
      variables, pixels, capture_intermediates=wanted, mutable=["intermediates"]
    )
    return kept["intermediates"], function(variables, clip)

  kept, result = run(saved.variables, pixels, clip)
  found = {}
  for path, value in jax.tree_util.tree_leaves_with_path(
    kept, is_leaf=lambda node: isinstance(node, tuple)
  ):
    *names, _ = (key.key for key in path)
    found["/".join(names)] = list(value)
  return found, result
