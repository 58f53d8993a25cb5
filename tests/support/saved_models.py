"""Saved networks that are quick to run, for tests of what reads them."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

import temporal_jax
from temporal_jax import inference
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.models.network import Network

RESNET = {"width": 8, "stage_sizes": (1,)}
PIXELS = {"mean": (0.5,) * 3, "std": (0.25,) * 3}


class Brightness(Network):
  """Its features are the mean brightness of each frame, in [0, 1]."""

  num_classes: int = 2
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, clip, train=False):
    means = jnp.mean(clip, axis=(2, 3, 4))
    logits = nn.Dense(self.num_classes, name="head")(means)
    return logits, {"features": means, "tokens": means[..., None, None]}


def brightness_model(num_frames=4, side=32):
  """Its clips are `num_frames` frames; pixels stay what they are."""
  clip_shape = (num_frames, side, side, 3)
  network = Brightness()
  variables = network.init(jax.random.key(0), jnp.zeros((1, *clip_shape)))
  return inference.SavedModel(
    name="brightness",
    network=network,
    variables=variables,
    clip_shape=clip_shape,
    class_names=("a", "b"),
    pixels={"mean": (0.0,) * 3, "std": (1.0,) * 3},
    protocol=EvalProtocol(num_frames=num_frames, crop_size=side),
    description={"num_classes": 2},
  )


def small_model(name="resnet18", *, num_frames=2, side=16, **arguments):
  """A network of the catalog of two classes, its values anything but zero."""
  network = temporal_jax.create_model(name, **{"num_classes": 2, **arguments})
  clip = jax.ShapeDtypeStruct((1, num_frames, side, side, 3), jnp.float32)
  shapes = jax.eval_shape(network.init, jax.random.key(0), clip)
  rng = np.random.default_rng(0)
  variables = jax.tree.map(
    lambda leaf: rng.uniform(0.1, 0.3, leaf.shape).astype(np.float32), shapes
  )
  return inference.SavedModel(
    name=name,
    network=network,
    variables=variables,
    clip_shape=clip.shape[1:],
    class_names=("a", "b"),
    pixels=PIXELS,
    protocol=EvalProtocol(num_frames=num_frames, crop_size=side, short_side=side),
    description={"num_classes": 2},
  )


def save_resnet(directory):
  """Writes a `small_model` of a ResNet; returns its directory's name."""
  saved = small_model(**RESNET)
  description = {
    "model": "resnet18",
    "overrides": {"width": 8, "stage_sizes": [1]},
    "num_classes": 2,
    "clip_shape": saved.clip_shape,
    "class_names": None,
    "pixels": saved.pixels,
  }
  inference.save_model(directory, saved.variables, description)
  return str(directory)
