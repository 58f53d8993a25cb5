"""A saved network that is small enough to run in no time."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

import temporal_jax
from temporal_jax import inference
from temporal_jax.data.protocol import EvalProtocol

NAMES = ("falling", "waving", "riding a bike")


def save_network(directory, *, frames, side, short_side):
  """Writes a network of clips (frames, side, side, 3) with random weights."""
  overrides = {"width": 8, "stage_sizes": (1,)}
  network = temporal_jax.create_model(
    "resnet18", num_classes=len(NAMES), **overrides
  )
  shapes = jax.eval_shape(
    network.init, jax.random.key(0), jnp.zeros((1, frames, side, side, 3))
  )
  rng = np.random.default_rng(0)

  def values(leaf):  # Batch norms with ones alone change nothing.
    if len(leaf.shape) == 1:
      return np.ones(leaf.shape, np.float32)
    inputs = np.prod(leaf.shape[:-1])
    return rng.normal(0, (2 / inputs) ** 0.5, leaf.shape).astype(np.float32)

  variables = jax.tree.map(values, shapes)
  protocol = EvalProtocol(
    num_frames=frames, crop_size=side, short_side=short_side
  )
  inference.save_model(
    directory,
    variables,
    {
      "model": "resnet18",
      "overrides": overrides,
      "num_classes": len(NAMES),
      "clip_shape": [frames, side, side, 3],
      "class_names": NAMES,
      "pixels": {"mean": [0.5] * 3, "std": [0.25] * 3},
      "protocol": dataclasses.asdict(protocol),
    },
  )
  return directory
