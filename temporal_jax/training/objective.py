"""The interface of a training objective, for any kind of examples."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import jax

from temporal_jax.training.state import Tree

Arrays = dict[str, jax.Array]


class PartLoss(NamedTuple):
  """Loss, statistics and sums of a part of a batch.

  Attributes:
    value: Minimised value, a scalar; the parts of a batch are added up.
    batch_stats: Running statistics after the part.
    sums: Each of the objective's `sums`, scalars.
  """

  value: jax.Array
  batch_stats: Tree
  sums: Arrays


# (variables, part, random key, number of parts) -> PartLoss.
LossOfPart = Callable[[Tree, Tree, jax.Array, int], PartLoss]


class Prepared(NamedTuple):
  """A batch as the network takes it.

  Attributes:
    examples: Arrays (B, ...), which may be cut into parts.
    weight: Sum of the weights of all examples.
    loss: Minimised loss of a part.
  """

  examples: Tree
  weight: jax.Array
  loss: LossOfPart


class Objective(Protocol):
  """Objective that a training step minimises.

  Attributes:
    sums: Names of the sums that are logged, as a mean over examples by their
      weights: "loss" and others.
  """

  sums: Sequence[str]

  def prepare(self, key: jax.Array, step: jax.Array, batch: Arrays) -> Prepared:
    """Prepares the batch of a step; traced.

    Args:
      key: Random key of the step's inputs.
      step: Number of the step.
      batch: Arrays (B, ...), of all devices.
    """
