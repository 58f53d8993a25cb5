"""The catalog's networks over time and space, as small as they can be."""

import jax
import numpy as np

import temporal_jax

TINY = {
  "stage_sizes": (1, 1),
  "stem_width": 8,
  "widths": (8, 16),
  "num_classes": 5,
}


def build(name, **kwargs):
  """Returns the row's network with two blocks; its operator stays."""
  if "slowfast" in name:
    kwargs = {"beta": 2, **kwargs}
  return temporal_jax.create_model(name, **TINY, **kwargs)


def make_clip(frames=4, size=(20, 18)):
  """Returns two clips of noise."""
  rng = np.random.default_rng(0)
  return rng.standard_normal((2, frames, *size, 3), np.float32)


def draw(model, clip):
  """Returns variables that are nowhere zero, so that no branch is shut."""
  rng = np.random.default_rng(1)

  def uniform(leaf):
    low, high = (0.5, 1.0) if leaf.ndim == 1 else (-0.2, 0.2)
    return rng.uniform(low, high, leaf.shape).astype(np.float32)

  shapes = jax.eval_shape(model.init, jax.random.key(0), clip)
  return jax.tree.map(uniform, shapes)
