"""Times a training step of a network in both libraries.

A step is the forward pass, cross-entropy, the gradients of all parameters, and
their update by SGD with momentum or AdamW. Ours is the step of train.py with
its logging, but with normalisation as its only augmentation; torch's is plain,
and its clips are already normalised.
"""

import time
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple

import einops
import jax
import numpy as np
import optax
import torch
from torch.nn import functional

from benchmarks.cases.networks import NetworkCase
from benchmarks.shared import machine, network_sides, timing, torch_device
from benchmarks.training_parts import convolutions
from temporal_jax import data, training
from temporal_jax.models import find_model
from temporal_jax.models.inspect import count


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

# So low that the loss of the same clips does not vanish during the timing.
_RATES = MappingProxyType({"sgd": 1e-3, "adamw": 1e-5})
_DECAY, _MOMENTUM = 0.05, 0.9
_TOLERANCE = 0.02  # Above differences of bfloat16, below an error's.


class Step(NamedTuple):
  """Our compiled step.

  Attributes:
    run: Does a step and waits; returns the sum of all clips' losses so far.
    seconds: Seconds to trace and compile it.
    peak_bytes: Bytes of the state, the batch, and temporary arrays.
    multiply_adds: Multiply-adds of a step, three times those of the forward
      pass.
  """

  run: Callable[[], jax.Array]
  seconds: float
  peak_bytes: int
  multiply_adds: int


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
  mine = ours(case, network, pixels, dtype, setting.optimizer)
  other = theirs(case, network, clip, dtype, setting.optimizer, compiled=compiled)
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


def ours(
  case: NetworkCase,
  network: torch.nn.Module,
  pixels: np.ndarray,
  dtype: str,
  optimizer: str,
) -> Step:
  """Compiles our step from the weights of `network`.

  Args:
    case: The network.
    network: The network in torch.
    pixels: Clips (B, T, S, S, 3) uint8; their labels are 0, 1, ...
    dtype: Dtype of the activations.
    optimizer: "sgd" or "adamw".
  """
  spec = find_model(case.key)
  clip = pixels.astype(np.float32)
  model, variables = network_sides.with_weights(case, network, clip, dtype)
  mesh = training.create_mesh({"data": 1}, jax.devices()[:1])
  groups = training.parameter_groups(
    variables["params"], weight_decay=_DECAY, decay_vectors=True
  )
  rule = training.create_optimizer(
    optimizer,
    optax.constant_schedule(_RATES[optimizer]),
    groups,
    momentum=_MOMENTUM,
  )
  state = training.create_state({"batch_stats": {}, **variables}, rule, ema=False)
  state = jax.device_put(state, training.replicated(mesh))
  logits, _ = jax.eval_shape(model.apply, variables, clip)
  step = training.make_train_step(
    training.StepSpec(
      training.ClipObjective(
        network=model,
        loss=training.Loss(logits.shape[-1]),
        augment=data.Augmentation(
          "", mean=spec.mean, std=spec.std, image_size=pixels.shape[2]
        ),
      ),
      rule,
      seed=0,
    ),
    mesh,
    jax.tree.map(lambda leaf: leaf.sharding, state),
  )
  size = len(pixels)
  batch = training.place_batch(
    {
      "clip": pixels,
      "label": np.arange(size, dtype=np.int32),
      "weight": np.ones(size, np.float32),
    },
    mesh,
  )
  start = time.perf_counter()
  compiled = step.lower(state, batch).compile()
  seconds = time.perf_counter() - start

  def run() -> jax.Array:
    nonlocal state
    state = jax.block_until_ready(compiled(state, batch))
    return state.window["loss"]

  memory = compiled.memory_analysis()
  peak_bytes = (
    memory.argument_size_in_bytes
    + memory.output_size_in_bytes
    + memory.temp_size_in_bytes
    - memory.alias_size_in_bytes
  )
  forward = count.multiply_adds(model.apply, variables, clip)
  return Step(run, seconds, peak_bytes, 3 * forward)


def theirs(
  case: NetworkCase,
  network: torch.nn.Module,
  clip: np.ndarray,
  dtype: str,
  optimizer: str,
  *,
  compiled: bool,
) -> Callable[[], torch.Tensor]:
  """Returns torch's step, which returns the mean loss."""
  logits = network_sides.forward(case, network, clip, dtype, compiled=compiled)
  network.train()
  parameters = list(network.parameters())
  labels = torch.arange(len(clip), device=parameters[0].device)
  settings = {"lr": _RATES[optimizer], "weight_decay": _DECAY}
  if optimizer == "adamw":
    rule = torch.optim.AdamW(parameters, **settings)
  else:
    rule = torch.optim.SGD(parameters, momentum=_MOMENTUM, nesterov=True, **settings)

  def run() -> torch.Tensor:
    rule.zero_grad()
    loss = functional.cross_entropy(logits().float(), labels)
    loss.backward()
    rule.step()
    torch_device.wait()
    return loss.detach()

  return run


def _difference(
  ours: Callable[[], jax.Array], theirs: Callable[[], torch.Tensor], batch: int
) -> float:
  """Returns the largest relative error of ours in the first two steps."""
  sums = [0.0, float(ours()), float(ours())]
  found = np.diff(sums) / batch
  wanted = np.array([float(theirs()), float(theirs())])
  return float(np.max(np.abs(found - wanted) / np.abs(wanted)))
