"""Our training step, compiled, without torch.

It is the step of train.py with its logging, but with normalisation as its only
augmentation.
"""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

from benchmarks.training_parts import update_rules
from temporal_jax import data, training
from temporal_jax.models.inspect import count
from temporal_jax.models.network import Network

_NOTHING = MappingProxyType({})


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


def compile_step(
  network: Network,
  variables: Mapping[str, Any],
  pixels: np.ndarray,
  *,
  mean: float | tuple[float, ...],
  std: float | tuple[float, ...],
  optimizer: str,
  inputs: Mapping[str, np.ndarray] = _NOTHING,
) -> Step:
  """Compiles the training step of a network.

  Args:
    network: The network.
    variables: Its variables.
    pixels: Clips (B, T, S, S, 3) uint8; their labels are 0, 1, ...
    mean: Mean of the pixels, see `data.normalize`.
    std: Standard deviation of the pixels.
    optimizer: "sgd" or "adamw", see `update_rules`.
    inputs: Inputs of the network other than clips.
  """
  clip = jax.ShapeDtypeStruct(pixels.shape, np.float32)
  mesh = training.create_mesh({"data": 1}, jax.devices()[:1])
  groups = training.parameter_groups(
    variables["params"], weight_decay=update_rules.DECAY, decay_vectors=True
  )
  rule = training.create_optimizer(
    optimizer,
    optax.constant_schedule(update_rules.RATES[optimizer]),
    groups,
    momentum=update_rules.MOMENTUM,
  )
  state = training.create_state({"batch_stats": {}, **variables}, rule, ema=False)
  state = jax.device_put(state, training.replicated(mesh))

  def apply(variables: Mapping[str, Any], clip: jax.Array) -> tuple[jax.Array, Any]:
    return network.apply(variables, clip, **inputs)

  logits, _ = jax.eval_shape(apply, variables, clip)
  step = training.make_train_step(
    training.StepSpec(
      training.ClipObjective(
        network=network,
        loss=training.Loss(logits.shape[-1]),
        augment=data.Augmentation("", mean=mean, std=std, image_size=pixels.shape[2]),
        inputs=inputs,
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
  forward = count.multiply_adds(apply, variables, clip)
  return Step(run, seconds, peak_bytes, 3 * forward)
