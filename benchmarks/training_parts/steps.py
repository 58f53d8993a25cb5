"""Times a training step of a network in both libraries.

A step is the forward pass, cross-entropy, the gradients of all parameters, and
their update by SGD with momentum or AdamW; see `our_step` and `torch_step`,
whose clips are already normalised.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple

import einops
import jax
import numpy as np
import torch

from benchmarks.cases.networks import NetworkCase
from benchmarks.shared import machine, network_sides, timing, torch_device
from benchmarks.training_parts import convolutions, our_step, torch_step
from temporal_jax import data
from temporal_jax.models import find_model


class Setting(NamedTuple):
  """Training settings of a network in this benchmark.

  Attributes:
    optimizer: "sgd" or "adamw".
    frames: Frames of a clip; None for the catalog's.
    convolutional: Whether its convolutions are also timed by themselves.
  """

  optimizer: str = "adamw"
  frames: int | None = None
  convolutional: bool = False


_CONVOLUTIONAL = Setting("sgd", convolutional=True)
SETTINGS = MappingProxyType(
  {
    "vit_b32": Setting(),
    "vit_b16": Setting(frames=4),
    "vit_l14": Setting(),
    "vit_b32_divided": Setting(),
    "xvit_b16": Setting(frames=8),
    "atm_vit_b16": Setting(frames=4),
    "tadaformer_b16": Setting(frames=8),
    "ila_vit_b32 (video tower)": Setting(),
    "resnet18": Setting("sgd"),
    "resnet50": _CONVOLUTIONAL,
    "tsm_resnet50": _CONVOLUTIONAL,
    "aggregation_resnet50": _CONVOLUTIONAL,
    "blvnet_tam_50": Setting("sgd"),
    "tada2d_resnet50": Setting("sgd"),
    "slowfast_50_4x16": Setting("sgd"),
    "tadaconvnextv2_tiny": Setting(frames=8),
  }
)

_TOLERANCE = 0.02  # Above differences of bfloat16, below an error's.


def measure(
  case: NetworkCase,
  dtype: str,
  setting: Setting,
  *,
  compiled: bool = False,
  seconds: float = 2.0,
  batch: int = 2,
  clip_shape: tuple[int, int, int] | None = None,
) -> dict[str, Any]:
  """Times the step of one network, and checks that both losses agree.

  With `compiled`, torch's step is compiled by torch.compile.

  Raises:
    ValueError: If the losses of the first two steps differ.
  """
  spec = find_model(case.key)
  frames, height, width = clip_shape or spec.clip_shape
  shape = (batch, setting.frames or frames, height, width, 3)
  pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
  clip = np.asarray(data.normalize(pixels, spec.mean, spec.std))
  network = network_sides.build(case)
  model, variables = network_sides.with_weights(case, network, clip, dtype)
  mine = our_step.compile_step(
    model,
    variables,
    pixels,
    mean=spec.mean,
    std=spec.std,
    optimizer=setting.optimizer,
    inputs=case.inputs,
  )
  logits = network_sides.forward(case, network, clip, dtype, compiled=compiled)
  other = torch_step.create(network, logits, batch=batch, optimizer=setting.optimizer)
  difference = _difference(mine.run, other, batch)
  if not difference < _TOLERANCE:
    raise ValueError(f"{case.name}: losses differ by {difference:.1e}.")
  times = timing.side_by_side(
    mine.run, other, seconds=seconds, turns=(5, 20), repeats=1
  )
  convolution_times = None
  if setting.convolutional:
    theirs_clip = einops.rearrange(clip, case.pattern)
    convolution_times = convolutions.measure(
      network, theirs_clip, dtype, seconds=seconds / 10
    )
  return {
    "name": case.name,
    "dtype": dtype,
    "optimizer": setting.optimizer,
    "torch": ("torch.compile of " if compiled else "eager ") + case.description,
    "clip": shape,
    "step": times._asdict(),
    "clips_per_second": {
      "ours": 1e3 * batch / times.ours,
      "theirs": 1e3 * batch / times.theirs,
    },
    "compile_seconds": mine.seconds,
    "peak_bytes": mine.peak_bytes,
    "torch_peak_bytes": torch_device.peak_bytes(),
    "difference": difference,
    "convolutions": convolution_times,
    "flops_utilization": machine.share_of_peak(
      times.ours / 1e3, dtype, multiply_adds=mine.multiply_adds
    ),
  }


def _difference(
  ours: Callable[[], jax.Array], theirs: Callable[[], torch.Tensor], batch: int
) -> float:
  """Returns the largest relative error of ours in the first two steps."""
  sums = [0.0, float(ours()), float(ours())]
  found = np.diff(sums) / batch
  wanted = np.array([float(theirs()), float(theirs())])
  return float(np.max(np.abs(found - wanted) / np.abs(wanted)))
