"""Writes the tables of the pages in docs/, and the lists of public names.

python -m docs.generate            # the tables; counts the cost of new networks
python -m docs.generate --recount  # counts the cost of all networks: minutes

A table is between the lines "<!-- table NAME, written by make docs -->" and
"<!-- end -->"; all else in a page is written by hand.
"""

import argparse
import functools
import html
import importlib
import inspect
import itertools
import pathlib
import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence

from docs import (
  accelerator_tables,
  gpu_tables,
  growth_tables,
  league_tables,
  operator_tables,
  paper_tables,
  peer_tables,
  speed_tables,
  weight_tables,
)
from temporal_jax import config_files, localization, models
from temporal_jax.configs import datasets
from temporal_jax.models.catalog import counted_costs

DOCS = pathlib.Path(__file__).parent
_BEGIN = "<!-- table {}, written by make docs -->"
_END = "<!-- end -->"
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{5})")
_REPOSITORY = re.compile(r"[\w-]+/[\w.-]+")


def networks() -> Iterator[Sequence[str]]:
  """Yields the rows of all networks: what they are, cost and publish."""
  yield (
    "name",
    "clip",
    "parameters",
    "multiply-adds",
    "published top-1",
    "paper",
    "code",
    "weights",
  )
  costs = counted_costs.read_costs()
  for name, entry in models.MODELS.items():
    frames, side, _ = entry.clip_shape
    own, _ = costs[name]
    best = entry.best_accuracies().values()
    yield (
      f"`{name}`",
      f"{frames} x {side}",
      f"{own.params / 1e6:.1f}",
      f"{own.gmacs:.1f}",
      ", ".join(map(str, best)),
      _ARXIV.sub(r"[\g<0>](https://arxiv.org/abs/\1)", entry.paper),
      _link_repository(entry.repository),
      f"[page]({entry.weights})" if entry.weights else "",
    )


def reference_costs() -> Iterator[Sequence[str]]:
  """Yields the rows of the networks whose authors' code was counted."""
  yield (
    "name",
    "view",
    "parameters",
    "authors'",
    "multiply-adds",
    "authors'",
    "paper",
  )
  costs = counted_costs.read_costs()
  for name, entry in models.MODELS.items():
    theirs, (_, ours) = entry.reference_cost, costs[name]
    if theirs is not None:
      frames, side, _ = theirs.clip_shape
      yield (
        f"`{name}`",
        f"{frames} x {side}",
        f"{ours.params / 1e6:.3f}",
        f"{theirs.params / 1e6:.3f}",
        f"{ours.gmacs:.3f}",
        f"{theirs.gmacs:.3f}",
        theirs.paper,
      )


def temporal_costs() -> Iterator[Sequence[str]]:
  """Yields the rows of ILA's table 2: what each way to see time costs."""
  yield "temporal modeling", "name", "parameters", "multiply-adds", "paper", "why"
  costs = counted_costs.read_costs()
  for row in paper_tables.read("ila"):
    if row.table == "2":
      _, _, name = row.command.partition("--config.model.name=")
      own, _ = costs[name]
      params, gmacs = f"{own.params / 1e6:.1f}", f"{own.gmacs:.1f}"
      yield row.row, f"`{name}`", params, gmacs, row.gmacs, row.differs


def recipes() -> Iterator[Sequence[str]]:
  """Yields the rows of the configs that repeat a paper's run."""
  yield "config", "model", "data", "frames", "tables"
  tables: dict[str, list[str]] = {}
  for row in itertools.chain(*map(paper_tables.read, paper_tables.papers())):
    config = row.arguments()[0].removeprefix("--config=")
    tables.setdefault(config, []).append(row.table)
  for name in papers():
    module = config_module(name)
    for run in module.RUNS:
      config = module.get_config(run)
      yield (
        f"`{name}:{run}`",
        f"`{config.model.name}`",
        datasets.NAMES[run.rpartition("_")[2]],
        _frames(config),
        ", ".join(dict.fromkeys(tables.get(f"{name}:{run}", []))),
      )


def paper_rows(paper: str) -> Iterator[Sequence[str]]:
  """Yields the rows of a paper's tables, with the command that starts each."""
  yield "table", "row", "printed", "M", "G", "command"
  for row in paper_tables.read(paper):
    view = f" ({row.view})" if row.view and row.gmacs else ""
    printed = f"{row.printed} ({row.differs})" if row.differs else row.printed
    yield row.table, row.row, printed, row.params, row.gmacs + view, _code(row.command)


# Networks of the papers that README shows.
_ZOO = (
  "atm_resnet50",
  "atm_vit_b16",
  "blvnet_tam_50",
  "ila_vit_b16",
  "tada2d_resnet50",
  "tadaconvnextv2_tiny",
  "tadaformer_b16",
  "xvit_b16",
)


def zoo() -> Iterator[Sequence[str]]:
  """Yields the papers' main networks: cost, accuracy, weights and a run."""
  yield "name", "clip", "M", "G", "published top-1", "weights", "`--config=`"
  costs, runs = counted_costs.read_costs(), {}
  for paper in papers():
    module = config_module(paper)
    for run in module.RUNS:
      runs.setdefault(module.get_config(run).model.name, f"{paper}:{run}")
  for name in _ZOO:
    entry, (own, _) = models.MODELS[name], costs[name]
    frames, side, _ = entry.clip_shape
    best = entry.best_accuracies().values()
    yield (
      f"`{name}`",
      f"{frames} x {side}",
      f"{own.params / 1e6:.1f}",
      f"{own.gmacs:.1f}",
      ", ".join(map(str, best)),
      weight_tables.main_address(name),
      f"`{runs[name]}`",
    )


def papers() -> list[str]:
  """Returns the names of the configs whose runs are of a paper's data sets."""
  listed = (name.partition(":") for name, _ in config_files.list_configs())
  names = (name for name, _, run in listed if run.rpartition("_")[2] in datasets.NAMES)
  return list(dict.fromkeys(names))


def sources() -> Iterator[Sequence[str]]:
  """Yields the rows of the papers' configs: where their values come from."""
  yield "file", "follows"
  for name in papers():
    text = config_module(name).__doc__
    _, found, follows = text.partition("\n\nFollows")
    if not found:
      raise ValueError(f"configs/{name}.py must state what it 'Follows'.")
    yield f"`configs/{name}.py`", " ".join(follows.split())


# Pages, and what their tables hold.
TABLES: Mapping[str, Mapping[str, Callable[[], Iterator[Sequence[str]]]]] = {
  "../README.md": {
    "zoo": zoo,
    "speed": speed_tables.few,
    "which operator": league_tables.choice,
  },
  "accelerators.md": accelerator_tables.tables(),
  "benchmarks.md": {
    "origins": speed_tables.origins,
    "origin notes": speed_tables.origin_notes,
    "network speed": speed_tables.networks,
    "transformers speed": speed_tables.image_and_video_transformers,
    "training speed": speed_tables.training,
    "localization speed": speed_tables.localization,
    "operator speed": speed_tables.operators,
    "peer speed": peer_tables.speed,
    "peer processes": peer_tables.processes,
    "peer supplement": peer_tables.supplement,
    "gpu parts": gpu_tables.parts,
    "gpu speed": gpu_tables.speed,
  },
  "data.md": {"order needed": speed_tables.order_needed},
  "growth.md": {
    "growth counts": growth_tables.counts,
    "growth operators": growth_tables.operators,
    "growth cases": growth_tables.cases,
    "growth networks": growth_tables.networks,
    "growth products": growth_tables.products,
    "growth memory": growth_tables.memory,
    "growth devices": growth_tables.devices,
    "growth reasons": growth_tables.reasons,
  },
  "few_clips.md": {"few clips": speed_tables.few_clips},
  "league.md": league_tables.tables(),
  "models.md": {
    "networks": networks,
    "reference costs": reference_costs,
    "temporal costs": temporal_costs,
  },
  "operators.md": {"operators": operator_tables.operators},
  "recipes.md": {
    "recipes": recipes,
    "sources": sources,
    **{
      f"rows {paper}": functools.partial(paper_rows, paper)
      for paper in paper_tables.papers()
    },
  },
  "weights.md": {
    "formats": weight_tables.formats,
    "published weights": weight_tables.published,
  },
}


# Packages and modules whose public names are the reference of the site.
REFERENCE = (
  "temporal_jax.ops",
  "temporal_jax.layers",
  "temporal_jax.models",
  "temporal_jax.data",
  "temporal_jax.training",
  "temporal_jax.evaluation",
  "temporal_jax.inference",
  "temporal_jax.localization",
  "temporal_jax.pretrained",
  "convert_weights",
)


def reference(package: str) -> str:
  """Returns the page of public functions and classes.

  mkdocstrings puts the docstring of each in the place of its line.

  Args:
    package: A package, whose names are those that it exports, or a module,
      whose names are those that it defines.
  """
  module = importlib.import_module(package)
  names = [name for name in vars(module) if not name.startswith("_")]
  found = [getattr(module, name) for name in sorted(names, key=str.lower)]
  summary = (module.__doc__ or "").partition("\n")[0]
  lines = [f"# {package}", "", summary, ""]
  for value in found:
    # A jitted function wraps the one that was written.
    is_shown = inspect.isfunction(inspect.unwrap(value)) or inspect.isclass(value)
    if is_shown and (hasattr(module, "__path__") or value.__module__ == package):
      lines += [f"::: {value.__module__}.{value.__qualname__}", ""]
  return "\n".join(lines)


def render(page: str) -> str:
  """Returns a page, a key of `TABLES`, with its tables as they are now.

  Raises:
    ValueError: If the place of a table is not marked in the page.
  """
  text = (DOCS / page).read_text()
  for name, rows in TABLES[page].items():
    begin = _BEGIN.format(name) + "\n"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(_END)
    if not found or not closed:
      raise ValueError(f"docs/{page} lacks the line {begin!r} or {_END!r} after it.")
    text = before + begin + _table(rows()) + _END + after
  return text


def _code(text: str) -> str:
  """Returns code for a cell, in which "|" must be written otherwise."""
  if "|" not in text:
    return f"`{text}`"
  return f"<code>{html.escape(text, quote=False).replace('|', '&#124;')}</code>"


def _table(rows: Iterator[Sequence[str]]) -> str:
  """Returns a Markdown table; the first row is its head."""
  head, *rest = rows
  lines = [head, ["---"] * len(head), *rest]
  return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _link_repository(repository: str) -> str:
  if not _REPOSITORY.fullmatch(repository):
    return repository
  return f"[{repository}](https://github.com/{repository})"


def _frames(config) -> str:
  """Returns the frames of a config's clips, in each of its stages.

  Of films, whose features are positions, these are those of a sequence.
  """
  if config.task == "localization":
    entry = localization.find_localizer(config.model.name)
    return f"{config.sequences.length or entry.length} positions"
  stages = [change.get("data.num_frames") for change in config.stages]
  frames = [frames for frames in stages if frames] or [config.data.num_frames]
  return ", ".join(map(str, frames))


def config_module(name: str) -> types.ModuleType:
  """Returns the module of a config, such as "localization/bmn"."""
  return importlib.import_module(f"temporal_jax.configs.{name.replace('/', '.')}")


def main() -> None:
  """Writes the pages."""
  parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
  parser.add_argument("--recount", action="store_true", help="count all costs")
  recount = parser.parse_args().recount
  kept = {} if recount else counted_costs.read_costs()
  counted_costs.write_costs(
    {name: kept.get(name) or counted_costs.count_entry(name) for name in models.MODELS}
  )
  for page in TABLES:
    (DOCS / page).write_text(render(page))
  for package in REFERENCE:
    page = DOCS / "api" / f"{package.rpartition('.')[2]}.md"
    page.write_text(reference(package))


if __name__ == "__main__":
  main()
