"""Which source and which network a checkpoint looks like, by its keys alone."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import temporal_jax
from convert_weights import conversion, proposal, table
from convert_weights.proposal import Proposal
from convert_weights.source import Source
from temporal_jax.models import MODELS


class Candidate(NamedTuple):
  """A network that takes a checkpoint whole.

  Attributes:
    proposal: How.
    command: MODEL and the arguments that it needs.
  """

  proposal: Proposal
  command: str


def candidates(tensors: Mapping[str, Any]) -> Iterator[Candidate]:
  """Yields the networks that a checkpoint fits without a problem.

  Args:
    tensors: Arrays, or their shapes and dtypes, by name.
  """
  for source in table.recognise(tensors):
    for name in MODELS:
      for form in ({}, *source.forms):
        if _may_fit(name, tensors, source, form):
          todo = proposal.propose(name, tensors, sources=[source], **form)
          if not todo.plan.problems:
            flags = [
              f"--set {key}={_flag(value)}"
              for key, value in todo.overrides.items()
            ]
            yield Candidate(todo, " ".join([name, *flags]))


def _may_fit(
  name: str,
  tensors: Mapping[str, Any],
  source: Source,
  form: Mapping[str, Any],
) -> bool:
  """Whether all but the classifier fits, told as fast as can be."""
  try:
    network = temporal_jax.create_model(name, num_classes=1, **form)
  except (TypeError, ValueError):  # The form is another class's.
    return False
  if not source.takes(network):
    return False
  shape = proposal.clip_shape(name, form, channels=3)
  network, target = proposal.build_network(name, shape, num_classes=1, **form)
  plan = conversion.plan(
    source.rules(network), tensors, target, skip=source.skip, new=source.new
  )
  return all(
    re.search("params/(head|representation)/", problem)
    for problem in plan.problems
  ) or all("params/classifier/" in problem for problem in plan.problems)


def _flag(value: Any) -> str:
  """Returns a value as the command line reads it."""
  return value if isinstance(value, str) else json.dumps(value)
