"""Small networks to draw maps of, and clips for them."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.data.protocol import EvalProtocol
from temporal_jax.inference import SavedModel
from temporal_jax.models import create_model

SHAPE = (4, 16, 16, 3)
VIT = {
  "patch_size": 4,
  "width": 16,
  "depth": 2,
  "num_heads": 2,
  "projection": None,
}
RESNET = {"width": 8, "stage_sizes": (1,)}


def make_clip(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
  """Returns a clip of noise."""
  rng = np.random.default_rng(seed)
  return rng.integers(0, 256, shape, dtype=np.uint8)


def make_saved(network: nn.Module, *, noise: float = 0.2, **inputs):
  """Returns a network with random variables, none of them zero with noise."""
  clip = jnp.zeros((1, *SHAPE))
  variables = jax.jit(network.init)(jax.random.key(0), clip, **inputs)
  leaves, tree = jax.tree.flatten(variables["params"])
  rng = np.random.default_rng(1)
  params = [
    leaf + noise * rng.standard_normal(leaf.shape, np.float32)
    for leaf in leaves
  ]
  variables = {**variables, "params": jax.tree.unflatten(tree, params)}
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


def make_named(name: str, *, noise: float = 0.2, **overrides) -> SavedModel:
  """Returns a small network of the catalog with random variables."""
  network = create_model(name, num_classes=3, image_size=16, **overrides)
  return make_saved(network, noise=noise)


def captured(saved: SavedModel, clip: np.ndarray) -> dict[str, list]:
  """Returns what modules return, by their names, as flax itself keeps it."""
  pixels = (clip[None] / np.float32(255) - np.float32(0.5)) / np.float32(0.25)

  @jax.jit
  def run(variables, pixels):
    _, kept = saved.network.apply(
      variables, pixels, capture_intermediates=True, mutable=["intermediates"]
    )
    return kept["intermediates"]

  found = {}
  kept = run(saved.variables, pixels)
  for path, value in jax.tree_util.tree_leaves_with_path(
    kept, is_leaf=lambda node: isinstance(node, tuple)
  ):
    *names, _ = (key.key for key in path)
    found["/".join(names)] = list(value)
  return found
