"""The operators' modules as their authors' torch code computes them.

Each takes features and a dict of weights named as in `module_rows`. BatchNorm
is that of inference, with the statistics of a new module.
"""

import torch
from torch.nn import functional

from benchmarks.reference import operators as torch_forms


def route_mlp(x, w):
  """TAdaConv's first route function: N C T H W."""
  frames = functional.adaptive_avg_pool3d(x, (None, 1, 1))
  clip = functional.adaptive_avg_pool3d(x, 1)
  frames = frames + functional.conv3d(clip, w["context"], w["context_bias"])
  padding = (1, 0, 0)
  hidden = functional.conv3d(frames, w["reduce"], w["reduce_bias"], 1, padding)
  hidden = batch_norm(hidden, w["scale"], w["bias"]).relu()
  out = functional.conv3d(hidden, w["expand"], None, 1, padding)
  return (out + 1)[..., 0, 0]


def route_attention(x, w):
  """TAdaConv's second route function: N C T H W."""
  padding = (1, 0, 0)
  frames = functional.adaptive_avg_pool3d(x, (None, 1, 1))
  frames = functional.conv3d(frames, w["reduce"], w["reduce_bias"], 1, padding)
  frames = frames[..., 0, 0].transpose(1, 2)
  frames = torch_forms.quick_gelu(_layer_norm(frames, w["scale"], w["bias"]))
  normed = _layer_norm(frames, w["attention_scale"], w["attention_bias"])
  qkv = functional.linear(normed, w["qkv"], w["qkv_bias"])
  q, k, v = qkv.unflatten(-1, (3, -1, 64)).unbind(2)
  # The products are scaled by the whole width.
  q = q * (64 / frames.shape[-1]) ** 0.5
  heard = torch_forms.attention(q, k, v).flatten(2)
  frames = frames + functional.linear(heard, w["out"], w["out_bias"])
  frames = frames.transpose(1, 2)[..., None, None]
  out = functional.conv3d(frames, w["expand"], None, 1, padding)
  return (out + 1)[..., 0, 0]


def window_encoder(x, w):
  """ATM's Conv2D_UV2C: windows (N T L H W) 1 P P."""
  for i, (stride, padding) in enumerate(((1, 1), (2, 1), (2, 1), (1, 0)), 1):
    x = functional.conv2d(x, w[f"conv{i}"], stride=stride, padding=padding)
    x = batch_norm(x, w[f"scale{i}"], w[f"bias{i}"]).relu()
  return x[..., 0, 0]


def domain_transformation(x, w, contexts=5):
  """ATM's DomainTransfer: cues (N T L) C H W."""
  for i in (1, 2):
    x = functional.conv2d(x, w[f"conv{i}"], padding=1)
    x = batch_norm(x, w[f"scale{i}"], w[f"bias{i}"]).relu()
  x = x.reshape(-1, contexts * x.shape[1], *x.shape[2:])
  x = functional.conv2d(x, w["fuse"], padding=1)
  x = batch_norm(x, w["fuse_scale"], w["fuse_bias"]).relu()
  return functional.conv2d(x, w["expand"])


def interaction(x, w):
  """ILA's interactive block, separable: (N P) 2C H W."""
  groups = x.shape[1]
  x = functional.conv2d(
    x, w["depthwise"], w["depthwise_bias"], padding=1, groups=groups
  )
  x = batch_norm(x, w["depthwise_scale"], w["depthwise_offset"]).relu()
  for i in (1, 2):
    x = functional.conv2d(x, w[f"conv{i}"], w[f"conv{i}_bias"], padding=i - 1)
    x = batch_norm(x, w[f"scale{i}"], w[f"bias{i}"]).relu()
  return x


def batch_norm(x, scale, bias):
  """BatchNorm of inference."""
  zeros, ones = torch.zeros_like(bias), torch.ones_like(scale)
  return functional.batch_norm(x, zeros, ones, scale, bias)


def _layer_norm(x, scale, bias):
  return functional.layer_norm(x, scale.shape, scale, bias, 1e-6)
