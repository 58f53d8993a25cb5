"""Video transformers in torch, written from the papers, with published names.

Tokens of a clip are a class token (B, 1, D) and patches (B, T, N, D).
"""

import re

import numpy as np
import torch
from torch import nn
from torch.nn import functional

WIDTH, DEPTH, HEADS, PATCH, GRID, FRAMES = 32, 2, 2, 4, 3, 4
SIDE = PATCH * GRID
EPSILON = 1e-6
# The same sizes as arguments of transformers' configurations, and five classes.
CONFIG = {
  "hidden_size": WIDTH,
  "intermediate_size": 4 * WIDTH,
  "num_hidden_layers": DEPTH,
  "num_attention_heads": HEADS,
  "image_size": SIDE,
  "num_frames": FRAMES,
  "num_labels": 5,
}
# The same sizes as arguments of `VisionTransformer`.
SIZES = {
  "width": WIDTH,
  "depth": DEPTH,
  "num_heads": HEADS,
  "patch_size": PATCH,
  "grid": GRID,
}


def call(module, clips):
  """Output of a module of transformers for clips (B, T, H, W, C)."""
  with torch.no_grad():
    return module(torch.tensor(clips).permute(0, 1, 4, 2, 3))


def attend(q, k, v, heads):
  """Attention of (..., N, D), the heads contiguous."""
  q, k, v = (x.unflatten(-1, (heads, -1)).transpose(-2, -3) for x in (q, k, v))
  out = functional.scaled_dot_product_attention(q, k, v)
  return out.transpose(-2, -3).flatten(-2)


def norm(width=WIDTH):
  return nn.LayerNorm(width, EPSILON)


class Attention(nn.Module):
  """timm's, or VideoMAE's, in which only queries and values have a bias."""

  def __init__(self, key_bias=True):
    super().__init__()
    self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=key_bias)
    if not key_bias:
      self.q_bias, self.v_bias = (nn.Parameter(torch.zeros(WIDTH)) for _ in range(2))
    self.key_bias = key_bias
    self.proj = nn.Linear(WIDTH, WIDTH)

  def forward(self, x):
    q, k, v = self.qkv(x).chunk(3, -1)
    if not self.key_bias:
      q, v = q + self.q_bias, v + self.v_bias
    return self.proj(attend(q, k, v, HEADS))


class Mlp(nn.Module):
  def __init__(self):
    super().__init__()
    self.fc1, self.fc2 = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

  def forward(self, x):
    return self.fc2(functional.gelu(self.fc1(x)))


class Block(nn.Module):
  """TimeSformer's: "divided", "joint" or "space"."""

  def __init__(self, pattern, key_bias=True):
    super().__init__()
    self.pattern = pattern
    self.norm1, self.attn = norm(), Attention(key_bias)
    self.norm2, self.mlp = norm(), Mlp()
    if pattern == "divided":
      self.temporal_norm1, self.temporal_attn = norm(), Attention()
      self.temporal_fc = nn.Linear(WIDTH, WIDTH)

  def within_frames(self, token, patches):
    copies = token[:, None].expand(-1, patches.shape[1], -1, -1)
    heard = self.attn(self.norm1(torch.cat([copies, patches], 2)))
    return token + heard[:, :, :1].mean(1), patches + heard[:, :, 1:]

  def over_all(self, token, patches):
    count = token.shape[1]  # VideoMAE has none.
    x = torch.cat([token, patches.flatten(1, 2)], 1)
    x = x + self.attn(self.norm1(x))
    return x[:, :count], x[:, count:].view_as(patches)

  def forward(self, token, patches):
    if self.pattern == "divided":
      series = self.temporal_norm1(patches.transpose(1, 2))
      patches = patches + self.temporal_fc(self.temporal_attn(series)).transpose(1, 2)
      token, patches = self.within_frames(token, patches)
    else:
      token, patches = self.over_all(token, patches)
    return tuple(x + self.mlp(self.norm2(x)) for x in (token, patches))


class _Patches(nn.Module):
  def __init__(self, frames):
    super().__init__()
    size = (PATCH, PATCH) if frames == 1 else (frames, PATCH, PATCH)
    convolution = nn.Conv2d if frames == 1 else nn.Conv3d
    self.proj = convolution(3, WIDTH, size, size)

  def forward(self, clip):
    """Maps B T H W C to B T N D."""
    if isinstance(self.proj, nn.Conv2d):
      maps = self.proj(clip.flatten(0, 1).permute(0, 3, 1, 2))
      return maps.flatten(2).transpose(1, 2).unflatten(0, clip.shape[:2])
    return self.proj(clip.permute(0, 4, 1, 2, 3)).flatten(3).permute(0, 2, 3, 1)


class TimeSformer(nn.Module):
  """In the names of facebookresearch/TimeSformer, inside of its `model`."""

  def __init__(self, pattern, num_classes=5):
    super().__init__()
    self.pattern = pattern
    self.patch_embed = _Patches(1)
    self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
    self.pos_embed = nn.Parameter(torch.zeros(1, GRID**2 + 1, WIDTH))
    if pattern != "space":
      self.time_embed = nn.Parameter(torch.zeros(1, FRAMES, WIDTH))
    self.blocks = nn.ModuleList([Block(pattern) for _ in range(DEPTH)])
    self.norm, self.head = norm(), nn.Linear(WIDTH, num_classes)

  def forward(self, clip):
    patches = self.patch_embed(clip) + self.pos_embed[:, None, 1:]
    token = (self.cls_token + self.pos_embed[:, :1]).expand(len(clip), -1, -1)
    if self.pattern == "space":  # A token per frame; their average is normed.
      frames = patches.flatten(0, 1)[:, None]
      token = token.repeat_interleave(patches.shape[1], 0)
      for block in self.blocks:
        token, frames = block(token, frames)
      token = token.view(*patches.shape[:2], WIDTH).mean(1)
      return self.head(self.norm(token))
    patches = patches + self.time_embed[:, :, None]
    for block in self.blocks:
      token, patches = block(token, patches)
    return self.head(self.norm(token[:, 0]))


_MMACTION2 = (
  (r"attn\.qkv\.", "attn.in_proj_"),
  (r"attn\.proj\.", "attn.out_proj."),
  (r"mlp\.fc1\.", "ffns.0.layers.0.0."),
  (r"mlp\.fc2\.", "ffns.0.layers.1."),
  (r"patch_embed\.proj\.", "patch_embed.projection."),
  (r"^head\.", "cls_head.fc_cls."),
)
_MMACTION2_DIVIDED = (
  (r"^(blocks\.\d+)\.temporal_norm1\.", r"\1.attentions.0.norm."),
  (r"^(blocks\.\d+)\.temporal_attn\.", r"\1.attentions.0.attn."),
  (r"^(blocks\.\d+)\.temporal_fc\.", r"\1.attentions.0.temporal_fc."),
  (r"^(blocks\.\d+)\.norm1\.", r"\1.attentions.1.norm."),
  (r"^(blocks\.\d+)\.attn\.", r"\1.attentions.1.attn."),
  (r"^(blocks\.\d+)\.norm2\.", r"\1.ffns.0.norm."),
)
_MMACTION2_OTHERS = (
  (r"^(blocks\.\d+)\.norm1\.", r"\1.norms.0."),
  (r"^(blocks\.\d+)\.attn\.", r"\1.attentions.0.attn."),
  (r"^(blocks\.\d+)\.norm2\.", r"\1.norms.1."),
)


def mmaction2_names(tensors, pattern):
  """The tensors of a `TimeSformer` as mmaction2 and mmcv name them."""
  own = _MMACTION2_DIVIDED if pattern == "divided" else _MMACTION2_OTHERS
  renamed = {}
  for name, value in tensors.items():
    for old, new in (*_MMACTION2, *own, (r"^blocks\.", "transformer_layers.layers.")):
      name = re.sub(old, new, name)
    renamed[name if name.startswith("cls_head") else f"backbone.{name}"] = value
  return renamed


def sines(count):
  """VideoMAE's positions, number by number."""
  table = np.empty((count, WIDTH))
  for place in range(count):
    for channel in range(WIDTH):
      angle = place / 10000 ** (2 * (channel // 2) / WIDTH)
      table[place, channel] = np.cos(angle) if channel % 2 else np.sin(angle)
  return torch.tensor(table, dtype=torch.float32)


class VideoMae(nn.Module):
  """In the names of MCG-NJU/VideoMAE: fine-tuned, or its encoder before."""

  def __init__(self, num_classes=5, pretrained=False):
    super().__init__()
    self.patch_embed = _Patches(2)
    self.blocks = nn.ModuleList([Block("joint", key_bias=False) for _ in range(DEPTH)])
    if pretrained:
      self.norm = norm()
    else:
      self.fc_norm, self.head = norm(), nn.Linear(WIDTH, num_classes)
    self.pretrained = pretrained

  def forward(self, clip):
    patches = self.patch_embed(clip)
    x = patches.flatten(1, 2)[:, None]  # One frame of all tokens.
    x = x + sines(x.shape[2])
    token = x[:, 0, :0]
    for block in self.blocks:
      token, x = block(token, x)
    if self.pretrained:
      return self.norm(x[:, 0])
    return self.head(self.fc_norm(x[:, 0].mean(1)))


def mmaction2_videomae_names(tensors):
  """The tensors of a fine-tuned `VideoMae` as mmaction2 names them."""
  renamed = {"backbone.pos_embed": sines(FRAMES // 2 * GRID**2)[None].numpy()}
  for name, value in tensors.items():
    name = name.replace("mlp.fc1", "mlp.layers.0.0").replace("mlp.fc2", "mlp.layers.1")
    name = name.replace("patch_embed.proj.", "patch_embed.projection.")
    is_head = name.startswith("head.")
    renamed["cls_head.fc_cls." + name[5:] if is_head else f"backbone.{name}"] = value
  return renamed


def scenic_shapes(num_classes=5):
  """Names and shapes of scenic's `ViViT` and `SpaceTimeViViT`."""
  head = WIDTH // HEADS

  def encoder(name, count):
    shapes = {f"{name}/posembed_input/pos_embedding": (1, 1 + count, WIDTH)}
    for i in range(DEPTH):
      block = f"{name}/encoderblock_{i}"
      inside = f"{block}/MultiHeadDotProductAttention_0"
      for part in ("query", "key", "value"):
        shapes[f"{inside}/{part}/kernel"] = (WIDTH, HEADS, head)
        shapes[f"{inside}/{part}/bias"] = (HEADS, head)
      shapes[f"{inside}/out/kernel"] = (HEADS, head, WIDTH)
      shapes[f"{inside}/out/bias"] = (WIDTH,)
      for part in ("LayerNorm_0", "LayerNorm_1"):
        shapes |= {f"{block}/{part}/{kind}": (WIDTH,) for kind in ("scale", "bias")}
      mlp = f"{block}/MlpBlock_0"
      shapes[f"{mlp}/Dense_0/kernel"] = (WIDTH, 4 * WIDTH)
      shapes[f"{mlp}/Dense_0/bias"] = (4 * WIDTH,)
      shapes[f"{mlp}/Dense_1/kernel"] = (4 * WIDTH, WIDTH)
      shapes[f"{mlp}/Dense_1/bias"] = (WIDTH,)
    shapes |= {f"{name}/encoder_norm/{kind}": (WIDTH,) for kind in ("scale", "bias")}
    return shapes

  shared = {
    "embedding/kernel": (2, PATCH, PATCH, 3, WIDTH),
    "embedding/bias": (WIDTH,),
    "output_projection/kernel": (WIDTH, num_classes),
    "output_projection/bias": (num_classes,),
  }
  factorised = {
    **shared,
    "cls_SpatialTransformer": (1, 1, WIDTH),
    "cls_TemporalTransformer": (1, 1, WIDTH),
    **encoder("SpatialTransformer", GRID**2),
    **encoder("TemporalTransformer", FRAMES // 2),
  }
  joint = {**shared, "cls": (1, 1, WIDTH)}
  joint |= encoder("Transformer", FRAMES // 2 * GRID**2)
  return {"joint": joint, "factorised": factorised}


def scenic_vivit(tensors, clip):
  """The logits of scenic's ViViT of either kind, from its tensors by name."""
  t = {name: torch.tensor(value) for name, value in tensors.items()}
  kernel = t["embedding/kernel"].permute(4, 3, 0, 1, 2)
  stride = tuple(kernel.shape[2:])
  maps = functional.conv3d(
    clip.permute(0, 4, 1, 2, 3), kernel, t["embedding/bias"], stride
  )
  x = maps.flatten(3).permute(0, 2, 3, 1)  # B T N D
  if "cls" in t:
    x = _encode(t, "Transformer", "cls", x.flatten(1, 2))
  else:
    frames = _encode(t, "SpatialTransformer", "cls_SpatialTransformer", x.flatten(0, 1))
    frames = frames.unflatten(0, x.shape[:2])
    x = _encode(t, "TemporalTransformer", "cls_TemporalTransformer", frames)
  return x @ t["output_projection/kernel"] + t["output_projection/bias"]


def _encode(t, name, token, x):
  """The class token of an encoder over B N D."""
  x = torch.cat([t[token].expand(len(x), -1, -1), x], 1)
  x = x + t[f"{name}/posembed_input/pos_embedding"]

  def normed(part, x):
    scale, bias = t[f"{part}/scale"], t[f"{part}/bias"]
    return functional.layer_norm(x, (WIDTH,), scale, bias, EPSILON)

  for i in range(DEPTH):
    block = f"{name}/encoderblock_{i}"
    inside = f"{block}/MultiHeadDotProductAttention_0"
    y = normed(f"{block}/LayerNorm_0", x)
    parts = [
      y @ t[f"{inside}/{part}/kernel"].flatten(1) + t[f"{inside}/{part}/bias"].flatten()
      for part in ("query", "key", "value")
    ]
    heard = attend(*parts, HEADS) @ t[f"{inside}/out/kernel"].flatten(0, 1)
    x = x + heard + t[f"{inside}/out/bias"]
    mlp = f"{block}/MlpBlock_0"
    y = normed(f"{block}/LayerNorm_1", x) @ t[f"{mlp}/Dense_0/kernel"]
    y = functional.gelu(y + t[f"{mlp}/Dense_0/bias"], approximate="tanh")
    x = x + y @ t[f"{mlp}/Dense_1/kernel"] + t[f"{mlp}/Dense_1/bias"]
  return normed(f"{name}/encoder_norm", x)[:, 0]


def draw_clips():
  """Two clips (B, T, H, W, C) that fit all of these."""
  rng = np.random.default_rng(0)
  return rng.standard_normal((2, FRAMES, SIDE, SIDE, 3), np.float32)
