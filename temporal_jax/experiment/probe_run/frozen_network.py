"""A network cut before its head: the frozen part, and the head."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import data
from temporal_jax.models.network import Network

_HEAD = "head"  # Name of the module in every network that has one.


@dataclasses.dataclass(frozen=True)
class FrozenNetwork:
  """A network and the head that is trained.

  Attributes:
    network: The network.
    head: Its head, as a module of its own.
    input_shape: Shape (T', D) of a clip's input of the head.
    pixels: {"mean", "std"} of the network's pixels.
  """

  network: Network
  head: nn.Module
  input_shape: tuple[int, ...]
  pixels: Mapping[str, Any]

  def inputs(self, variables: Mapping[str, Any], clip: jax.Array) -> jax.Array:
    """Maps clips (B, T, S, S, C) uint8 to inputs (B, T', D) of the head."""
    pixels = data.normalize(clip, **self.pixels)
    _, found = _head_input(self.network, variables, pixels)
    return found.astype(jnp.float32)


def cut_before_head(
  name: str,
  network: Network,
  variables: Mapping[str, Any],
  clip_shape: tuple[int, ...],
  pixels: Mapping[str, Any],
) -> FrozenNetwork:
  """Finds the head of a network; nothing is computed.

  Args:
    name: The network's name, for messages.
    network: The network.
    variables: Its variables, or their shapes.
    clip_shape: Shape (1, T, S, S, C) of a clip.
    pixels: {"mean", "std"} of its pixels.

  Raises:
    ValueError: If it has no head: it compares clips with texts.
  """
  found: list[nn.Module] = []

  def trace(variables: Mapping[str, Any], clip: jax.Array) -> jax.Array:
    head, x = _head_input(network, variables, clip)
    found.append(head.clone(parent=None, name=None))
    return x

  if network.reads_text:
    raise ValueError(
      f"{name} has no head to train, it compares clips with texts: take its video "
      "tower, or fine-tune it by configs/finetune.py."
    )
  clip = jax.ShapeDtypeStruct(clip_shape, jnp.float32)
  shape = jax.eval_shape(trace, variables, clip).shape
  return FrozenNetwork(network, found[0], shape[1:], pixels)


def _head_input(
  network: Network, variables: Mapping[str, Any], pixels: jax.Array
) -> tuple[nn.Module, jax.Array]:
  """Returns the head and what it is called with."""
  calls = []

  def watch(call, arguments, options, context):
    is_head = context.module.path == (_HEAD,) and context.method_name == "__call__"
    if is_head and not calls:  # A classifier within may share its path.
      calls.append((context.module, arguments[0]))
    return call(*arguments, **options)

  with nn.intercept_methods(watch):
    network.apply(variables, pixels, train=False)
  return calls[0]
