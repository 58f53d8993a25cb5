"""What is to be done with a checkpoint, told from shapes alone."""

import fnmatch
import functools
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import flax.traverse_util as trees
import jax
import jax.numpy as jnp

import temporal_jax
from convert_weights import conversion
from convert_weights.rules import Rule
from convert_weights.source import Source
from temporal_jax import models
from temporal_jax.models.network import Network

Shapes = dict[str, Any]


class Proposal(NamedTuple):
  """How a checkpoint becomes the variables of a network.

  Attributes:
    model_name: Name of the network in the catalog.
    overrides: Arguments of `create_model` that differ from the row's.
    num_classes: Classes of the network; None if it ends with features.
    source: The naming of the tensors.
    network: The network.
    clip_shape: (T, H, W, C) of its clips.
    target: Its variables, as shapes.
    plan: How each of them is made, and what does not fit.
    notes: What the user should know, a line each.
  """

  model_name: str
  overrides: dict[str, Any]
  num_classes: int | Mapping[str, int] | None
  source: Source
  network: Network
  clip_shape: tuple[int, int, int, int]
  target: Shapes
  plan: conversion.Plan
  notes: tuple[str, ...]


def propose(
  model_name: str,
  tensors: Mapping[str, Any],
  *,
  source: Source,
  num_classes: int | Mapping[str, int] | None = None,
  allow_missing: Sequence[str] = (),
  channels: int = 3,
  **model_overrides: Any,
) -> Proposal:
  """Plans a conversion; arguments are those of `convert`.

  Args:
    model_name: As of `convert`.
    tensors: Arrays, or their shapes and dtypes.
    source: The naming of the tensors.
    num_classes: As of `convert`.
    allow_missing: As of `convert`.
    channels: As of `convert`.
    **model_overrides: As of `convert`.

  Raises:
    ValueError: If there is no such network, it is not made of such weights, or
      a pattern in `allow_missing` matches no leaf.
  """
  shape = clip_shape(model_name, model_overrides, channels)
  build = functools.partial(build_network, model_name, source, shape)
  probe, probed = build(num_classes=1, **model_overrides)
  found = _count_classes(probed, source.rules(probe), tensors)
  wanted = found if num_classes is None else num_classes
  network, target = build(num_classes=wanted, **model_overrides)
  rules, skip, new = source.rules(network), dict(source.skip), dict(source.new)
  notes = ()
  if found is not None and wanted != found:
    reason = f"{found} classes in the checkpoint, {wanted} wanted"
    notes = (f"the head starts anew: {reason}.",)
    head = differing(probed, target)
    skip |= {re.escape(n): reason for n in _names(head, source.rules(probe))}
    new |= {re.escape(leaf): reason for leaf in head}
    rules = [r for r in rules if not any(r.match(leaf) for leaf in head)]
  elif wanted is None and not hasattr(network, "encode_text"):
    notes = ("no classifier in the checkpoint: the network gives features.",)
  new |= _allowed(allow_missing, target)
  plan = conversion.plan(rules, tensors, target, skip=skip, new=new)
  return Proposal(
    *(model_name, model_overrides, wanted, source),
    *(network, shape, target, plan, notes),
  )


def clip_shape(
  model_name: str, overrides: Mapping[str, Any], channels: int
) -> tuple[int, int, int, int]:
  """Returns (T, H, W, C) of the clips a network is built for."""
  frames, height, width = models.find_model(model_name).clip_shape
  side = overrides.get("image_size")
  frames = overrides.get("num_frames") or frames
  return frames, side or height, side or width, channels


def build_network(
  model_name: str,
  source: Source,
  shape: tuple[int, int, int, int],
  **arguments: Any,
) -> tuple[Network, Shapes]:
  """Returns a network and its variables, as shapes.

  Raises:
    ValueError: If it does not take the weights of this source.
  """
  network = temporal_jax.create_model(model_name, **arguments)
  if not source.takes(network):
    raise ValueError(
      f"{model_name} does not take the weights of {source.origin} (source "
      f"{source.name!r})."
    )
  clip = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
  return network, jax.eval_shape(network.init, jax.random.key(0), clip)


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
  """Returns the leaves that only one of two trees has, or of other shapes."""
  one, other = (
    {path: leaf.shape for path, leaf in trees.flatten_dict(x, sep="/").items()}
    for x in (one, other)
  )
  return sorted(
    path for path in one | other if one.get(path) != other.get(path)
  )


def _count_classes(
  probed: Shapes, rules: Sequence[Rule], tensors: Mapping[str, Any]
) -> int | None:
  """Returns the classes of the checkpoint, None if it has no classifier.

  Args:
    probed: Variables of the network with one class.
    rules: Of the source.
    tensors: Of the checkpoint.
  """
  for path, leaf in trees.flatten_dict(probed, sep="/").items():
    if leaf.ndim != 2 or leaf.shape[1] != 1:
      continue
    for step in conversion.find_ways(rules, path):
      if all(name in tensors for name in step.tensors):
        names, made = (side.split() for side in step.rule.pattern.split("->"))
        shape = tensors[step.tensors[0]].shape
        fits = len(shape) == len(names)
        return shape[names.index(made[-1])] if fits else None
  return None


def _names(leaves: Collection[str], rules: Sequence[Rule]) -> list[str]:
  """Returns the tensors that make these leaves."""
  return [
    name
    for leaf in leaves
    for step in conversion.find_ways(rules, leaf)
    for name in step.tensors
  ]


def _allowed(globs: Sequence[str], target: Shapes) -> dict[str, str]:
  """Returns the expressions of leaves that may be missing -> the reason.

  A pattern is matched with and without the name of the collection.

  Raises:
    ValueError: If one matches no leaf.
  """
  leaves = trees.flatten_dict(target, sep="/")
  allowed = {}
  for glob in globs:
    regex = rf"(?:[^/]+/)?{fnmatch.translate(glob)}"
    if not any(re.fullmatch(regex, leaf) for leaf in leaves):
      raise ValueError(
        f"{glob!r} may be missing, but matches no leaf; they are "
        f"{sorted(leaves)[:3]} and {len(leaves) - 3} more."
      )
    allowed[regex] = f"missing, allowed by {glob!r}"
  return allowed
