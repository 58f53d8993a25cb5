"""Weights of localization networks, both ways.

They go through the same rules as those of video networks, see `rules`, and
every tensor and leaf is accounted for. Inputs are features instead of clips.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from convert_weights.apply import apply_rules, revert_rules
from convert_weights.formats import actionformer, bmn
from convert_weights.reading import Checkpoint, CheckpointError, read
from temporal_jax.localization import (
  BMN,
  ActionFormer,
  create_localizer,
  find_localizer,
)
from temporal_jax.models.inspect.variables import differing

_FORMATS = {BMN: bmn.FORMAT, ActionFormer: actionformer.FORMAT}


class Localizer(NamedTuple):
  """A network made of published weights.

  Attributes:
    network: The network.
    variables: Its variables, {"params"}, float32.
    channels: Channels of its features.
    notes: What the user should know, a line each.
  """

  network: nn.Module
  variables: dict[str, Any]
  channels: int
  notes: tuple[str, ...]


def read_localizer(path: str | os.PathLike) -> tuple[Checkpoint, str]:
  """Reads a checkpoint, the moving average of its weights if it has one.

  ActionFormer's own evaluation takes these.

  Returns:
    The checkpoint, and which weights were taken, in a sentence.

  Raises:
    CheckpointError: If it holds no weights.
  """
  try:
    return read(path, ema=True), "the moving average of the weights is taken."
  except CheckpointError:
    found = read(path)
  return found, "the weights are taken: the file has no moving average of them."


def convert_localizer(
  name: str, source: str | os.PathLike | Mapping[str, np.ndarray], **overrides: Any
) -> Localizer:
  """Makes a localization network of published weights.

  Args:
    name: Name in `temporal_jax.localization.LOCALIZERS`.
    source: A checkpoint file, see `read_localizer`, or its tensors by name.
    **overrides: Arguments of `create_localizer`. By default the classes, and
      what else the names and shapes of the tensors show, are theirs.

  Raises:
    ValueError: If a leaf is not made, a tensor is not used, or a shape differs;
      all of them are listed.
  """
  notes = []
  if not isinstance(source, Mapping):
    checkpoint, note = read_localizer(source)
    source = checkpoint.tensors
    notes.append(note)
  naming = _FORMATS[find_localizer(name).module]
  shown = naming.arguments(source)
  channels = shown.pop("channels")
  for key, value in shown.items():
    if key in overrides and overrides[key] != value:
      raise ValueError(
        f"{key} {overrides[key]} was asked for, but the weights of {naming.origin} "
        f"have {value}."
      )
  network = create_localizer(name, **shown | overrides)
  target = _shapes(network, channels)
  variables = apply_rules(naming.rules(network), source, target, skip=naming.skip)
  notes += [f"{key} is {value}, as the tensors show." for key, value in shown.items()]
  variables = jax.tree.map(lambda x: np.asarray(x, np.float32), variables)
  return Localizer(network, variables, channels, tuple(notes))


def localizer_to_torch(
  name: str, variables: Mapping[str, Any], *, channels: int, **arguments: Any
) -> dict[str, np.ndarray]:
  """Makes the tensors of the authors' code: `convert_localizer` backwards.

  Args:
    name: Name in `temporal_jax.localization.LOCALIZERS`.
    variables: {"params"} of it.
    channels: Channels of its features.
    **arguments: Arguments of `create_localizer`.

  Raises:
    ValueError: If the variables are not those of the network, or a leaf has no
      name there.
  """
  entry = find_localizer(name)
  network = create_localizer(name, **arguments)
  if wrong := differing(_shapes(network, channels), variables):
    raise ValueError(f"these variables are not of {name}: {wrong}.")
  naming = _FORMATS[entry.module]
  tensors = revert_rules(naming.rules(network), variables)
  tensors = {key: np.asarray(value) for key, value in tensors.items()}
  return tensors | naming.constants(network, entry.length)


def _shapes(network: nn.Module, channels: int) -> dict[str, Any]:
  """Returns the network's variables, as shapes; they depend on no length."""
  stride = 64
  if isinstance(network, ActionFormer):
    stride = network.stride ** (len(network.ranges) - 1)
  inputs: Sequence[Any] = [jax.ShapeDtypeStruct((1, stride, channels), jnp.float32)]
  if isinstance(network, ActionFormer):
    inputs = [*inputs, jax.ShapeDtypeStruct((1, stride), bool)]
  return jax.eval_shape(network.init, jax.random.key(0), *inputs)
