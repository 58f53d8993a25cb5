"""One network in both libraries, ready to run: inference and a training step.

A training step is the forward pass as in training, cross-entropy, and the
gradients of all parameters. Parameters are float32; with bfloat16 each library
decides itself which operations compute in it.
"""

import gc
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch.nn import functional

from benchmarks.cases.networks import NetworkCase
from benchmarks.shared import torch_device
from convert_weights.apply import apply_rules
from temporal_jax import create_model
from temporal_jax.models import fold_batch_norm


class Compiled(NamedTuple):
  """A function that runs once and waits, and the seconds to compile it."""

  run: Callable[[], Any]
  seconds: float


class Ours(NamedTuple):
  """Our compiled functions.

  Attributes:
    inference: Returns logits.
    folded: Inference with batch norms folded; None if there are none.
    training: Returns loss, statistics and gradients; None if not asked for.
  """

  inference: Compiled
  folded: Compiled | None
  training: Compiled | None


class Theirs(NamedTuple):
  """Inference returns logits, training the loss and the gradients."""

  inference: Callable[[], torch.Tensor]
  training: Callable[[], tuple[torch.Tensor, tuple]]


def compile_ahead(function: Callable, *args: Any) -> Compiled:
  """Traces and compiles a function for `args`, or for their shapes."""
  start = time.perf_counter()
  compiled = jax.jit(function).lower(*args).compile()
  seconds = time.perf_counter() - start
  return Compiled(lambda: jax.block_until_ready(compiled(*args)), seconds)


def build(case: NetworkCase) -> torch.nn.Module:
  """Makes the network in torch.

  Tensors with equal values everywhere, such as the zeros of a fresh branch, are
  changed a little: otherwise that branch would not be compared.
  """
  torch.manual_seed(0)
  network = case.theirs()
  with torch.no_grad():
    for tensor in (*network.parameters(), *network.buffers()):
      if tensor.is_floating_point() and tensor.min() == tensor.max():
        tensor.add_(0.02 * torch.randn_like(tensor))
  return network


def with_weights(
  case: NetworkCase, network: torch.nn.Module, clip: np.ndarray, dtype: str
) -> tuple[nn.Module, dict]:
  """Returns our network, and its variables made of the weights of `network`."""
  model = create_model(case.key, dtype=jnp.dtype(dtype), **case.kwargs)
  shapes = jax.eval_shape(model.init, jax.random.key(0), clip)
  tensors = {k: v.cpu().numpy() for k, v in network.state_dict().items()}
  return model, jax.device_put(apply_rules(case.rules, tensors, shapes))


def ours(
  case: NetworkCase,
  network: torch.nn.Module,
  clip: np.ndarray,
  dtype: str,
  *,
  train: bool = True,
) -> Ours:
  """Compiles our network with the weights of `network`."""
  model, variables = with_weights(case, network, clip, dtype)
  clip = jax.device_put(clip)

  def infer(variables: dict, clip: jax.Array) -> jax.Array:
    return model.apply(variables, clip, **case.inputs)[0]

  def loss(params: dict, others: dict, clip: jax.Array) -> tuple:
    (logits, _), updates = model.apply(
      {**others, "params": params},
      clip,
      **case.inputs,
      train=True,
      mutable="batch_stats",
    )
    log_probabilities = jax.nn.log_softmax(logits.astype(jnp.float32))
    return -jnp.mean(log_probabilities[:, 0]), updates

  inference = compile_ahead(infer, variables, clip)
  folded, fewer = None, jax.jit(fold_batch_norm)(variables)
  if jax.tree.structure(fewer) != jax.tree.structure(variables):
    folded = compile_ahead(infer, fewer, clip)
  if not train:
    return Ours(inference, folded, None)
  params = variables["params"]
  others = {k: v for k, v in variables.items() if k != "params"}
  step = jax.value_and_grad(loss, has_aux=True)
  training = compile_ahead(step, params, others, clip)
  return Ours(inference, folded, training)


def forward(
  case: NetworkCase,
  network: torch.nn.Module,
  clip: np.ndarray,
  dtype: str,
  *,
  compiled: bool,
) -> Callable[[], torch.Tensor]:
  """Returns a function that computes torch's logits of `clip`.

  Args:
    case: The network.
    network: The network in torch, which is moved to the GPU if there is one.
    clip: Our clips (B, T, H, W, 3).
    dtype: Dtype of torch's autocast.
    compiled: Whether to use torch.compile.
  """
  device = torch_device.name()
  clip = np.ascontiguousarray(einops.rearrange(clip, case.pattern))
  frames = torch.tensor(clip, device=device)
  network.to(device)
  run = torch.compile(network) if compiled else network

  def logits() -> torch.Tensor:
    if dtype == "float32":
      return run(frames)
    with torch.autocast(device, getattr(torch, dtype)):
      return run(frames)

  return logits


def theirs(
  case: NetworkCase,
  network: torch.nn.Module,
  clip: np.ndarray,
  dtype: str,
  *,
  compiled: bool,
) -> Theirs:
  """Returns torch's functions; `compiled` uses torch.compile."""
  run = forward(case, network, clip, dtype, compiled=compiled)
  labels = torch.zeros(len(clip), dtype=torch.long, device=torch_device.name())
  parameters = list(network.parameters())

  def inference() -> torch.Tensor:
    network.eval()
    with torch.no_grad():
      out = run()
    torch_device.wait()
    return out

  def training() -> tuple[torch.Tensor, tuple]:
    network.train()
    loss = functional.cross_entropy(run().float(), labels)
    gradients = torch.autograd.grad(loss, parameters)
    torch_device.wait()
    return loss, gradients

  return Theirs(inference, training)


def free_memory() -> None:
  """Frees the memory of a case."""
  gc.collect()
  jax.clear_caches()
  torch._dynamo.reset()
  if torch.cuda.is_available():
    torch.cuda.empty_cache()


def difference(ours: jax.Array, theirs: torch.Tensor) -> float:
  """Returns the relative error of ours."""
  found = np.asarray(ours, np.float32)
  wanted = theirs.detach().float().cpu().numpy()
  return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def training_difference(ours: tuple, theirs: tuple) -> float:
  """Returns the relative error of the loss and of the gradients' norm."""
  squares = (np.vdot(leaf, leaf) for leaf in jax.tree.leaves(ours[1]))
  wanted = sum(leaf.double().square().sum() for leaf in theirs[1])
  return max(
    difference(ours[0][0], theirs[0]),
    difference(np.sqrt(sum(squares)), wanted.sqrt()),
  )
