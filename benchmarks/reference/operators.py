"""The operators as their authors' torch code computes them.

Transcribed from the equations and from what the reference classes do, in their
layouts: frames folded into the batch (N T) C H W, tokens first L (N T) C, or
N C T H W. They are what the library is timed against.
"""

import torch
from torch.nn import functional


def temporal_shift(x, frames, fold_div=8):
  """TSM: (N T) C H W."""
  folded = x.view(-1, frames, *x.shape[1:])
  fold = x.shape[1] // fold_div
  out = torch.zeros_like(folded)
  out[:, :-1, :fold] = folded[:, 1:, :fold]
  out[:, 1:, fold : 2 * fold] = folded[:, :-1, fold : 2 * fold]
  out[:, :, 2 * fold :] = folded[:, :, 2 * fold :]
  return out.view_as(x)


def temporal_aggregation(x, kernel, frames):
  """TAM: (N T) C H W and taps (3, C)."""
  channels = x.shape[1]
  parts = [
    functional.conv2d(x, weight.view(-1, 1, 1, 1), groups=channels).view(
      -1, frames, *x.shape[1:]
    )
    for weight in kernel
  ]
  before = functional.pad(parts[0], (0, 0, 0, 0, 0, 0, 1, 0))[:, :-1]
  after = functional.pad(parts[2], (0, 0, 0, 0, 0, 0, 0, 1))[:, 1:]
  return torch.stack([before, parts[1], after]).sum(0).relu().flatten(0, 1)


def class_token_convolution(x, kernel, frames):
  """TokenT1D: L (N T) C and taps (C, 1, 3)."""
  tokens, folded, channels = x.shape
  x = x.permute(1, 0, 2).contiguous().view(-1, frames, tokens, channels)
  x = x.permute(0, 2, 3, 1).contiguous()
  out = torch.zeros_like(x)
  out[:, 0] = functional.conv1d(x[:, 0], kernel, padding=1, groups=channels)
  out[:, 1:] = x[:, 1:]
  return out.permute(1, 0, 3, 2).contiguous().view(tokens, folded, channels)


def average_pooling(x):
  """Strided temporal pooling: N C T H W."""
  return functional.avg_pool3d(x, (3, 1, 1), stride=1, padding=(1, 0, 0))


def max_pooling(x):
  """Strided temporal pooling by the maximum: N C T H W."""
  return functional.max_pool3d(x, (3, 1, 1), stride=1, padding=(1, 0, 0))


def adaptive_convolution(x, kernel, calibration, axis, groups, padding, stride=1):
  """TAdaConv: N C T H W, kernel (O, I / groups, k, k), calibration N C T.

  Every frame gets a kernel of its own and is a group of one convolution.
  """
  batch, _, frames, height, width = x.shape
  alpha = calibration.permute(0, 2, 1)
  if axis == "in":
    kernels = alpha[:, :, None, :, None, None] * kernel
  else:
    kernels = alpha[:, :, :, None, None, None] * kernel
  folded = x.permute(0, 2, 1, 3, 4).reshape(1, -1, height, width)
  out = functional.conv2d(
    folded,
    kernels.reshape(-1, *kernel.shape[1:]),
    stride=stride,
    padding=padding,
    groups=groups * batch * frames,
  )
  out = out.view(batch, frames, kernel.shape[0], *out.shape[2:])
  return out.permute(0, 2, 1, 3, 4)


def adaptive_convolution_3d(x, kernel, calibration):
  """TAdaConv3d: N C T H W, kernel (O, I, 3, 3, 3), calibration N C T."""
  batch, _, frames, height, width = x.shape
  alpha = calibration.permute(0, 2, 1)
  kernels = alpha[:, :, None, :, None, None, None] * kernel
  around = functional.pad(x, (0, 0, 0, 0, 1, 1)).unfold(2, 3, 1)  # N C T H W 3
  folded = around.permute(0, 2, 1, 5, 3, 4).reshape(1, -1, 3, height, width)
  out = functional.conv3d(
    folded,
    kernels.reshape(-1, *kernel.shape[1:]),
    padding=(0, 1, 1),
    groups=batch * frames,
  )
  out = out.view(batch, frames, kernel.shape[0], height, width)
  return out.permute(0, 2, 1, 3, 4)


def context_frames(x, length):
  """ATM's anchors and contexts: N T C H W -> twice (N T L) C H W."""
  reach = length // 2
  anchor = x[:, :, None].expand(-1, -1, length, -1, -1, -1)
  padded = functional.pad(x, (0, 0, 0, 0, 0, 0, reach, reach))
  context = padded.unfold(1, length, 1).permute(0, 1, 5, 2, 3, 4)
  return (
    anchor.reshape(-1, *x.shape[2:]),
    context.reshape(-1, *x.shape[2:]),
  )


def difference(x, length=5):
  """ATM's difference to each context frame: N T C H W."""
  anchor, context = context_frames(x, length)
  return context - anchor


def log_ratio(x, length=5):
  """ATM's division: N T C H W."""
  anchor, context = context_frames(x, length)
  return context.abs().log1p() - anchor.abs().log1p()


def correlation(x, length=5, window=9):
  """ATM's correlation: the whole (HW)^2 matrix, then its diagonals."""
  anchor, context = (
    f / (f.square().sum(1, keepdim=True) + 1e-6).sqrt()
    for f in context_frames(x, length)
  )
  height, width = x.shape[-2:]
  full = torch.einsum("bcn,bcm->bnm", context.flatten(2), anchor.flatten(2))
  full = full.view(-1, height, width, height, width)
  reach = window // 2
  rows = full.new_zeros(full.shape[0], height, height, window, width)
  for step in range(-reach, reach + 1):
    band = full.diagonal(offset=step, dim1=2, dim2=4)
    sides = (step, 0) if step >= 0 else (0, -step)
    rows[:, :, :, reach - step] = functional.pad(band, sides)
  out = full.new_zeros(full.shape[0], window, width, window, height)
  for step in range(-reach, reach + 1):
    band = rows.diagonal(offset=step, dim1=1, dim2=2)
    sides = (step, 0) if step >= 0 else (0, -step)
    out[:, :, :, reach - step] = functional.pad(band, sides)
  return out.permute(0, 3, 1, 4, 2).contiguous()


def alignment(x, points, size):
  """ILA's masks and aligned frames: N T L C and N T-1 4."""
  pre, cur = x[:, :-1], x[:, 1:]
  masked = []
  for tokens, point in ((pre, points[..., :2]), (cur, points[..., 2:])):
    mask = _alignment_mask(point, size).flatten(2)[..., None]
    masked.append(torch.cat([tokens[:, :, :1], tokens[:, :, 1:] * mask], 2))
  middle = (masked[0][:, 1:] + masked[1][:, :-1]) / 2
  return torch.cat([masked[0][:, :1], middle, masked[1][:, -1:]], 1)


def _alignment_mask(points, size):
  grid = torch.linspace(-1, 1, size, device=points.device)
  far = (grid[:, None] - points[..., None, :]).abs()
  near = (far <= 0.25).to(far.dtype)
  slope = (1 - (far - 0.25) * 1.5).relu()
  weight = near + (1 - near) * slope
  return weight[..., 1][..., :, None] * weight[..., 0][..., None, :]


def attention(q, k, v):
  """Attention as the references spell it, after the projection: B L M d."""
  q, k, v = (x.transpose(1, 2) for x in (q, k, v))
  weights = (q @ k.transpose(-2, -1)) * q.shape[-1] ** -0.5
  return (weights.softmax(-1) @ v).transpose(1, 2).contiguous()


def mixing_attention(q, k, v, frames, fold_div=8):
  """X-ViT: (N T) L M d; keys and values are shifted with heads flattened."""

  def shift(x):
    flat = x.permute(0, 2, 3, 1).flatten(1, 2)[..., None]
    moved = temporal_shift(flat.contiguous(), frames, fold_div)[..., 0]
    moved = moved.view(x.shape[0], x.shape[2], x.shape[3], x.shape[1])
    return moved.permute(0, 3, 1, 2)

  return attention(q, shift(k), shift(v))


def joint_attention(q, k, v, frames):
  """All tokens of a clip: (N T) L M d."""
  clips = (x.view(-1, frames * x.shape[1], *x.shape[2:]) for x in (q, k, v))
  return attention(*clips).view_as(q)


def temporal_attention(q, k, v, frames):
  """The frames at each place: (N T) L M d."""

  def fold(x):
    return x.view(-1, frames, *x.shape[1:]).transpose(1, 2).flatten(0, 1)

  out = attention(fold(q), fold(k), fold(v))
  out = out.view(-1, q.shape[1], *out.shape[1:]).transpose(1, 2)
  return out.flatten(0, 1)


def patch_embedding(x, kernel):
  """Non-overlapping patches by a strided convolution: (N T) C H W."""
  return functional.conv2d(x, kernel, stride=kernel.shape[-1])


def tubelet_embedding(x, kernel):
  """Tubelets of three frames, stride two: N C T H W."""
  side = kernel.shape[-1]
  return functional.conv3d(x, kernel, stride=(2, side, side), padding=(1, 0, 0))


def depthwise_convolution(x, kernel):
  """One kernel a channel: N C H W, kernel (C, 1, k, k)."""
  padding = kernel.shape[-1] // 2
  return functional.conv2d(x, kernel, padding=padding, groups=x.shape[1])


def quick_gelu(x):
  """CLIP's activation."""
  return x * torch.sigmoid(1.702 * x)
