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
import itertools
import json
from collections.abc import Iterator, Sequence
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
  lines = [*_table(found)]
  width = tables.output_width()
  if width and max(map(len, lines)) > width:
    lines = [*_paragraphs(found, width)]
  print(*lines, sep="\n")
  if any(one.restricted for one in found):
    print('"!": the licence forbids uses, or must be accepted first.')
  if not all(one.confirmed for one in found):
    print('"?": the address was not found in a page of its owners.')
  if more := len(matching) - len(found):
    print(f"{more} more have names that no network reads yet: --all lists them.")
  return 0


def _table(found: Sequence["PublishedWeights"]) -> Iterator[str]:
  """Yields a line for each checkpoint."""
  from temporal_jax.display import tables

  head = ("network", "weights and address", "size", "licence")
  cells = [
    (
      one.network or "",
      f"{_title(one)}: {_address(one)}",
      one.printed_size(),
      one.printed_license(),
    )
    for one in found
  ]
  return tables.render(tables.columns(cells, head=head, right=(2,)))


def _paragraphs(found: Sequence["PublishedWeights"], width: int) -> Iterator[str]:
  """Yields the checkpoints under the names of their networks.

  An address has a line to itself that is never broken: where it is longer than
  a terminal is wide, it can still be selected whole.
  """
  from temporal_jax.display import tables

  for network, of_network in itertools.groupby(found, lambda one: one.network):
    yield network or "networks that the catalog does not have"
    for one in of_network:
      facts = filter(None, (one.printed_size(), f"licence {one.printed_license()}"))
      yield tables.fold_line(f"  {_title(one)}: {', '.join(facts)}", width)
      yield f"    {_address(one)}"


def _title(one: "PublishedWeights") -> str:
  """Returns a checkpoint's title, without the repository of its address."""
  return one.title.removesuffix(f", {one.address.removeprefix('hf://')}")


def _address(one: "PublishedWeights") -> str:
  """Returns a checkpoint's address, with "?" before a doubtful one."""
  return f"{'' if one.confirmed else '? '}{one.address}"


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
