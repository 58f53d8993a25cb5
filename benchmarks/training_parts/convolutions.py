"""Times each convolution of a network by itself: forward and gradients."""

import collections
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
import torch
from torch.nn import functional

from benchmarks.shared import timing, torch_device
from temporal_jax import ops


class Convolution(NamedTuple):
  """A convolution of frames in a network.

  Attributes:
    shape: Shape of the frames (N, H, W, C).
    kernel: Shape of the kernel (KH, KW, C / groups, C').
    stride: Step over rows and columns.
    padding: Zeros on every side.
    groups: Groups of channels.
    first: Whether its input is the clip, whose gradient training does not need.
  """

  shape: tuple[int, ...]
  kernel: tuple[int, ...]
  stride: int
  padding: int
  groups: int
  first: bool


def find(
  network: torch.nn.Module, clip: np.ndarray
) -> collections.Counter[Convolution]:
  """Returns the convolutions that a network in torch calls, and how often.

  Args:
    network: A network with two-dimensional convolutions only.
    clip: A clip in the network's layout.

  Raises:
    ValueError: If it calls other convolutions.
  """
  found: list[Convolution] = []

  def note(module: torch.nn.Module, inputs: tuple, _: Any) -> None:
    square = isinstance(module, torch.nn.Conv2d) and all(
      len(set(pair)) == 1 for pair in (module.stride, module.padding)
    )
    if not square or module.dilation != (1, 1):
      raise ValueError(f"only plain Conv2d can be timed by itself, got {module}.")
    count, channels, *size = inputs[0].shape
    features, depth, *taps = module.weight.shape
    found.append(
      Convolution(
        (count, *size, channels),
        (*taps, depth, features),
        module.stride[0],
        module.padding[0],
        module.groups,
        first=not found,
      )
    )

  hooks = [
    module.register_forward_hook(note)
    for module in network.modules()
    if isinstance(module, torch.nn.modules.conv._ConvNd)
  ]
  device = next(network.parameters()).device
  try:
    with torch.no_grad():
      network(torch.tensor(np.ascontiguousarray(clip), device=device))
  finally:
    for hook in hooks:
      hook.remove()
  return collections.Counter(found)


def measure(
  network: torch.nn.Module, clip: np.ndarray, dtype: str, *, seconds: float
) -> dict[str, dict[str, float]]:
  """Times all convolutions of a network, each by itself, and adds them up.

  Args:
    network: See `find`.
    clip: A clip in the network's layout.
    dtype: Dtype of frames and kernels.
    seconds: Seconds for each timing.

  Returns:
    For "forward" and for the "gradients" of frames and kernel: milliseconds of
    "ours" and "theirs", and their "ratio".
  """
  totals = collections.defaultdict(lambda: np.zeros(2))
  for convolution, count in find(network, clip).items():
    for kind, times in _times(convolution, dtype, seconds).items():
      totals[kind] += count * np.array([times.ours, times.theirs])
  return {
    kind: timing.Times(
      ours=float(ours), theirs=float(theirs), ratio=float(theirs / ours)
    )._asdict()
    for kind, (ours, theirs) in totals.items()
  }


@functools.cache  # Networks share many.
def _times(
  convolution: Convolution, dtype: str, seconds: float
) -> dict[str, timing.Times]:
  mine, other = _ours(convolution, dtype), _theirs(convolution, dtype)
  return {
    kind: timing.side_by_side(*pair, seconds=seconds, turns=(3, 20), repeats=1)
    for kind, pair in zip(
      ("forward", "gradients"), zip(mine, other, strict=True), strict=True
    )
  }


Runners = tuple[Callable[[], Any], Callable[[], Any]]


def _ours(convolution: Convolution, dtype: str) -> Runners:
  """Returns functions that run the operator forward, and its gradients."""
  x, kernel = (jax.device_put(a).astype(dtype) for a in _arrays(convolution))
  convolve = functools.partial(
    ops.convolution_2d,
    stride=convolution.stride,
    padding=convolution.padding,
    groups=convolution.groups,
  )
  forward = jax.jit(convolve)
  out = forward(x, kernel)

  @jax.jit
  def gradients(x: jax.Array, kernel: jax.Array, out: jax.Array) -> tuple:
    of_frames, of_kernel = jax.vjp(convolve, x, kernel)[1](out)
    return of_kernel if convolution.first else (of_frames, of_kernel)

  return (
    lambda: jax.block_until_ready(forward(x, kernel)),
    lambda: jax.block_until_ready(gradients(x, kernel, out)),
  )


def _theirs(convolution: Convolution, dtype: str) -> Runners:
  device = torch_device.name()
  x, kernel = (
    torch.tensor(
      np.ascontiguousarray(np.transpose(array, axes)),
      device=device,
      dtype=getattr(torch, dtype),
    )
    for array, axes in zip(
      _arrays(convolution), ((0, 3, 1, 2), (3, 2, 0, 1)), strict=True
    )
  )
  kernel.requires_grad_()
  x.requires_grad_(not convolution.first)
  wanted = [kernel] if convolution.first else [x, kernel]

  def convolve() -> torch.Tensor:
    return functional.conv2d(
      x,
      kernel,
      stride=convolution.stride,
      padding=convolution.padding,
      groups=convolution.groups,
    )

  out = convolve()
  gradient = out.detach().clone()

  def forward() -> torch.Tensor:
    with torch.no_grad():
      result = convolve()
    torch_device.wait()
    return result

  def gradients() -> tuple[torch.Tensor, ...]:
    result = torch.autograd.grad(out, wanted, gradient, retain_graph=True)
    torch_device.wait()
    return result

  return forward, gradients


def _arrays(convolution: Convolution) -> tuple[np.ndarray, np.ndarray]:
  rng = np.random.default_rng(0)
  shapes = convolution.shape, convolution.kernel
  return tuple(rng.standard_normal(shape, np.float32) for shape in shapes)
