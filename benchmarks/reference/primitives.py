"""Functions that the reference code of several papers uses, in torch.

Transcribed from the reference classes, in their layouts: frames folded
into the batch (N T) C H W, or tokens (N T) L M d of M heads.
"""

import torch
from torch import nn
from torch.nn import functional


def attention(q, k, v):
  """Attention after the projections, as the references compute it: B L M d."""
  q, k, v = (x.transpose(1, 2) for x in (q, k, v))
  weights = (q @ k.transpose(-2, -1)) * q.shape[-1] ** -0.5
  return (weights.softmax(-1) @ v).transpose(1, 2).contiguous()


def patch_embedding(x, kernel):
  """Non-overlapping patches by a strided convolution: (N T) C H W."""
  return functional.conv2d(x, kernel, stride=kernel.shape[-1])


def depthwise_convolution(x, kernel):
  """One kernel per channel: N C H W, kernel (C, 1, k, k)."""
  padding = kernel.shape[-1] // 2
  return functional.conv2d(x, kernel, padding=padding, groups=x.shape[1])


def quick_gelu(x):
  """CLIP's activation."""
  return x * torch.sigmoid(1.702 * x)


def batch_norm(x, scale, bias):
  """BatchNorm in inference, with mean 0 and variance 1."""
  zeros, ones = torch.zeros_like(bias), torch.ones_like(scale)
  return functional.batch_norm(x, zeros, ones, scale, bias)


def layer_norm(x, scale, bias):
  """LayerNorm over the last axis, epsilon 1e-6."""
  return functional.layer_norm(x, scale.shape, scale, bias, 1e-6)


def add_bottleneck(module, channels, width, features, stride):
  """Adds a bottleneck's convolutions, conv1 to conv3, and norms, bn1 to bn3."""
  sizes = ((channels, width, 1), (width, width, 3), (width, features, 1))
  for i, (inputs, outputs, size) in enumerate(sizes, 1):
    step = stride if i == 2 else 1
    conv = nn.Conv2d(inputs, outputs, size, step, size // 2, bias=False)
    module.add_module(f"conv{i}", conv)
    module.add_module(f"bn{i}", nn.BatchNorm2d(outputs))
