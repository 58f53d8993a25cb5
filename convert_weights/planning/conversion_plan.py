"""The plan of a conversion: rules, skipped tensors, new leaves."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.planning.mapping import TensorMapping
from temporal_jax.models.network import Network

Shapes = dict[str, Any]
# Problem of a network that needs a classifier, where the weights have none.
NO_CLASSIFIER = (
  "- a classifier, which the network needs: give --num-classes, num_classes"
)


class ConversionPlan(NamedTuple):
  """Plan of a conversion from a checkpoint to the variables of a network.

  Attributes:
    model_name: Name of the network in the catalog.
    overrides: Arguments of `create_model` that differ from the row's, and the
      activation where the tensors do not show it.
    num_classes: Classes of the network; None if it ends with features.
    source: The naming of the tensors.
    network: The network.
    clip_shape: (T, H, W, C) of its clips.
    target: Its variables, as shapes.
    mapping: Source of each variable, and the problems found.
    notes: Remarks for the user, one per line.
    prefix: Prefix that was removed from the names of the tensors, for `source`.
    assumed: Assumptions about the network where nothing states its arguments,
      one per line.
    interpolated: Positions that the network has another number of, one line
      per leaf.
    pixels: (mean, std) of R, G and B, of values in [0, 1].
  """

  model_name: str
  overrides: dict[str, Any]
  num_classes: int | Mapping[str, int] | None
  source: CheckpointFormat
  network: Network
  clip_shape: tuple[int, int, int, int]
  target: Shapes
  mapping: TensorMapping
  notes: tuple[str, ...]
  prefix: str = ""
  assumed: tuple[str, ...] = ()
  interpolated: tuple[str, ...] = ()
  pixels: tuple[Sequence[float], Sequence[float]] = ((), ())
