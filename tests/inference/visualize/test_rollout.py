import functools

import jax
import numpy as np
import pytest

from temporal_jax import ops
from temporal_jax.inference import visualize
from temporal_jax.models import VisionTransformer
from temporal_jax.models.blocks.transformer import TransformerBlock
from tests.support.visualized_networks import (
  RESNET,
  SHAPE,
  VIT,
  make_clip,
  make_named,
  make_saved,
  run_captured,
)

FRAMES, TOKENS = SHAPE[0], 17  # A class token and 4 x 4 patches.


HEADS = VIT["num_heads"]


def _softmax(x):
  weights = np.exp(x - x.max(axis=-1, keepdims=True))
  return weights / weights.sum(axis=-1, keepdims=True)


def _weights(qkv, key=None):
  """The mean over heads of softmax(q k / sqrt(d)), of arrays (..., N, M d)."""
  q, k = (np.asarray(x)[0] for x in qkv[:2])
  k = k if key is None else np.asarray(key)[0]
  q, k = (x.reshape(*x.shape[:-1], HEADS, -1) for x in (q, k))
  heads = [
    _softmax(q[..., m, :] @ k[..., m, :].swapaxes(-1, -2) / q.shape[-1] ** 0.5)
    for m in range(q.shape[-2])
  ]
  return np.mean(heads, axis=0)


def _place(frame, token):
  return frame * TOKENS + token


def _within_frames(weights):
  full = np.zeros((FRAMES * TOKENS,) * 2)
  for t in range(FRAMES):
    rows = slice(_place(t, 0), _place(t, TOKENS))
    full[rows, rows] = weights[t]
  return full


def _along_time(weights, order):
  """Class tokens see themselves, a patch its place, or its path, over time."""
  full = np.zeros((FRAMES * TOKENS,) * 2)
  for t in range(FRAMES):
    full[_place(t, 0), _place(t, 0)] = 1
    for n in range(TOKENS - 1):
      for s in range(FRAMES):
        row = _place(t, 1 + order[t, n])
        full[row, _place(s, 1 + order[s, n])] = weights[n, t, s]
  return full


def _factors(kept, temporal, depth):
  """Yields the matrices of a network, the first one that is applied first."""
  for index in range(1, depth + 1):
    name = f"block{index}"
    if temporal in ("divided", "aligned"):
      order = np.tile(np.arange(TOKENS - 1), (FRAMES, 1))
      if temporal == "aligned":
        before = f"block{index - 1}" if index > 1 else "pre_norm"
        (x,) = kept[before]
        x = x[0] if isinstance(x, tuple) else x
        order = np.asarray(ops.match_patches(x[:, :, 1:]))[0]
      (qkv,) = kept[f"{name}/attention_branch/attention/qkv"]
      yield _along_time(_weights(qkv), order)
    (qkv,) = kept[f"{name}/attention/qkv"]
    if temporal == "joint":
      yield _weights(qkv)
    else:
      mixed = kept.get(f"{name}/attention/keys_values")
      yield _within_frames(_weights(qkv, mixed and mixed[0][0]))


@pytest.mark.parametrize(
  ("temporal", "depth"),
  [
    ("joint", 1),
    ("mixing", 2),
    ("divided", 1),
    # The assignment of patches takes seconds to compile.
    pytest.param("aligned", 2, marks=pytest.mark.slow),
  ],
)
def test_is_the_product_of_all_attention(temporal, depth):
  saved = make_named("vit_b16", temporal=temporal, depth=depth, **VIT)
  rollout = visualize.create_rollout(saved)
  kept, (got, maps) = run_captured(
    saved,
    make_clip(),
    r"pre_norm|block\d|.*(qkv|keys_values)",
    lambda *args: (visualize.attention_shares(saved, *args), rollout(*args)),
  )
  row = np.zeros(FRAMES * TOKENS)
  row[[_place(t, 0) for t in range(FRAMES)]] = 1 / FRAMES
  product = np.eye(FRAMES * TOKENS)
  for matrix in _factors(kept, temporal, depth):
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-5)
    product = (np.eye(len(matrix)) + matrix) / 2 @ product
  want = (row @ product).reshape(FRAMES, TOKENS)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-7)
  np.testing.assert_allclose(got.sum(), 1, rtol=1e-5)
  want = want[:, 1:].reshape(FRAMES, 4, 4)
  np.testing.assert_allclose(maps, want / want.max(), rtol=1e-4, atol=1e-6)


def test_knows_rotary_positions_and_biases_of_queries_alone():
  """The weights of one head give what attention returns."""
  rotary = functools.partial(ops.rotary_embedding, extent=16.0)
  block = functools.partial(TransformerBlock, key_bias=False, rotary=rotary)
  saved = make_saved(
    VisionTransformer(3, 4, 16, 1, 1, projection=None, grid=4, block=block)
  )
  kept, shares = run_captured(
    saved,
    make_clip(),
    "block1/attention(/qkv)?",
    functools.partial(visualize.attention_shares, saved),
  )
  got = 2 * FRAMES * np.array(shares)
  got[:, 0] -= 1  # The share that the token keeps.
  params = saved.variables["params"]["block1"]["attention"]
  values = np.asarray(kept["block1/attention/qkv"][0][2])[0]
  values = values + np.asarray(params["query_value_bias"][1, 0])
  out = np.einsum("tn,tnd->td", got, values) @ params["out"]["kernel"][0]
  want = kept["block1/attention"][0][0, :, 0]
  np.testing.assert_allclose(
    out + params["out"]["bias"][None], want, rtol=1e-3, atol=1e-4
  )


@pytest.mark.parametrize(
  ("name", "sizes", "temporal", "offers"),
  [
    ("resnet18", RESNET, "adaptive_convolution", "calibration, features"),
    ("vit_b16", {**VIT, "depth": 1}, "mixing_summary", "features, gradcam"),
    ("vit_b16", {**VIT, "depth": 1}, "messages", "features, gradcam"),
  ],
)
def test_refuses_other_attention(name, sizes, temporal, offers):
  saved = make_named(name, temporal=temporal, **sizes)
  with pytest.raises(ValueError, match=f"rollout can follow.*offers {offers}"):
    jax.eval_shape(visualize.create_rollout(saved), saved.variables, make_clip())


@pytest.mark.parametrize("temporal", ["joint", "divided"])
def test_one_class_token_of_the_clip(temporal):
  saved = make_named(
    "timesformer_b16",
    temporal=temporal,
    depth=1,
    num_temporal_positions=FRAMES,
    **{name: value for name, value in VIT.items() if name != "projection"},
  )
  kept, got = run_captured(
    saved,
    make_clip(),
    r".*qkv",
    functools.partial(visualize.attention_shares, saved),
  )
  (qkv,) = kept["block1/attention/qkv"]
  weights = _weights(qkv)
  if temporal == "joint":
    token, patches = weights[0, 0], weights[0, 1:].reshape(FRAMES, TOKENS - 1)
  else:
    token, patches = weights[:, 0, 0].mean(), weights[:, 0, 1:] / FRAMES
    (qkv,) = kept["block1/attention_branch/attention/qkv"]
    along = np.einsum("tn,nts->sn", patches, _weights(qkv))
    patches = (patches + along) / 2
  np.testing.assert_allclose(got[:, 0].sum(), (1 + token) / 2, rtol=1e-4)
  np.testing.assert_allclose(got[:, 1:], patches / 2, rtol=1e-4, atol=1e-7)
