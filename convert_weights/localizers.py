"""Converts the weights of localization networks, both ways.

They go through the same rules as video networks, see `rules`, and every tensor
and leaf is accounted for. Inputs are features instead of clips.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import numpy as np

from convert_weights.apply import revert_rules
from convert_weights.formats import actionformer, bmn
from convert_weights.localizer_format import LocalizerFormat
from convert_weights.planning.mapping import TensorMapping, map_tensors
from convert_weights.reading import Checkpoint, CheckpointError, non_finite, read
from temporal_jax.localization import (
  BMN,
  LOCALIZERS,
  ActionFormer,
  create_localizer,
  find_localizer,
)
from temporal_jax.models.inspect.variables import differing

_FORMATS = {BMN: bmn.FORMAT, ActionFormer: actionformer.FORMAT}


class LocalizerPlan(NamedTuple):
  """Plan of a conversion from a checkpoint to a localization network.

  Attributes:
    name: Name of the network in the catalog.
    overrides: Arguments of the network that differ from the catalog's.
    num_classes: Its classes, see `create_localizer`.
    naming: The naming of the tensors.
    network: The network.
    channels: Channels of its features.
    length: Positions of its sequences.
    target: Its variables, as shapes.
    mapping: Source of each variable, and the problems found.
    notes: Remarks for the user, one per line.
  """

  name: str
  overrides: dict[str, Any]
  num_classes: int | Mapping[str, int] | None
  naming: LocalizerFormat
  network: nn.Module
  channels: int
  length: int
  target: dict[str, Any]
  mapping: TensorMapping
  notes: tuple[str, ...]


class Localizer(NamedTuple):
  """A network made of published weights.

  Attributes:
    network: The network.
    variables: Its variables, {"params"}, float32.
    channels: Channels of its features.
    notes: Remarks for the user, one per line.
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
      other arguments that names and shapes of the tensors show, are theirs.

  Raises:
    ValueError: If a leaf is not made, a tensor is not used, or a shape differs;
      all of them are listed.
  """
  notes = []
  if not isinstance(source, Mapping):
    checkpoint, note = read_localizer(source)
    source = checkpoint.tensors
    notes.append(note)
  plan = plan_localizer(name, source, **overrides)
  variables = apply_localizer_plan(plan, source)
  return Localizer(plan.network, variables, plan.channels, (*notes, *plan.notes))


def plan_localizer(
  name: str, tensors: Mapping[str, Any], **overrides: Any
) -> LocalizerPlan:
  """Plans how tensors become a network, from their names and shapes only.

  Args:
    name: See `convert_localizer`.
    tensors: Arrays, or their shapes and dtypes, by name.
    **overrides: See `convert_localizer`.

  Raises:
    ValueError: If they are not weights in the names of this network's code, or
      an argument differs from them.
  """
  entry = find_localizer(name)
  naming = _FORMATS[entry.module]
  shown = naming.arguments(tensors)
  channels, length = shown.pop("channels"), shown.pop("length")
  for key, value in shown.items():
    if key in overrides and overrides[key] != value:
      raise ValueError(
        f"{key} {overrides[key]} was asked for, but the weights of {naming.origin} "
        f"have {value}."
      )
  given = shown | overrides
  network = create_localizer(name, **given)
  target = _shapes(network, channels)
  classes = given.pop("num_classes")
  own = {key: entry.kwargs.get(key, getattr(entry.module, key)) for key in given}
  return LocalizerPlan(
    name=name,
    overrides={key: value for key, value in given.items() if value != own[key]},
    num_classes=classes,
    naming=naming,
    network=network,
    channels=channels,
    length=length or getattr(network, "max_length", entry.length),
    target=target,
    mapping=map_tensors(naming.rules(network), tensors, target, skip=naming.skip),
    notes=tuple(
      f"{key} is {value}, as the tensors show." for key, value in shown.items()
    ),
  )


def apply_localizer_plan(
  plan: LocalizerPlan, tensors: Mapping[str, Any]
) -> dict[str, Any]:
  """Computes the variables of a network as planned, {"params"}, float32.

  Raises:
    ValueError: If something does not fit, or a tensor that is used holds NaN or
      infinity; all of it is listed.
  """
  if plan.mapping.problems:
    lines = "\n".join(plan.mapping.problems)
    raise ValueError(f"the weights do not fit {plan.name}:\n{lines}")
  used = {name for step in plan.mapping.steps for name in step.tensors}
  if broken := non_finite({name: tensors[name] for name in sorted(used)}):
    raise ValueError(f"NaN or infinity in {[*broken]}.")
  leaves = trees.flatten_dict(plan.target, sep="/")
  made = {
    step.leaf: np.asarray(step.apply(tensors, leaves[step.leaf].shape), np.float32)
    for step in plan.mapping.steps
  }
  return trees.unflatten_dict(made, sep="/")


def fitting_localizers(tensors: Mapping[str, Any]) -> tuple[str, list[LocalizerPlan]]:
  """Returns the localization networks that a checkpoint fits as it is.

  Returns:
    The repository whose naming its tensors have, "" if it is none of
    localization, and the plans without problems.
  """
  origin, plans = "", []
  for name in LOCALIZERS:
    try:
      plan = plan_localizer(name, tensors)
    except ValueError:  # The names are not from this network's code.
      continue
    origin = plan.naming.origin
    # One of another width is not the catalog's.
    if not plan.mapping.problems and "width" not in plan.overrides:
      plans.append(plan)
  return origin, plans


def localizer_to_torch(
  name: str,
  variables: Mapping[str, Any],
  *,
  channels: int,
  length: int | None = None,
  **arguments: Any,
) -> dict[str, np.ndarray]:
  """Makes the tensors of the authors' code: `convert_localizer` backwards.

  Args:
    name: Name in `temporal_jax.localization.LOCALIZERS`.
    variables: {"params"} of it.
    channels: Channels of its features.
    length: Positions of its sequences, the catalog's by default; of a BMN its
      authors' code keeps the samples of these.
    **arguments: Arguments of `create_localizer`.

  Raises:
    ValueError: If the variables do not fit the network, or a leaf has no name
      there.
  """
  entry = find_localizer(name)
  network = create_localizer(name, **arguments)
  if wrong := differing(_shapes(network, channels), variables):
    raise ValueError(f"these variables are not of {name}: {wrong}.")
  naming = _FORMATS[entry.module]
  tensors = revert_rules(naming.rules(network), variables)
  tensors = {key: np.asarray(value) for key, value in tensors.items()}
  return tensors | naming.constants(network, length or entry.length)


def _shapes(network: nn.Module, channels: int) -> dict[str, Any]:
  """Returns the network's variables, as shapes; they depend on no length."""
  stride = 64
  if isinstance(network, ActionFormer):
    stride = network.stride ** (len(network.ranges) - 1)
  inputs: Sequence[Any] = [jax.ShapeDtypeStruct((1, stride, channels), jnp.float32)]
  if isinstance(network, ActionFormer):
    inputs = [*inputs, jax.ShapeDtypeStruct((1, stride), bool)]
  return jax.eval_shape(network.init, jax.random.key(0), *inputs)
