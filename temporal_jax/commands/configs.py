"""List the configs that `train` finds by name.

  temporal-jax configs
  temporal-jax configs "atm:*"

A run of a paper is PAPER:NETWORK_DATASET, see docs/recipes.md. `temporal-jax
train --config=NAME` takes the name, and --config.FIELD=VALUE sets a field; all
fields are explained in the config `base`.
"""

import argparse

COMPUTES = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Says what `configs` takes."""
  parser.add_argument(
    "pattern",
    nargs="?",
    default="*",
    metavar="PATTERN",
    help='of the names, e.g. "*ssv2" (all)',
  )


def run(options: argparse.Namespace) -> int:
  """Prints each config with what it trains."""
  import rich.console
  import rich.table

  from temporal_jax import config_files

  found = list(config_files.list_configs(options.pattern))
  if not found:
    close = config_files.near_configs(options.pattern)
    hint = f"; did you mean {' or '.join(close)}?" if close else "."
    raise ValueError(f"no config's name matches {options.pattern!r}{hint}")
  table = rich.table.Table(box=None, show_header=False, pad_edge=False)
  table.add_column(no_wrap=True)
  table.add_column()
  for row in found:
    table.add_row(*row)
  console = rich.console.Console(width=80, color_system=None, markup=False)
  with console.capture() as shown:
    console.print(table)
  for line in shown.get().splitlines():
    print(line.rstrip())
  return 0
