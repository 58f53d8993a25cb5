"""First step of a conversion: maps tensors to leaves, from shapes only."""

import fnmatch
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import flax.traverse_util as trees
import numpy as np

import temporal_jax
from convert_weights import changes, registry
from convert_weights.checkpoint_format import NOTHING, CheckpointFormat
from convert_weights.planning import arguments, causes, families, heads, prefixes
from convert_weights.planning.conversion_plan import (
  NO_CLASSIFIER,
  ConversionPlan,
  Shapes,
)
from convert_weights.planning.mapping import TensorMapping, map_tensors
from convert_weights.planning.networks import build_network, clip_shape
from convert_weights.reading import Setting, Settings
from temporal_jax import models
from temporal_jax.models.inspect.variables import differing
from temporal_jax.models.network import Network

_MOST_TAKERS = 12  # Rows that a message lists.


def plan_conversion(
  model_name: str,
  tensors: Mapping[str, Any],
  *,
  source: str | None = None,
  prefix: str | None = None,
  **others: Any,
) -> ConversionPlan:
  """Plans a conversion; arguments as in `convert`.

  Args:
    model_name: See `convert`.
    tensors: Arrays, or their shapes and dtypes, by their names.
    source: See `convert`.
    prefix: See `convert`.
    **others: See `convert`.

  Raises:
    NoClassifierError: If only a classifier is missing, which the network needs.
    ValueError: If anything else does not fit; the causes are listed.
  """
  stripped = find_network(tensors, source=source, prefix=prefix)
  tensors = stripped.tensors
  sources = registry.possible_sources(source, tensors)
  plan = plan_from_sources(model_name, tensors, sources=sources, **others)
  if plan.mapping.problems and (why := _refusal(plan.source, tensors)):
    raise ValueError(f"{plan.source.origin}: {why}")
  causes.check(plan, tensors)
  return plan._replace(
    mapping=prefixes.restored(plan.mapping, stripped),
    notes=(*stripped.notes, *plan.notes),
    prefix=stripped.prefix,
  )


def find_network(
  tensors: Mapping[str, Any],
  *,
  source: str | None = None,
  prefix: str | None = None,
) -> prefixes.Stripped:
  """Finds the tensors of a network; arguments as in `convert`.

  Raises:
    ValueError: If they are of a family that is not supported, or of several
      networks.
  """
  if prefix is None and source is None:
    families.check(tensors, registry.SUPPORTED)
  stripped = prefixes.strip(tensors, source, prefix)
  if source is None:
    families.check(stripped.tensors, registry.SUPPORTED)
  return stripped


def plan_from_sources(
  model_name: str,
  tensors: Mapping[str, Any],
  *,
  sources: Sequence[CheckpointFormat],
  num_classes: int | Mapping[str, int] | None = None,
  allow_missing: Sequence[str] = (),
  channels: int = 3,
  settings: Settings = NOTHING,
  **model_overrides: Any,
) -> ConversionPlan:
  """Plans a conversion from the source whose names fit best.

  Args:
    model_name: See `convert`.
    tensors: Arrays, or their shapes and dtypes.
    sources: Candidate formats of the tensors' names.
    num_classes: See `convert`.
    allow_missing: See `convert`.
    channels: See `convert`.
    settings: See `convert`.
    **model_overrides: See `convert`.

  Raises:
    ValueError: If there is no such network, it takes the weights of none of the
      sources, a pattern in `allow_missing` matches no leaf, or the checkpoint
      has other arguments of the network than were asked for.
  """
  shape = clip_shape(model_name, model_overrides, channels)
  asked = temporal_jax.create_model(model_name, num_classes=1, **model_overrides)
  plans = []
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
      one = _plan_from_source(
        source, model_name, shape, tensors, settled, num_classes, allow_missing
      )
      pixels, said = _pixels(one, settings)
      plans.append(one._replace(pixels=pixels, notes=(*one.notes, *said)))
  if not plans:
    origins = ", ".join(f"{s.origin} (source {s.name!r})" for s in sources)
    raise ValueError(
      f"{model_name} does not take the weights of {origins}.{_takers(sources)}"
    )
  return min(plans, key=_distance)


def _takers(sources: Sequence[CheckpointFormat]) -> str:
  """Returns a sentence about the rows that take weights."""
  found = [
    name
    for name in models.MODELS
    if any(s.takes(models.create_model(name, num_classes=1)) for s in sources)
  ]
  if len(found) > _MOST_TAKERS:
    return " `python -m convert_weights inspect FILE` lists those that do."
  return f" These do: {', '.join(found)}."


def _plan_from_source(
  source: CheckpointFormat,
  model_name: str,
  shape: tuple[int, int, int, int],
  tensors: Mapping[str, Any],
  settled: arguments.Arguments,
  num_classes: int | Mapping[str, int] | None,
  allow_missing: Sequence[str],
) -> ConversionPlan:
  """Plans a conversion from one source."""
  built = {}

  def build(classes: Any) -> tuple[Network, Shapes] | None:
    if str(classes) not in built:
      built[str(classes)] = build_network(
        model_name, shape, num_classes=classes, **settled.overrides
      )
    return built[str(classes)]

  found = heads.count_tasks(source, tensors) or heads.count_classes(
    build(1)[1], source.rules(build(1)[0]), tensors
  )
  wanted = found if num_classes is None else num_classes
  network, target = build(wanted) or build(1)
  naming, notes = source, settled.notes
  if found is not None and wanted != found:
    naming = heads.without(source, network, differing(build(found)[1], target), found)
    notes += (f"the head starts anew: {wanted} classes, {found} in the checkpoint.",)
  elif wanted is None and not hasattr(network, "encode_text"):
    notes += ("no classifier in the checkpoint: the network gives features.",)
  mapping = map_tensors(
    naming.rules(network),
    tensors,
    target,
    skip=naming.skip,
    new={**naming.new, **allowed_leaves(allow_missing, target)},
  )
  if build(wanted) is None:
    mapping = mapping._replace(problems=(NO_CLASSIFIER, *mapping.problems))
  return ConversionPlan(
    model_name=model_name,
    overrides=settled.overrides,
    num_classes=wanted,
    source=source,
    network=network,
    clip_shape=shape,
    target=target,
    mapping=mapping,
    notes=(*notes, *_stem_notes(mapping, tensors, target)),
    assumed=settled.assumed,
    interpolated=tuple(_interpolated(mapping, tensors, target)),
  )


def _refusal(source: CheckpointFormat, names: Collection[str]) -> str:
  """Returns the reason why tensors of a source are not supported.

  Returns "" if they are of no such form.
  """
  for one in source.refusals:
    has = not one.has or registry.any_matches(one.has, names)
    if has and not (one.lacks and registry.any_matches(one.lacks, names)):
      return one.why
  return ""


def _distance(plan: ConversionPlan) -> tuple[int, int]:
  """Returns the number of names that do not fit, and of problems."""
  problems = plan.mapping.problems
  return sum(line[0] != "!" for line in problems), len(problems)


def _stem_notes(
  mapping: TensorMapping, tensors: Mapping[str, Any], target: Shapes
) -> Iterator[str]:
  """Yields notes about stems made for other numbers of channels."""
  leaves = trees.flatten_dict(target, sep="/")
  for step in mapping.steps:
    shape = leaves[step.leaf].shape
    (name, *_) = step.tensors
    if step.rule.change is changes.inflate_stem and len(shape) > 1:
      found = tensors[name].shape[1]  # (C', C, ...)
      if found != shape[-2]:
        yield (
          f"{step.leaf} is the mean over the {found} channels of {name}, for "
          f"each of the {shape[-2]} channels."
        )


def _interpolated(
  mapping: TensorMapping, tensors: Mapping[str, Any], target: Shapes
) -> Iterator[str]:
  """Yields a line for each leaf of positions that is made for other clips."""
  leaves = trees.flatten_dict(target, sep="/")
  for step in mapping.steps:
    if step.rule.change not in changes.INTERPOLATIONS:
      continue
    wanted, width = leaves[step.leaf].shape
    # Files have axes of length 1 next to those of positions and channels.
    found = math.prod(tensors[step.tensors[0]].shape) // width
    if found != wanted:
      yield (
        f"{step.leaf} is interpolated: the checkpoint has {found} positions, the "
        f"network {wanted}."
      )


def _pixels(
  plan: ConversionPlan, settings: Settings
) -> tuple[tuple[Sequence[float], Sequence[float]], tuple[str, ...]]:
  """Returns the statistics of pixels, and remarks on them.

  A network that is the file's whole takes the file's; a video network that
  starts from images keeps those that its paper trains it with.
  """
  spec = models.find_model(plan.model_name)
  own = spec.mean, spec.std
  is_whole = all("/head/" in leaf for leaf in plan.mapping.new)
  said = next(iter(settings.get("pixels", ())), None)
  if said is None and plan.source.code_pixels:
    said = Setting(plan.source.code_pixels, f"the code of {plan.source.origin}")
  if said is None and plan.source.pixels and is_whole:
    return own, (
      f"the file does not state its pixels: model.json has mean {list(own[0])} "
      f"and std {list(own[1])}. {plan.source.pixels}",
    )
  if said is None or np.allclose(own, said.value, atol=1e-3):
    return own, ()
  mean, std = (list(values) for values in said.value)
  given = f"{said.where} has pixels of mean {mean} and std {std}"
  if not is_whole:
    return own, (
      f"{given}; {plan.model_name} has mean {list(own[0])} and std "
      f"{list(own[1])}, with which it is trained.",
    )
  return said.value, (f"{given}: model.json has these.",)


def allowed_leaves(globs: Sequence[str], target: Shapes) -> dict[str, str]:
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
