"""What is to be done with a checkpoint, told from shapes alone."""

import fnmatch
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import numpy as np

import temporal_jax
from convert_weights import arguments, conversion
from convert_weights.conversion import NOTHING
from convert_weights.reading import Settings
from convert_weights.rules import Rule
from convert_weights.source import Source
from temporal_jax import models
from temporal_jax.models.network import Network
from temporal_jax.models.variables import differing

Shapes = dict[str, Any]


class Proposal(NamedTuple):
  """How a checkpoint becomes the variables of a network.

  Attributes:
    model_name: Name of the network in the catalog.
    overrides: Arguments of `create_model` that differ from the row's, and the
      activation where the tensors do not show it.
    num_classes: Classes of the network; None if it ends with features.
    source: The naming of the tensors.
    network: The network.
    clip_shape: (T, H, W, C) of its clips.
    target: Its variables, as shapes.
    plan: How each of them is made, and what does not fit.
    notes: What the user should know, a line each.
    assumed: What nobody said of the network and was assumed, likewise.
    pixels: (mean, std) of R, G and B, of values in [0, 1].
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
  assumed: tuple[str, ...] = ()
  pixels: tuple[Sequence[float], Sequence[float]] = ((), ())


def propose(
  model_name: str,
  tensors: Mapping[str, Any],
  *,
  sources: Sequence[Source],
  num_classes: int | Mapping[str, int] | None = None,
  allow_missing: Sequence[str] = (),
  channels: int = 3,
  settings: Settings = NOTHING,
  **model_overrides: Any,
) -> Proposal:
  """Plans a conversion from the source that leaves the fewest problems.

  Args:
    model_name: As of `convert`.
    tensors: Arrays, or their shapes and dtypes.
    sources: What the naming of the tensors may be.
    num_classes: As of `convert`.
    allow_missing: As of `convert`.
    channels: As of `convert`.
    settings: As of `convert`.
    **model_overrides: As of `convert`.

  Raises:
    ValueError: If there is no such network, it takes the weights of none of the
      sources, a pattern in `allow_missing` matches no leaf, or the checkpoint
      says something else of the network than was asked for.
  """
  shape = clip_shape(model_name, model_overrides, channels)
  asked = temporal_jax.create_model(
    model_name, num_classes=1, **model_overrides
  )
  proposals = []
  for source in sources:
    if source.takes(asked):
      settled = arguments.settle(
        model_name,
        asked,
        source,
        tensors=tensors,
        settings=settings,
        overrides=model_overrides,
      )
      one = _propose_from(
        source, model_name, shape, tensors, settled, num_classes, allow_missing
      )
      pixels, said = _pixels(one, settings)
      proposals.append(one._replace(pixels=pixels, notes=(*one.notes, *said)))
  if not proposals:
    origins = ", ".join(f"{s.origin} (source {s.name!r})" for s in sources)
    raise ValueError(f"{model_name} does not take the weights of {origins}.")
  return min(proposals, key=lambda one: len(one.plan.problems))


def _propose_from(
  source: Source,
  model_name: str,
  shape: tuple[int, int, int, int],
  tensors: Mapping[str, Any],
  settled: arguments.Arguments,
  num_classes: int | Mapping[str, int] | None,
  allow_missing: Sequence[str],
) -> Proposal:
  """Plans a conversion from one source."""
  built = {}

  def build(classes: Any) -> tuple[Network, Shapes] | None:
    if str(classes) not in built:
      built[str(classes)] = build_network(
        model_name, shape, num_classes=classes, **settled.overrides
      )
    return built[str(classes)]

  found = _count_tasks(source, tensors) or _count_classes(
    build(1)[1], source.rules(build(1)[0]), tensors
  )
  wanted = found if num_classes is None else num_classes
  network, target = build(wanted) or build(1)
  naming, notes = source, settled.notes
  if found is not None and wanted != found:
    naming = _without(
      source, network, differing(build(found)[1], target), found
    )
    notes += (
      f"the head starts anew: {wanted} classes, {found} in the checkpoint.",
    )
  elif wanted is None and not hasattr(network, "encode_text"):
    notes += ("no classifier in the checkpoint: the network gives features.",)
  plan = conversion.plan(
    naming.rules(network),
    tensors,
    target,
    skip=naming.skip,
    new={**naming.new, **_allowed(allow_missing, target)},
  )
  if build(wanted) is None:
    lacking = "- a classifier, which the network needs: give num_classes"
    plan = plan._replace(problems=(lacking, *plan.problems))
  return Proposal(
    model_name=model_name,
    overrides=settled.overrides,
    num_classes=wanted,
    source=source,
    network=network,
    clip_shape=shape,
    target=target,
    plan=plan,
    notes=notes,
    assumed=settled.assumed,
  )


def clip_shape(
  model_name: str, overrides: Mapping[str, Any], channels: int
) -> tuple[int, int, int, int]:
  """Returns (T, H, W, C) of the clips a network is built for."""
  frames, height, width = models.find_model(model_name).clip_shape
  side = overrides.get("image_size")
  frames = overrides.get("num_frames") or frames
  return frames, side or height, side or width, channels


def _pixels(
  todo: Proposal, settings: Settings
) -> tuple[tuple[Sequence[float], Sequence[float]], tuple[str, ...]]:
  """Returns the statistics of pixels, and what is to be said of them.

  A network that is the file's whole takes the file's; a video network that
  starts from images keeps those that its paper trains it with.
  """
  spec = models.find_model(todo.model_name)
  own = spec.mean, spec.std
  is_whole = all("/head/" in leaf for leaf in todo.plan.new)
  said = next(iter(settings.get("pixels", ())), None)
  if said is None and todo.source.pixels and is_whole:
    return own, (
      f"the file does not say its pixels: model.json has mean {list(own[0])} "
      f"and std {list(own[1])}. {todo.source.pixels}",
    )
  if said is None or np.allclose(own, said.value, atol=1e-3):
    return own, ()
  mean, std = (list(values) for values in said.value)
  given = f"{said.where} says that pixels have mean {mean} and std {std}"
  if not is_whole:
    return own, (
      f"{given}; {todo.model_name} has mean {list(own[0])} and std "
      f"{list(own[1])}, with which it is trained.",
    )
  return said.value, (f"{given}: model.json has these.",)


def build_network(
  model_name: str,
  shape: tuple[int, int, int, int],
  *,
  num_classes: int | Mapping[str, int] | None,
  **overrides: Any,
) -> tuple[Network, Shapes] | None:
  """Returns a network and its variables, as shapes.

  Returns None if it ends with a classifier and `num_classes` is None.
  """
  clip = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
  try:
    network = temporal_jax.create_model(
      model_name, num_classes=num_classes, **overrides
    )
    return network, jax.eval_shape(network.init, jax.random.key(0), clip)
  except (TypeError, ValueError):
    if num_classes is not None:
      raise
    return None


def _without(
  source: Source,
  network: Network,
  head: Sequence[str],
  classes: int | Mapping[str, int],
) -> Source:
  """Returns a source whose tensors do not make the leaves of the head."""
  rules = source.rules(network)
  reason = f"a head of {classes} classes"
  names = {
    name
    for leaf in head
    for step in conversion.find_ways(rules, leaf)
    for name in step.tensors
  }
  return source._replace(
    rules=lambda network: [
      rule
      for rule in rules
      if not any(rule.match(leaf) is not None for leaf in head)
    ],
    skip={**source.skip, **{re.escape(name): reason for name in names}},
    new={**source.new, **{re.escape(leaf): "other classes" for leaf in head}},
  )


def _count_tasks(source: Source, tensors: Mapping[str, Any]) -> dict[str, int]:
  """Returns the classes of each task, {} if the checkpoint has one head."""
  return {
    task: tensors[name].shape[0]
    for task, regex in source.tasks.items()
    for name in tensors
    if re.fullmatch(regex, name)
  }


def _count_classes(
  probed: Shapes, rules: Sequence[Rule], tensors: Mapping[str, Any]
) -> int | None:
  """Returns the classes of the checkpoint, None if it has no classifier.

  Args:
    probed: Variables of the network with one class.
    rules: Of the source.
    tensors: Of the checkpoint.

  Raises:
    ValueError: If kernel and bias of the classifier differ in it.
  """
  leaves = trees.flatten_dict(probed, sep="/")
  for path, leaf in leaves.items():
    if leaf.ndim != 2 or leaf.shape[1] != 1:
      continue
    layer = path.removesuffix("kernel")
    counts = {}
    for part in (path, f"{layer}bias"):
      counts |= _last_axis(part, rules, tensors)
    if len(set(counts.values())) > 1:
      raise ValueError(f"the classes of the head differ: {counts}.")
    return next(iter(counts.values()), None)
  return None


def _last_axis(
  path: str, rules: Sequence[Rule], tensors: Mapping[str, Any]
) -> dict[str, int]:
  """Returns the tensor that makes a leaf -> the length of its last axis."""
  for step in conversion.find_ways(rules, path):
    if all(name in tensors for name in step.tensors):
      names, made = (side.split() for side in step.rule.pattern.split("->"))
      shape = tensors[step.tensors[0]].shape
      if len(shape) == len(names):
        return {step.tensors[0]: shape[names.index(made[-1])]}
  return {}


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
