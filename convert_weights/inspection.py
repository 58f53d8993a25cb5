"""Which source and which network a checkpoint looks like, by its keys alone."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from convert_weights import proposal, table
from convert_weights.proposal import Proposal
from temporal_jax.models import MODELS


class Candidate(NamedTuple):
  """A network that takes a checkpoint whole.

  Attributes:
    proposal: How.
    command: Arguments of `python -m convert_weights` that are not the default.
  """

  proposal: Proposal
  command: str


def candidates(tensors: Mapping[str, Any]) -> Iterator[Candidate]:
  """Yields what fits without a problem; those with the fewest new leaves first.

  Args:
    tensors: Arrays, or their shapes and dtypes, by name.
  """
  found = []
  for source in table.recognise(tensors):
    for name in MODELS:
      for form in ({}, *source.forms):
        todo = _try(name, tensors, sources=[source], **form)
        if todo and not todo.plan.problems:
          flags = [f"--set {key}={value}" for key, value in form.items()]
          found.append(Candidate(todo, " ".join([name, *flags])))
  yield from sorted(found, key=lambda one: len(one.proposal.plan.new))


def _try(name: str, tensors: Mapping[str, Any], **settings) -> Proposal | None:
  try:
    return proposal.propose(name, tensors, **settings)
  except ValueError:  # This source does not make this network.
    return None
