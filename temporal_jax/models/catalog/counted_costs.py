"""Costs of the networks of the catalog, counted on them.

Counting all of them takes minutes, so the figures are kept in
counted_costs.json, which `python -m docs.generate` writes.
"""

import json
import pathlib
from collections.abc import Mapping
from typing import NamedTuple

import jax

from temporal_jax.models.catalog import registry
from temporal_jax.models.inspect import count

NUM_CLASSES = 400  # Classes of the networks whose costs are compared.
_FILE = pathlib.Path(__file__).with_name("counted_costs.json")


class Cost(NamedTuple):
  """Trained values, and 1e9 multiply-adds of one view."""

  params: int
  gmacs: float


class CountedCost(NamedTuple):
  """The cost of a network of the catalog.

  Attributes:
    own: Cost with the clips of its entry and `NUM_CLASSES` classes.
    reference: Cost with the clips and classes of its entry's `reference_cost`;
      None if it has none.
  """

  own: Cost
  reference: Cost | None


def read_costs() -> dict[str, CountedCost]:
  """Returns name -> the cost that is kept, in the order of the catalog."""
  kept = {}
  for name, figures in json.loads(_FILE.read_text()).items():
    reference = figures.pop("reference", None)
    kept[name] = CountedCost(Cost(**figures), reference and Cost(**reference))
  return kept


def write_costs(costs: Mapping[str, CountedCost]) -> None:
  """Writes the file that `read_costs` reads, a line for each network."""
  lines = []
  for name, (own, reference) in costs.items():
    figures = own._asdict()
    figures |= {"reference": reference._asdict()} if reference else {}
    lines.append(f"  {json.dumps(name)}: {json.dumps(figures)}")
  _FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def count_entry(name: str) -> CountedCost:
  """Counts a network of the catalog for the views of its entry."""
  entry = registry.find_model(name)
  own = count_network(name, entry.clip_shape, NUM_CLASSES)
  reference = entry.reference_cost
  if reference is None:
    return CountedCost(own, None)
  view = reference.clip_shape, reference.num_classes
  if view == (entry.clip_shape, NUM_CLASSES):
    return CountedCost(own, own)
  return CountedCost(own, count_network(name, *view))


def count_network(
  name: str, clip_shape: tuple[int, int, int], num_classes: int
) -> Cost:
  """Counts a network for one view; texts are encoded already.

  Args:
    name: Name in the catalog.
    clip_shape: (T, H, W) of the view.
    num_classes: Classes of the head, L.

  Returns:
    Its cost; multiply-adds are rounded to a million.
  """
  model = registry.create_model(name, num_classes=num_classes)
  clip, *texts = count.abstract_inputs(model, clip_shape, num_classes)
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  multiply_adds = count.multiply_adds(model.apply, variables, clip, *texts)
  return Cost(count.parameters(variables), round(multiply_adds / 1e9, 3))
