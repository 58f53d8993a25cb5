"""Towers in torch with the parameters' names of DINOv2's and DINOv3's authors.

Written from the papers and the names in the published files.
"""

import math

import torch
from torch import nn
from torch.nn import functional


class DinoTower(nn.Module):
  """A ViT with class token, registers, layer scale, positions of either kind.

  Args:
    kind: "dinov2", with learned positions, or "dinov3", with rotary ones.
    registers: Number of registers.
    gated: Whether MLPs have a gate.
    grid: Side of the square of patches, for learned positions.
  """

  def __init__(
    self, kind, *, width=32, depth=2, heads=2, patch=4, grid=4, registers=4, gated=False
  ):
    super().__init__()
    self.kind, self.registers = kind, registers
    is_v2 = kind == "dinov2"
    self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
    self.mask_token = nn.Parameter(torch.zeros(1, width))
    if is_v2:
      self.pos_embed = nn.Parameter(torch.zeros(1, 1 + grid**2, width))
    else:
      self.rope_embed = nn.Module()
      quarter = width // heads // 4
      periods = 100.0 ** (torch.arange(quarter) / quarter)
      self.rope_embed.register_buffer("periods", periods)
    if registers:
      name = "register_tokens" if is_v2 else "storage_tokens"
      setattr(self, name, nn.Parameter(torch.zeros(1, registers, width)))
    self.patch_embed = nn.Module()
    self.patch_embed.proj = nn.Conv2d(3, width, patch, patch)
    epsilon = 1e-6 if is_v2 else 1e-5
    blocks = [_Block(kind, width, heads, gated, epsilon) for _ in range(depth)]
    self.blocks = nn.ModuleList(blocks)
    self.norm = nn.LayerNorm(width, epsilon)

  def forward(self, pixels):
    """Maps images N C H W to class tokens and patches after the last norm."""
    maps = self.patch_embed.proj(pixels)
    grid = maps.shape[-2:]
    x = torch.cat(
      [self.cls_token.expand(len(pixels), -1, -1), maps.flatten(2).transpose(1, 2)], 1
    )
    turn = None
    if self.kind == "dinov2":
      x = x + self.pos_embed
    else:
      turn = self._turns(grid)
    if self.registers:
      extra = getattr(self, "register_tokens", None)
      extra = self.storage_tokens if extra is None else extra
      extra = extra.expand(len(x), -1, -1)
      x = torch.cat([x[:, :1], extra, x[:, 1:]], 1)
    for block in self.blocks:
      x = block(x, turn)
    x = self.norm(x)
    return x[:, 0], x[:, 1 + self.registers :]

  def _turns(self, grid):
    """Unit numbers of the patches, (H W, d / 2)."""
    rows, columns = (2 * (torch.arange(n) + 0.5) / n - 1 for n in grid)
    periods = self.rope_embed.periods
    rows = (rows[:, None] / periods)[:, None].expand(-1, grid[1], -1)
    columns = (columns[:, None] / periods)[None].expand(grid[0], -1, -1)
    angles = 2 * math.pi * torch.cat([rows, columns], -1).flatten(0, 1)
    return torch.polar(torch.ones_like(angles), angles)


class _Block(nn.Module):
  def __init__(self, kind, width, heads, gated, epsilon):
    super().__init__()
    self.heads, self.kind, self.gated = heads, kind, gated
    self.norm1, self.norm2 = (nn.LayerNorm(width, epsilon) for _ in range(2))
    self.attn = nn.Module()
    self.attn.qkv = nn.Linear(width, 3 * width)
    if kind == "dinov3":
      mask = torch.ones(3 * width)
      mask[width : 2 * width] = 0
      self.attn.qkv.register_buffer("bias_mask", mask)
    self.attn.proj = nn.Linear(width, width)
    for name in ("ls1", "ls2"):
      scale = nn.Module()
      scale.gamma = nn.Parameter(torch.ones(width))
      setattr(self, name, scale)
    self.mlp = nn.Module()
    if not gated:
      self.mlp.fc1 = nn.Linear(width, 4 * width)
      self.mlp.fc2 = nn.Linear(4 * width, width)
    elif kind == "dinov2":
      self.mlp.w12 = nn.Linear(width, 8 * width)
      self.mlp.w3 = nn.Linear(4 * width, width)
    else:
      self.mlp.w1, self.mlp.w2 = (nn.Linear(width, 4 * width) for _ in range(2))
      self.mlp.w3 = nn.Linear(4 * width, width)

  def forward(self, x, turn):
    x = x + self.ls1.gamma * self._attend(self.norm1(x), turn)
    return x + self.ls2.gamma * self._mlp(self.norm2(x))

  def _attend(self, x, turn):
    layer = self.attn.qkv
    bias = layer.bias * layer.bias_mask if self.kind == "dinov3" else layer.bias
    qkv = functional.linear(x, layer.weight, bias)
    # (3, N, heads, tokens, channels)
    q, k, v = qkv.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
    if turn is not None:
      q, k = (_turned(y, turn) for y in (q, k))
    out = functional.scaled_dot_product_attention(q, k, v)
    return self.attn.proj(out.transpose(1, 2).flatten(2))

  def _mlp(self, x):
    if not self.gated:
      return self.mlp.fc2(functional.gelu(self.mlp.fc1(x)))
    if self.kind == "dinov2":
      gate, value = self.mlp.w12(x).chunk(2, -1)
    else:
      gate, value = self.mlp.w1(x), self.mlp.w2(x)
    return self.mlp.w3(functional.silu(gate) * value)


def _turned(x, turn):
  """Turns the patches, which are the last tokens."""
  count, half = turn.shape
  patches = torch.complex(*(y.contiguous() for y in x[..., -count:, :].split(half, -1)))
  patches = patches * turn
  patches = torch.cat([patches.real, patches.imag], -1)
  return torch.cat([x[..., :-count, :], patches], -2)
