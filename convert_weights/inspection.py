"""Finds the source and the networks that a checkpoint's keys fit."""

import collections
import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import flax.traverse_util as trees

from convert_weights import registry
from convert_weights.checkpoint_format import NOTHING
from convert_weights.plan import plan_from_sources
from convert_weights.planning.conversion_plan import ConversionPlan
from convert_weights.planning.networks import fitting_arguments
from convert_weights.reading import Settings
from temporal_jax.models import MODELS


class Candidate(NamedTuple):
  """A network that takes a checkpoint whole.

  Attributes:
    plan: Plan of the conversion.
    command: MODEL and the arguments that it needs.
  """

  plan: ConversionPlan
  command: str


def candidates(
  tensors: Mapping[str, Any], settings: Settings = NOTHING
) -> Iterator[Candidate]:
  """Yields the networks that a checkpoint fits without a problem.

  Args:
    tensors: Arrays, or their shapes and dtypes, by name.
    settings: Settings that the checkpoint has next to them.
  """
  for source in registry.recognise(tensors):
    for name in MODELS:
      for form in ({}, *source.forms):
        arguments = fitting_arguments(name, tensors, source, form)
        if arguments is None:
          continue
        try:
          plan = plan_from_sources(
            name, tensors, sources=[source], settings=settings, **form
          )
        except ValueError:  # The checkpoint is of another form.
          continue
        if not plan.mapping.problems:
          flags = [
            f"--set {key}={_flag(value)}"
            for key, value in plan.overrides.items()
            if key in arguments
          ]
          yield Candidate(plan, " ".join([name, *flags]))


def distinctions(found: Sequence[Candidate]) -> list[str]:
  """Returns the differences between networks with the same variables.

  The checkpoint does not decide between those: users must know it.
  """
  alike = collections.defaultdict(list)
  for one in found:
    leaves = trees.flatten_dict(one.plan.target, sep="/")
    key = frozenset((path, leaf.shape) for path, leaf in leaves.items())
    alike[key].append(one)
  texts = {}
  for group in alike.values():
    facts = [_facts(one.plan) for one in group]
    names = dict.fromkeys(name for each in facts for name in each)
    differ = [n for n in names if len({str(f.get(n)) for f in facts}) > 1]
    for one, own in zip(group, facts, strict=True):
      parts = [f"{name} {own[name]}" for name in differ if name in own]
      texts[id(one)] = ", ".join(parts)
  return [texts[id(one)] for one in found]


def _facts(plan: ConversionPlan) -> dict[str, Any]:
  """Returns the arguments of a network, its operator and its clips by name."""
  spec = MODELS[plan.model_name]
  own = {
    field.name: getattr(plan.network, field.name)
    for field in dataclasses.fields(plan.network)
    if field.name not in ("parent", "name", "temporal", "block")
  }
  frames, height, _, _ = plan.clip_shape
  operator = plan.overrides.get("temporal", spec.temporal)
  return {
    "network": type(plan.network).__name__,
    **own,
    "temporal": operator,
    "frames": frames,
    "pixels": height,
    "mean": plan.pixels[0],
  }


def _flag(value: Any) -> str:
  """Returns a value as the command line reads it."""
  return value if isinstance(value, str) else json.dumps(value)
