"""TAdaConvV2 in torch: TAdaConvNeXtV2-T and TAdaFormer-B/16, 400 classes.

Transcribed with the names of the published weights of
alibaba-mmai-research/TAdaConv; clips N C T H W.
"""

import itertools

import torch
from torch import nn
from torch.nn import functional

from benchmarks.reference import openai_clip, primitives, tada

_WIDTHS, _DEPTHS = (96, 192, 384, 768), (3, 3, 9, 3)


def tubelet_embedding(x, kernel):
  """Tubelets of three frames, stride two: N C T H W."""
  side = kernel.shape[-1]
  return functional.conv3d(x, kernel, stride=(2, side, side), padding=(1, 0, 0))


def route_attention(x, w):
  """TAdaConv's second route function: N C T H W."""
  padding = (1, 0, 0)
  frames = functional.adaptive_avg_pool3d(x, (None, 1, 1))
  frames = functional.conv3d(frames, w["reduce"], w["reduce_bias"], 1, padding)
  frames = frames[..., 0, 0].transpose(1, 2)
  frames = primitives.quick_gelu(primitives.layer_norm(frames, w["scale"], w["bias"]))
  normed = primitives.layer_norm(frames, w["attention_scale"], w["attention_bias"])
  qkv = functional.linear(normed, w["qkv"], w["qkv_bias"])
  q, k, v = qkv.unflatten(-1, (3, -1, 64)).unbind(2)
  # The products are scaled by the whole width.
  q = q * (64 / frames.shape[-1]) ** 0.5
  heard = primitives.attention(q, k, v).flatten(2)
  frames = frames + functional.linear(heard, w["out"], w["out_bias"])
  frames = frames.transpose(1, 2)[..., None, None]
  out = functional.conv3d(frames, w["expand"], None, 1, padding)
  return (out + 1)[..., 0, 0]


class _Route(nn.Module):
  """TAdaConvV2's route function: N C T H W -> twice N C T.

  The calibrations are added to `offset`, 1 or 0.
  """

  def __init__(self, channels, head_width, offset):
    super().__init__()
    width = channels // 2
    taps = {"kernel_size": (3, 1, 1), "padding": (1, 0, 0)}
    self.heads, self.offset = width // head_width, offset
    self.a = nn.Conv3d(channels, width, **taps)
    self.norm = nn.LayerNorm(width, 1e-6)
    self.norm_transformer = nn.LayerNorm(width, 1e-6)
    self.qkv_proj = nn.Conv3d(width, 3 * width, 1)
    self.attn_out = nn.Conv3d(width, width, 1)
    self.b = nn.Conv3d(width, channels, bias=False, **taps)
    self.b_bias = nn.Conv3d(width, channels, bias=False, **taps)

  def forward(self, x):
    x = self.a(functional.adaptive_avg_pool3d(x, (None, 1, 1)))
    x = primitives.quick_gelu(_over_channels(self.norm, x))
    qkv = self.qkv_proj(_over_channels(self.norm_transformer, x))[..., 0, 0]
    # N (3 d M) T -> three of N M T d.
    q, k, v = qkv.unflatten(1, (3, -1, self.heads)).permute(1, 0, 3, 4, 2)
    weights = (q @ k.transpose(-2, -1)) * x.shape[1] ** -0.5
    heard = (weights.softmax(-1) @ v).transpose(-2, -1).flatten(1, 2)
    x = x + self.attn_out(heard[..., None, None])
    return tuple(b(x)[..., 0, 0] + self.offset for b in (self.b, self.b_bias))


class _AdaptiveConv(nn.Module):
  """A depthwise TAdaConv whose bias is calibrated too: N C T H W."""

  def __init__(self, channels, size):
    super().__init__()
    kernel = torch.randn(1, 1, channels, 1, size, size)
    self.weight = nn.Parameter(kernel / size)
    self.bias = nn.Parameter(0.02 * torch.randn(1, 1, channels))

  def forward(self, x, calibrations):
    of_kernel, of_bias = calibrations
    out = tada.adaptive_convolution(
      x,
      self.weight[0, 0],
      of_kernel,
      axis="out",
      groups=x.shape[1],
      padding=self.weight.shape[-1] // 2,
    )
    bias = self.bias[0, 0][:, None] * of_bias
    return out + bias[..., None, None]


class _ConvNeXtBlock(nn.Module):
  """N C T H W."""

  def __init__(self, channels):
    super().__init__()
    self.dwconv = _AdaptiveConv(channels, 7)
    self.dwconv_rf = _Route(channels, 48, 1)
    self.norm = nn.LayerNorm(channels, 1e-6)
    self.norm_avgpool = nn.LayerNorm(channels, 1e-6)
    self.pwconv1 = nn.Linear(channels, 4 * channels)
    self.pwconv2 = nn.Linear(4 * channels, channels)
    self.gamma = nn.Parameter(1e-6 * torch.ones(channels))

  def forward(self, x):
    y = self.dwconv(x, self.dwconv_rf(x))
    pooled = tada.average_pooling(y).permute(0, 2, 3, 4, 1)
    y = self.norm(y.permute(0, 2, 3, 4, 1)) + self.norm_avgpool(pooled)
    y = self.pwconv2(primitives.quick_gelu(self.pwconv1(y)))
    return x + (self.gamma * y).permute(0, 4, 1, 2, 3)


class TAdaConvNeXt(nn.Module):
  """TAdaConvNeXtV2-T: N C T H W."""

  def __init__(self):
    super().__init__()
    self.backbone, self.head = nn.Module(), nn.Module()
    stem = nn.Conv3d(3, 96, (3, 4, 4), (2, 4, 4), (1, 0, 0))
    layers = [nn.ModuleList([stem, nn.LayerNorm(96, 1e-6)])]
    for before, after in itertools.pairwise(_WIDTHS):
      conv = nn.Conv3d(before, after, (1, 2, 2), (1, 2, 2))
      layers.append(nn.ModuleList([nn.LayerNorm(before, 1e-6), conv]))
    self.backbone.downsample_layers = nn.ModuleList(layers)
    self.backbone.stages = nn.ModuleList(
      nn.ModuleList(_ConvNeXtBlock(width) for _ in range(depth))
      for width, depth in zip(_WIDTHS, _DEPTHS, strict=True)
    )
    self.backbone.norm = nn.LayerNorm(768, 1e-6)
    self.head.out = nn.Linear(768, 400)

  def forward(self, x):
    """Returns logits."""
    backbone = self.backbone
    for index, stage in enumerate(backbone.stages):
      first, second = backbone.downsample_layers[index]
      if index == 0:
        x = _over_channels(second, first(x))
      else:
        x = second(_over_channels(first, x))
      for block in stage:
        x = block(x)
    return self.head.out(backbone.norm(x.mean((2, 3, 4))))


class _AdaptiveBranch(nn.Module):
  """TAdaFormer's TAdaBlock: L (N T) D, without its residual."""

  def __init__(self, width):
    super().__init__()
    inner = width // 2
    self.tada_pre_proj = nn.Linear(width, inner)
    self.tadaconv = _AdaptiveConv(inner, 3)
    self.tadaconv.rf_func = _Route(inner, 64, 0)
    self.tadaconv.bn_a = nn.BatchNorm3d(inner)
    self.tadaconv.bn_b = nn.BatchNorm3d(inner)
    self.tada_proj = nn.Linear(inner, width)

  def forward(self, x, frames):
    side = round((len(x) - 1) ** 0.5)
    y = self.tada_pre_proj(x[1:]).unflatten(1, (-1, frames))
    y = y.permute(1, 3, 2, 0).unflatten(-1, (side, side))  # N C T H W
    conv = self.tadaconv
    y = conv(y, conv.rf_func(y))
    y = conv.bn_a(y) + conv.bn_b(tada.average_pooling(y))
    y = primitives.quick_gelu(y).flatten(3).permute(3, 0, 2, 1).flatten(1, 2)
    return torch.cat([torch.zeros_like(x[:1]), self.tada_proj(y)])


class _FormerBlock(openai_clip.Block):
  """CLIP's block after the branch: L (N T) D."""

  def __init__(self):
    super().__init__()
    self.tada = _AdaptiveBranch(openai_clip.WIDTH)

  def forward(self, x, frames):
    x = x + self.tada(x, frames)
    x = x + self.attention_branch(x)
    return x + self.mlp_branch(x)


class TAdaFormer(nn.Module):
  """TAdaFormer-B/16: N C T H W."""

  def __init__(self):
    super().__init__()
    width = openai_clip.WIDTH
    self.backbone, self.head = nn.Module(), nn.Module()
    self.backbone.conv1 = nn.Conv3d(
      3, width, (3, 16, 16), (2, 16, 16), (1, 0, 0), bias=False
    )
    self.backbone.class_embedding = nn.Parameter(0.02 * torch.randn(width))
    positions = 0.02 * torch.randn(197, width)
    self.backbone.positional_embedding = nn.Parameter(positions)
    self.backbone.ln_pre = nn.LayerNorm(width)
    self.backbone.layers = nn.ModuleList(_FormerBlock() for _ in range(12))
    self.backbone.ln_post = nn.LayerNorm(width)
    self.head.out = nn.Linear(width, 400)

  def forward(self, clip):
    """Returns logits."""
    backbone = self.backbone
    x = backbone.conv1(clip)
    frames = x.shape[2]
    x = x.permute(0, 2, 3, 4, 1).flatten(0, 1).flatten(1, 2)
    token = backbone.class_embedding.expand(len(x), 1, -1)
    x = torch.cat([token, x], 1) + backbone.positional_embedding
    x = backbone.ln_pre(x).transpose(0, 1)
    for block in backbone.layers:
      x = block(x, frames)
    tokens = x[0].unflatten(0, (-1, frames)).mean(1)
    return self.head.out(backbone.ln_post(tokens))


def _over_channels(norm, x):
  """Norms the channels of N C T H W."""
  return norm(x.permute(0, 2, 3, 4, 1)).permute(0, 4, 1, 2, 3)
