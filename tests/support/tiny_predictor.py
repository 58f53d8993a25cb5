"""A small saved network, its predictions, and videos for it."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

import temporal_jax
from temporal_jax import inference
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.data.views.eval_protocol import EvalProtocol

NAMES = ("falling", "waving", "riding a bike")
MEAN, STD = 0.5, 0.25
PROTOCOL = EvalProtocol(num_frames=2, crop_size=16, num_clips=2, num_crops=3)


def save_tiny(directory, protocol=PROTOCOL):
  """Writes a ResNet of one block with random weights."""
  clip = (protocol.num_frames, *2 * (protocol.crop_size,), 3)
  model = temporal_jax.create_model(
    "resnet18", num_classes=3, width=8, stage_sizes=(1,)
  )
  shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, *clip)))
  rng = np.random.default_rng(0)

  def draw(path, leaf):
    low = 0.5 if path[-1].key == "var" else -0.3
    return rng.uniform(low, low + 0.7, leaf.shape).astype(np.float32)

  variables = jax.tree.map_with_path(draw, shapes)
  description = {
    "model": "resnet18",
    "overrides": {"width": 8, "stage_sizes": [1]},
    "num_classes": 3,
    "clip_shape": clip,
    "class_names": list(NAMES),
    "pixels": {"mean": [MEAN] * 3, "std": [STD] * 3},
    "protocol": dataclasses.asdict(protocol),
  }
  inference.save_model(directory, variables, description)
  return directory


def write_noise(file, count, size):
  """Writes `count` different frames of coarse noise of (height, width)."""
  rng = np.random.default_rng(count)
  shape = (count, size[0] // 4, size[1] // 4, 3)
  frames = rng.integers(0, 255, shape, np.uint8).repeat(4, 1).repeat(4, 2)
  file.write_bytes(encode_mp4(frames, fps=10))
  return str(file)
