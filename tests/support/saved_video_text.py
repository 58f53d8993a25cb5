"""A small network of videos and texts that reads CLIP's tokens, as saved."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

import temporal_jax
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.inference import SavedModel
from temporal_jax.text.tokenizer import tokenize
from tests.support.tiny_video_text import SIZES

KEY = jax.random.key(0, impl="rbg")  # Compiles faster.
FRAMES, SIDE, CONTEXT = 2, 16, 20
NAMES = ("falling", "waving", "riding a bike")
PIXELS = {"mean": [0.5] * 3, "std": [0.25] * 3}
OVERRIDES = {
  **SIZES,
  **{"num_frames": FRAMES, "vocabulary": 49408, "context": CONTEXT},
}
DESCRIPTION = {
  "model": "xclip_b32",
  "overrides": OVERRIDES,
  "num_classes": len(NAMES),
  "clip_shape": [FRAMES, SIDE, SIDE, 3],
  "class_names": NAMES,
  "pixels": PIXELS,
}


@functools.cache
def make_saved(name: str = "xclip_b32") -> SavedModel:
  """Returns it, or a TAdaFormer of its sizes; no variable is zero."""
  overrides = dict(OVERRIDES)
  if name.startswith("tadaformer"):  # It has no prompt.
    del overrides["prompt_depth"]
  network = temporal_jax.create_model(name, num_classes=3, **overrides)
  clip = jnp.zeros((1, FRAMES, SIDE, SIDE, 3))
  shapes = jax.eval_shape(network.init, KEY, clip)
  rng = np.random.default_rng(1)

  def draw(path, leaf):
    value = 0.2 * rng.standard_normal(leaf.shape, np.float32)
    return abs(value) if path[-1].key == "var" else value

  variables = jax.tree.map_with_path(draw, shapes)
  # So that labels are told apart: as in CLIP, and few words of the prompt.
  params = variables["params"]
  params["log_scale"] = np.float32(np.log(100))
  if "prompt" in params:
    params["prompt"]["scale"]["scale"] *= np.float32(0.1)
  protocol = EvalProtocol(num_frames=FRAMES, crop_size=SIDE, short_side=SIDE)
  return SavedModel(
    name=name,
    network=network,
    variables=variables,
    clip_shape=(FRAMES, SIDE, SIDE, 3),
    class_names=NAMES,
    pixels=PIXELS,
    protocol=protocol,
    description={**DESCRIPTION, "model": name, "overrides": overrides},
  )


def make_clips(count: int) -> np.ndarray:
  """Returns clips of noise."""
  rng = np.random.default_rng(0)
  return rng.integers(0, 256, (count, FRAMES, SIDE, SIDE, 3), np.uint8)


@functools.cache
def _apply():
  return jax.jit(make_saved().network.apply)


@functools.cache
def _encode_text():
  network = make_saved().network
  return jax.jit(functools.partial(network.apply, method="encode_text"))


def apply(clips, text, variables=None):
  """Outputs of the network itself for uint8 clips and features of texts."""
  pixels = (clips.astype(np.float32) / 255 - 0.5) / 0.25
  return _apply()(variables or make_saved().variables, pixels, text)


def encode_texts(texts):
  """Outputs of the network itself for texts of the full length."""
  tokens = tokenize(texts, context=CONTEXT)
  return np.asarray(_encode_text()(make_saved().variables, tokens))


def softmax(logits):
  """Returns probabilities in float64."""
  odds = np.exp(np.asarray(logits, np.float64))
  return odds / odds.sum(axis=-1, keepdims=True)
