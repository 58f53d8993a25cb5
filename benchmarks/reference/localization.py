"""BMN and ActionFormer in torch, as their authors compute them.

Transcribed with the names of the published weights of
alibaba-mmai-research/TAdaConv and happyharrycn/actionformer_release; features
are N C T.
"""

import torch
from torch import nn
from torch.nn import functional

_MASKED = -1e4  # Added to the scores of keys without features.


class Bmn(nn.Module):
  """BMN: a dense matrix of samples, and a convolution over all bins.

  Args:
    mask: Weights of positions in bins, (T, N, D, T).
    channels: Channels of the features.
  """

  def __init__(self, mask, channels):
    super().__init__()
    self.sizes = mask.shape[1:]
    self.backbone = nn.Module()
    self.backbone.conv_layer = nn.Sequential(
      nn.Conv1d(channels, 256, 3, padding=1, groups=4),
      nn.ReLU(inplace=True),
      nn.Conv1d(256, 256, 3, padding=1, groups=4),
      nn.ReLU(inplace=True),
    )
    self.head = head = nn.Module()
    head.register_buffer("sample_mask", mask.flatten(1))
    for name in ("x_1d_s", "x_1d_e"):
      layers = nn.Sequential(
        nn.Conv1d(256, 256, 3, padding=1, groups=4),
        nn.ReLU(inplace=True),
        nn.Conv1d(256, 1, 1),
        nn.Sigmoid(),
      )
      head.add_module(name, layers)
    head.x_1d_p = nn.Sequential(nn.Conv1d(256, 256, 3, padding=1), nn.ReLU())
    bins = (self.sizes[0], 1, 1)
    head.x_3d_p = nn.Sequential(nn.Conv3d(256, 512, bins, stride=bins), nn.ReLU())
    head.x_2d_p = nn.Sequential(
      nn.Conv2d(512, 128, 1),
      nn.ReLU(inplace=True),
      nn.Conv2d(128, 128, 3, padding=1),
      nn.ReLU(inplace=True),
      nn.Conv2d(128, 128, 3, padding=1),
      nn.ReLU(inplace=True),
      nn.Conv2d(128, 2, 1),
      nn.Sigmoid(),
    )

  def forward(self, x):
    """Returns start and end, (N, T), and confidence (N, 2, D, T)."""
    head = self.head
    x = self.backbone.conv_layer(x)
    start, end = head.x_1d_s(x)[:, 0], head.x_1d_e(x)[:, 0]
    x = torch.matmul(head.x_1d_p(x), head.sample_mask)
    x = head.x_3d_p(x.unflatten(2, self.sizes)).squeeze(2)
    return start, end, head.x_2d_p(x)


class _MaskedConv(nn.Module):
  """A convolution whose results without features are zero: N C T."""

  def __init__(self, channels, features, taps=3, stride=1, groups=1, bias=False):
    super().__init__()
    self.conv = nn.Conv1d(
      channels, features, taps, stride, taps // 2, groups=groups, bias=bias
    )

  def forward(self, x, mask):
    return self.conv(x) * mask


class _Norm(nn.Module):
  """LayerNorm of N C T."""

  def __init__(self, channels):
    super().__init__()
    self.weight = nn.Parameter(torch.ones(1, channels, 1))
    self.bias = nn.Parameter(torch.zeros(1, channels, 1))

  def forward(self, x):
    x = x - x.mean(1, keepdim=True)
    x = x / torch.sqrt(x.square().mean(1, keepdim=True) + 1e-5)
    return x * self.weight + self.bias


class _Attention(nn.Module):
  """Attention in windows: blocks of half a window see three of them."""

  def __init__(self, channels, heads, window, stride):
    super().__init__()
    self.heads, self.reach = heads, window // 2
    for name in ("query", "key", "value"):
      conv = _MaskedConv(channels, channels, 3, stride, channels)
      self.add_module(f"{name}_conv", conv)
      self.add_module(f"{name}_norm", _Norm(channels))
      self.add_module(name, nn.Conv1d(channels, channels, 1))
    self.proj = nn.Conv1d(channels, channels, 1)

  def _project(self, x, mask, name):
    x = getattr(self, f"{name}_conv")(x, mask)
    x = getattr(self, name)(getattr(self, f"{name}_norm")(x))
    return x.unflatten(1, (self.heads, -1)).transpose(2, 3)  # N M T d

  def forward(self, x, mask):
    """Takes the mask of the results, (N, 1, T)."""
    reach = self.reach
    q, k, v = (self._project(x, mask, name) for name in ("query", "key", "value"))
    length = q.shape[2]
    q = q.unflatten(2, (-1, reach)) * q.shape[-1] ** -0.5
    sides = (0, 0, reach, reach)
    k = functional.pad(k, sides).unfold(2, 3 * reach, reach)
    v = functional.pad(v, sides, value=-1.0).unfold(2, 3 * reach, reach)
    scores = q @ k
    held = functional.pad(_MASKED * (1 - mask), (reach, reach), value=-torch.inf)
    scores = scores + held.unfold(2, 3 * reach, reach).unsqueeze(3)
    outside = torch.ones(reach, 3 * reach, dtype=torch.bool, device=x.device)
    outside = ~(outside.triu() & outside.tril(2 * reach))
    weights = scores.masked_fill(outside, -torch.inf).softmax(-1)
    x = (weights @ v.transpose(-2, -1)).flatten(2, 3)[:, :, :length]
    return self.proj(x.transpose(2, 3).flatten(1, 2) * mask) * mask


class _Scale(nn.Module):
  """A factor for each channel, or one for all."""

  def __init__(self, *shape, value):
    super().__init__()
    self.scale = nn.Parameter(torch.full(shape, value))

  def forward(self, x):
    return x * self.scale


class _Block(nn.Module):
  """A transformer block that may halve the positions."""

  def __init__(self, channels, heads, window, stride):
    super().__init__()
    self.stride = stride
    self.ln1, self.ln2 = _Norm(channels), _Norm(channels)
    self.attn = _Attention(channels, heads, window, stride)
    self.mlp = nn.Sequential(
      nn.Conv1d(channels, 4 * channels, 1),
      nn.GELU(),
      nn.Dropout(0.0),
      nn.Conv1d(4 * channels, channels, 1),
    )
    self.drop_path_attn = _Scale(1, channels, 1, value=1e-4)
    self.drop_path_mlp = _Scale(1, channels, 1, value=1e-4)

  def forward(self, x, mask):
    """Returns features and their mask."""
    mask = mask[:, :, :: self.stride]
    branch = self.attn(self.ln1(x), mask)
    if self.stride > 1:
      x = functional.max_pool1d(x, 3, self.stride, 1)
    x = x * mask + self.drop_path_attn(branch)
    return x + self.drop_path_mlp(self.mlp(self.ln2(x)) * mask), mask


class _Head(nn.Module):
  """Two convolutions with norms, and a last one."""

  def __init__(self, channels, features, last):
    super().__init__()
    self.last = last
    self.head = nn.ModuleList(_MaskedConv(channels, channels) for _ in range(2))
    self.norm = nn.ModuleList(_Norm(channels) for _ in range(2))
    self.add_module(last, _MaskedConv(channels, features, bias=True))

  def forward(self, x, mask):
    for conv, norm in zip(self.head, self.norm, strict=True):
      x = norm(conv(x, mask)).relu()
    return getattr(self, self.last)(x, mask)


class ActionFormer(nn.Module):
  """ActionFormer of six levels, with attention in windows at all of them."""

  def __init__(self, channels=2048, width=512, classes=20, heads=4, window=19):
    super().__init__()
    self.backbone = backbone = nn.Module()
    backbone.embd = nn.ModuleList(
      _MaskedConv(inputs, width) for inputs in (channels, width)
    )
    backbone.embd_norm = nn.ModuleList(_Norm(width) for _ in range(2))
    backbone.stem = nn.ModuleList(_Block(width, heads, window, 1) for _ in range(2))
    backbone.branch = nn.ModuleList(_Block(width, heads, window, 2) for _ in range(5))
    self.neck = nn.Module()
    self.neck.fpn_norms = nn.ModuleList(_Norm(width) for _ in range(6))
    self.cls_head = _Head(width, classes, "cls_head")
    self.reg_head = _Head(width, 2, "offset_head")
    self.reg_head.scale = nn.ModuleList(_Scale(value=1.0) for _ in range(6))

  def forward(self, x, mask):
    """Returns logits (N, L, T_l) and offsets (N, 2, T_l) of each level."""
    backbone = self.backbone
    for conv, norm in zip(backbone.embd, backbone.embd_norm, strict=True):
      x = norm(conv(x, mask)).relu()
    levels = []
    for number, block in enumerate((*backbone.stem, *backbone.branch)):
      x, mask = block(x, mask)
      if number:
        levels.append((x, mask))
    out = []
    parts = zip(levels, self.neck.fpn_norms, self.reg_head.scale, strict=True)
    for (level, held), norm, scale in parts:
      level = norm(level)
      out.append(self.cls_head(level, held))
      out.append(scale(self.reg_head(level, held)).relu())
    return out
