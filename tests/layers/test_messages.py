import functools

import jax
import numpy as np
import pytest

from temporal_jax import layers
from temporal_jax.models import Temporal
from temporal_jax.models.blocks.transformer import TransformerBlock
from tests.support.examples import CLIP_TOKENS, layer_example

HEADS = 2

LAYER_EXAMPLES = {
  "CrossFrameMessage": layer_example(
    layers.CrossFrameMessage, CLIP_TOKENS, num_heads=2
  ),
  "RemoveMessage": layer_example(layers.RemoveMessage, CLIP_TOKENS),
}


def _tokens(num_frames=3, num_tokens=5, width=8, seed=0):
  shape = (2, num_frames, num_tokens, width)
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _affine(params, x):
  return x @ params["kernel"] + params["bias"]


def _norm(params, x):
  centred = x - x.mean()
  return centred / np.sqrt(x.var() + 1e-5) * params["scale"] + params["bias"]


def _attend(params, rows):
  """Multi-head attention of a list of vectors, a query and a head at a time."""
  qkv = params["qkv"]
  out = []
  for query in rows:
    total = params["out"]["bias"].copy()
    for head in range(HEADS):

      def project(x, which, head=head):
        kernel = qkv["kernel"][:, which, head]
        return x @ kernel + qkv["bias"][which, head]

      q = project(query, 0)
      scores = np.array([q @ project(key, 1) for key in rows])
      weights = np.exp((scores - scores.max()) / np.sqrt(len(q)))
      weights /= weights.sum()
      values = [project(value, 2) for value in rows]
      mixed = sum(w * v for w, v in zip(weights, values, strict=True))
      total = total + mixed @ params["out"]["kernel"][head]
    out.append(total)
  return out


def _messages(params, clip):
  """A clip's messages, one per frame."""
  raw = [_affine(params["message"], frame[0]) for frame in clip]
  heard = _attend(params["attention"], [_norm(params["norm"], m) for m in raw])
  return [m + h for m, h in zip(raw, heard, strict=True)]


def _quick_gelu(x):
  return x / (1 + np.exp(-1.702 * x))


def _block(params, clip):
  """The block with a message among the tokens of every frame."""
  out = []
  messages = _messages(params["block_input"], clip)
  for frame, message in zip(clip, messages, strict=True):
    tokens = [*frame, message]
    normed = [_norm(params["norm1"], token) for token in tokens]
    attended = _attend(params["attention"], normed)
    tokens = [t + a for t, a in zip(tokens, attended, strict=True)][:-1]
    for i, token in enumerate(tokens):
      hidden = _norm(params["norm2"], token)
      hidden = _quick_gelu(_affine(params["mlp"]["expand"], hidden))
      tokens[i] = token + _affine(params["mlp"]["contract"], hidden)
    out.append(tokens)
  return np.array(out)


def _random(module, x):
  """Random values for all parameters, float64 ones and as variables."""
  variables = jax.eval_shape(module.init, jax.random.key(0), x)
  rng = np.random.default_rng(1)
  params = jax.tree.map(
    lambda p: 0.5 * rng.standard_normal(p.shape), variables["params"]
  )
  return params, {"params": jax.tree.map(np.float32, params)}


@pytest.mark.parametrize("num_frames", [1, 3])
def test_messages_match_a_loop(num_frames):
  x = _tokens(num_frames)
  layer = layers.CrossFrameMessage(HEADS)
  params, variables = _random(layer, x)
  got, aux = jax.jit(layer.apply)(variables, x)
  want = [_messages(params, clip) for clip in x.astype(np.float64)]
  assert aux == {}
  np.testing.assert_array_equal(got[:, :, :-1], x)
  np.testing.assert_allclose(got[:, :, -1], want, rtol=1e-4, atol=1e-5)


def test_block_with_messages_matches_a_loop():
  x = _tokens()
  message = functools.partial(layers.CrossFrameMessage, HEADS)
  temporal = Temporal(block_input=message, mlp_input=layers.RemoveMessage)
  block = TransformerBlock(HEADS, temporal=temporal)
  params, variables = _random(block, x)
  got, aux = jax.jit(block.apply)(variables, x)
  want = [_block(params, clip) for clip in x.astype(np.float64)]
  assert aux == {}
  assert got.shape == x.shape
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_every_frame_hears_every_other():
  x = _tokens(4)
  layer = layers.CrossFrameMessage(HEADS)
  _, variables = _random(layer, x)
  before, _ = layer.apply(variables, x)
  x[:, 3, 0] += np.arange(8)
  after, _ = layer.apply(variables, x)
  moved = np.abs(after - before)[:, :, -1].max(axis=(0, 2)) > 1e-4
  assert moved.all()


def test_drop_path_silences_whole_clips():
  x = np.repeat(_tokens()[:1], 64, axis=0)
  layer = layers.CrossFrameMessage(HEADS, drop_path=0.5)
  _, variables = _random(layer, x)
  rngs = {"dropout": jax.random.key(0)}
  out, _ = layer.apply(variables, x, train=True, rngs=rngs)
  silent = layers.CrossFrameMessage(HEADS, drop_path=0.5)
  heard, _ = silent.apply(variables, x[:1])
  messages = np.unique(np.round(out[:, :, -1], 3), axis=0)
  assert len(messages) == 2
  # Kept branches count double, dropped ones not at all.
  np.testing.assert_allclose(
    messages.mean(axis=0), heard[0, :, -1], rtol=1e-2, atol=1e-2
  )


def test_rejects_wrong_tokens():
  layer = layers.CrossFrameMessage(HEADS)
  with pytest.raises(ValueError, match=r"must be \(B, T, N, D\)"):
    layer.init(jax.random.key(0), np.zeros((2, 5, 8), np.float32))
  with pytest.raises(ValueError, match="heads do not divide"):
    layer.init(jax.random.key(0), np.zeros((1, 2, 5, 9), np.float32))
