"""List published weights: where they are, their size and their licence.

  temporal-jax weights
  temporal-jax weights vit_b16
  temporal-jax weights timesformer --all

An address hf://... is taken by --config.init_from, --model and convert_weights
as it is; of a page or a file download it and give its path. "!" marks licences
that forbid uses, such as commercial ones, or must be accepted first; "?" marks
addresses that were not found in a page of their owners. Weights may also have
terms of the data that they were trained on. By default only weights that
convert_weights reads are listed; --all lists those of other networks too.
"""

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
  from temporal_jax.models.catalog.published_weights import PublishedWeights

COMPUTES = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `weights`."""
  parser.add_argument(
    "pattern",
    nargs="?",
    default="*",
    metavar="PATTERN",
    help='network, e.g. vit_b16 or "*clip*"; or a part of a name or an address (all)',
  )
  parser.add_argument(
    "--all", action="store_true", help="also weights that no network reads yet"
  )
  parser.add_argument(
    "--json", action="store_true", help="print all that is known as JSON"
  )


def run(options: argparse.Namespace) -> int:
  """Prints the list."""
  from temporal_jax.display import tables
  from temporal_jax.models.catalog.published_weights import find_weights

  matching = find_weights(options.pattern)
  found = [one for one in matching if one.format or options.all]
  if not found:
    raise ValueError(_nothing(options.pattern, len(matching)))
  if options.json:
    print(json.dumps([one._asdict() for one in found], indent=2))
    return 0
  width = tables.output_width()
  head = ("network", "weights and address", "size", "licence")
  table = tables.columns(
    [_cells(one) for one in found], head=head, right=(2,), fold=(0, 1, 3)
  )
  for line in tables.render(table, width=width):
    print(line)
  if any(one.restricted for one in found):
    print('"!": the licence forbids uses, or must be accepted first.')
  if not all(one.confirmed for one in found):
    print('"?": the address was not found in a page of its owners.')
  if more := len(matching) - len(found):
    print(f"{more} more have names that no network reads yet: --all lists them.")
  return 0


def _cells(one: "PublishedWeights") -> tuple[str, ...]:
  """Returns the cells of a checkpoint's row."""
  title = one.title if one.address.startswith("hf://") else f"{one.title}:"
  doubt = "" if one.confirmed else "? "
  words = f"{title} {doubt}{one.address}"
  return (one.network or "", words, one.printed_size(), one.printed_license())


def _nothing(pattern: str, others: int) -> str:
  """Returns the message where nothing is listed."""
  from temporal_jax.lookup import did_you_mean
  from temporal_jax.models import MODELS

  if others:
    return (
      f"the {others} weights of {pattern!r} have names that no network reads yet: "
      "--all lists them."
    )
  hint = did_you_mean(pattern, MODELS) or "."
  return f"no weights are known of {pattern!r}{hint}"
