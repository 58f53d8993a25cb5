"""Converts published weights into Flax variables, and back.

A conversion has two steps: `plan_conversion` finds, from names and shapes only,
which rule makes each leaf of which tensors, which tensors are skipped, and
which leaves stay new or do not fit; `apply_plan` computes the values by these
rules. `convert` does both, and `to_torch` applies the same rules backwards.
"""

from convert_weights.apply import convert as convert, to_torch as to_torch
from convert_weights.localizers import (
  convert_localizer as convert_localizer,
  localizer_to_torch as localizer_to_torch,
)
from convert_weights.reading import CheckpointError as CheckpointError, read as read
from convert_weights.registry import SOURCES as SOURCES
