"""List networks with their costs and published accuracies.

  temporal-jax models
  temporal-jax models "*_vit_*"

Parameters, in millions, and GFLOPs of one view are counted on our networks with
400 classes; a FLOP is a multiply-add, as in the papers. "published" is the best
top-1 that the papers give, in percent. Its view is in brackets, as far as they
state it: frames, or frames, clips and crops as 32x4x3; the costs are for the
view of the second column. `temporal-jax describe NAME` lists all figures with
their tables. The source, paper and repository, is left out on a terminal:
`describe` and a pipe have it.
"""

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
  from temporal_jax.models import Entry
  from temporal_jax.models.catalog.counted_costs import Cost

from temporal_jax.lookup import did_you_mean

COMPUTES = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `models`."""
  parser.add_argument(
    "pattern",
    nargs="?",
    default="*",
    metavar="PATTERN",
    help='of the names, e.g. "*resnet*" (all)',
  )
  parser.add_argument(
    "--json", action="store_true", help="print all that is known as JSON"
  )


def run(options: argparse.Namespace) -> int:
  """Prints the table."""
  from temporal_jax.display import tables
  from temporal_jax.models import MODELS, list_models
  from temporal_jax.models.catalog.counted_costs import read_costs

  names = list_models(options.pattern)
  if not names:
    hint = did_you_mean(options.pattern, MODELS) or "."
    raise ValueError(f"no network's name matches {options.pattern!r}{hint}")
  costs = read_costs()
  if options.json:
    records = [_record(name, MODELS[name], costs[name].own) for name in names]
    print(json.dumps(records, indent=2))
    return 0
  head = ("name", "view", "params M", "GFLOPs", "published", "source")
  rows = [_cells(name, MODELS[name], costs[name].own) for name in names]
  width = tables.output_width()
  # A terminal has room for all but the last column, which `describe` has too.
  shown = len(head) if width is None else len(head) - 1
  table = tables.columns(
    [row[:shown] for row in rows], head=head[:shown], right=(2, 3), fold=(4,)
  )
  for line in tables.render(table, width=width):
    print(line)
  return 0


def _record(name: str, entry: "Entry", cost: "Cost") -> dict[str, Any]:
  """Returns the known facts of a network, for JSON."""
  return {
    "name": name,
    "clip_shape": entry.clip_shape,
    "params": cost.params,
    "gmacs": cost.gmacs,
    "accuracies": [figure._asdict() for figure in entry.accuracies],
    "source": entry.source,
    "weights": entry.weights,
  }


def _cells(name: str, entry: "Entry", cost: "Cost") -> tuple[str, ...]:
  """Returns the cells of a network's row."""
  frames, height, _ = entry.clip_shape
  return (
    name,
    f"{frames} x {height}",
    f"{cost.params / 1e6:.1f}",
    f"{cost.gmacs:.1f}",
    ", ".join(map(str, entry.best_accuracies().values())),
    entry.source,
  )
