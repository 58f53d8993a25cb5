"""List networks with what they cost and how well they were published.

  temporal-jax models
  temporal-jax models "*_vit_*"

Parameters, in millions, and GFLOPs of one view are counted on our networks with
400 classes; a FLOP is a multiply-add, as in the papers. "published" is the best
top-1 that the papers' tables give, in percent, with any number of frames and
views; `temporal-jax describe NAME` lists each with its table.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import Any

from temporal_jax.lookup import did_you_mean

COMPUTES = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Says what `models` takes."""
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
  from temporal_jax.models import MODELS, list_models
  from temporal_jax.models.inspect.text_columns import align

  names = list_models(options.pattern)
  if not names:
    hint = did_you_mean(options.pattern, MODELS) or "."
    raise ValueError(f"no network's name matches {options.pattern!r}{hint}")
  records = [_record(name) for name in names]
  if options.json:
    print(json.dumps(records, indent=2))
    return 0
  head = ("name", "view", "params M", "GFLOPs", "published", "source")
  rows = [head, *(tuple(_cells(record)) for record in records)]
  for line in align(rows, right=(2, 3)):
    print(line)
  return 0


def _record(name: str) -> dict[str, Any]:
  """Returns what is known of a network."""
  from temporal_jax.models import MODELS
  from temporal_jax.models.catalog.accuracies import ACCURACIES
  from temporal_jax.models.catalog.costs import COSTS

  return {
    "name": name,
    "clip_shape": MODELS[name].clip_shape,
    "params": COSTS[name].params,
    "gmacs": COSTS[name].gmacs,
    "accuracies": [figure._asdict() for figure in ACCURACIES.get(name, ())],
    "source": MODELS[name].source,
  }


def _cells(record: dict[str, Any]) -> Iterator[str]:
  """Yields the cells of a row."""
  yield record["name"]
  frames, height, _ = record["clip_shape"]
  yield f"{frames} x {height}"
  yield f"{record['params'] / 1e6:.1f}"
  yield f"{record['gmacs']:.1f}"
  yield _best(record["accuracies"])
  yield record["source"]


def _best(accuracies: Sequence[dict[str, Any]]) -> str:
  """Returns the best accuracy of each data set in words."""
  best = {}
  for figure in accuracies:
    data = figure["data"]
    best[data] = max(best.get(data, 0.0), figure["top1"])
  return ", ".join(f"{data} {top1:.1f}" for data, top1 in best.items())
