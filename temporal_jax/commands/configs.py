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
  """Adds the arguments of `configs`."""
  parser.add_argument(
    "pattern",
    nargs="?",
    default="*",
    metavar="PATTERN",
    help='of the names, e.g. "*ssv2" (all)',
  )


def run(options: argparse.Namespace) -> int:
  """Prints each config with a description of its run."""
  from temporal_jax import config_files
  from temporal_jax.display import tables

  found = list(config_files.list_configs(options.pattern))
  if not found:
    close = config_files.near_configs(options.pattern)
    hint = f"; did you mean {' or '.join(close)}?" if close else "."
    raise ValueError(f"no config's name matches {options.pattern!r}{hint}")
  # The runs of a paper have the words of its file: shown once.
  words = [said for _, said in found]
  rows = [
    (name, "" if said == before else said)
    for (name, said), before in zip(found, ["", *words], strict=False)
  ]
  for line in tables.render(tables.columns(rows, fold=(1,)), width=80):
    print(line)
  return 0
