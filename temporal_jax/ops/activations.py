"""Activation functions that jax.nn lacks."""

import jax


def quick_gelu(x: jax.Array) -> jax.Array:
  """Returns x sigmoid(1.702 x), CLIP's approximation of GELU, of any shape.

  Source: class `QuickGELU` in clip/model.py of openai/CLIP.
  """
  return x * jax.nn.sigmoid(1.702 * x)
