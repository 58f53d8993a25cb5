"""EVA-02-CLIP's block: its state_dict in, its output out."""

import functools

import jax
import numpy as np
import pytest
import torch

from convert_weights.apply import apply_rules, revert_rules
from convert_weights.formats import eva
from temporal_jax import layers, ops
from temporal_jax.models.blocks.transformer import TransformerBlock

WIDTH, HEADS, GRID = 16, 2, (2, 3)
SIDE = 4  # Side of pre-training's grid.


class _Attention(torch.nn.Module):
  """Attention under the names of the published weights."""

  def __init__(self):
    super().__init__()
    self.q_bias, self.v_bias = (
      torch.nn.Parameter(torch.zeros(WIDTH)) for _ in range(2)
    )
    linear = functools.partial(torch.nn.Linear, WIDTH, WIDTH)
    self.q_proj, self.k_proj, self.v_proj = (linear(bias=False) for _ in range(3))
    self.inner_attn_ln = torch.nn.LayerNorm(WIDTH, eps=1e-6)
    self.proj = linear()

  def forward(self, x):
    q = self._turned(self.q_proj(x) + self.q_bias)
    k = self._turned(self.k_proj(x))
    v = self._heads(self.v_proj(x) + self.v_bias)
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    return self.proj(self.inner_attn_ln(out.transpose(1, 2).reshape(x.shape)))

  def _heads(self, x):
    return x.reshape(*x.shape[:2], HEADS, -1).transpose(1, 2)

  def _turned(self, x):
    """Turns each patch's pairs as complex numbers, rows before columns."""
    x = self._heads(x)
    half = x.shape[-1] // 2
    speeds = 10000 ** (-torch.arange(0, half, 2, dtype=torch.float64) / half)
    rows, columns = (torch.arange(n) / n * SIDE for n in GRID)
    angles = torch.cat(
      [
        (rows[:, None, None] * speeds).expand(*GRID, -1),
        (columns[None, :, None] * speeds).expand(*GRID, -1),
      ],
      dim=-1,
    ).reshape(-1, half)
    turn = torch.polar(torch.ones_like(angles), angles).to(torch.complex64)
    patches = x[:, :, 1:].reshape(*x.shape[:2], -1, half, 2).contiguous()
    patches = torch.view_as_real(torch.view_as_complex(patches) * turn)
    return torch.cat([x[:, :, :1], patches.flatten(-2)], dim=2)


class _Mlp(torch.nn.Module):
  """The gated perceptron under the names of the published weights."""

  def __init__(self):
    super().__init__()
    hidden = int(2.6667 * WIDTH)
    self.w1 = torch.nn.Linear(WIDTH, hidden)
    self.w2 = torch.nn.Linear(WIDTH, hidden)
    self.ffn_ln = torch.nn.LayerNorm(hidden, eps=1e-6)
    self.w3 = torch.nn.Linear(hidden, WIDTH)

  def forward(self, x):
    gate = torch.nn.functional.silu(self.w1(x))
    return self.w3(self.ffn_ln(gate * self.w2(x)))


class _Block(torch.nn.Module):
  """The block under the names of the published weights."""

  def __init__(self):
    super().__init__()
    self.norm1 = torch.nn.LayerNorm(WIDTH, eps=1e-6)
    self.attn = _Attention()
    self.norm2 = torch.nn.LayerNorm(WIDTH, eps=1e-6)
    self.mlp = _Mlp()

  def forward(self, x):
    x = x + self.attn(self.norm1(x))
    return x + self.mlp(self.norm2(x))


OURS = TransformerBlock(
  HEADS,
  mlp_ratio=2.6667,
  epsilon=1e-6,
  key_bias=False,
  gated=True,
  inner_norm=True,
  rotary=functools.partial(ops.rotary_embedding, extent=SIDE),
)


@pytest.fixture(scope="module")
def block():
  torch.manual_seed(0)
  block = _Block()
  for p in block.parameters():
    torch.nn.init.normal_(p, std=0.5)
  return block


@pytest.fixture(scope="module")
def x():
  return np.random.default_rng(0).standard_normal((1, 3, 7, WIDTH), np.float32)


def _converted(block, x):
  init = functools.partial(OURS.init, grid=GRID)
  target = jax.eval_shape(init, jax.random.key(0), x)
  tensors = {k: v.numpy() for k, v in block.state_dict().items()}
  return apply_rules(eva.transformer_block(), tensors, target), tensors


def test_block_computes_what_its_weights_did(block, x):
  variables, _ = _converted(block, x)
  apply = jax.jit(functools.partial(OURS.apply, grid=GRID))
  got, aux = apply(variables, x)
  with torch.no_grad():
    want = block(torch.tensor(x[0]))
  assert aux == {}
  np.testing.assert_allclose(got[0], want, rtol=1e-4, atol=1e-4)


def test_rules_read_backwards(block, x):
  variables, tensors = _converted(block, x)
  back = revert_rules(eva.transformer_block(), variables)
  assert back.keys() == tensors.keys()
  for name, tensor in tensors.items():
    np.testing.assert_array_equal(back[name], tensor)


def test_rotary_positions_need_a_grid_and_attention_within_frames(x):
  with pytest.raises(ValueError, match="need the grid of the patches"):
    OURS.init(jax.random.key(0), x)
  for layer, message in (
    (layers.JointAttention, "no rotary positions of frames with class tokens"),
    (layers.TokenShift, "TokenShift in the slot `attention` has no rotary positions"),
  ):
    filled = OURS.clone(temporal=OURS.temporal.__class__(attention=layer))
    with pytest.raises(ValueError, match=message):
      filled.init(jax.random.key(0), x, grid=GRID)
