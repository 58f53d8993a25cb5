"""Compiles the cases of a program for chips, and reports what they cost."""

import argparse
import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from benchmarks.cases.modules import MODULES
from benchmarks.cases.operator_case import OperatorCase
from benchmarks.cases.operators import OPERATORS
from benchmarks.compiled import operators, report_tables, reports, training_steps
from benchmarks.compiled.child import Job, compile_all
from benchmarks.compiled.target import Target
from benchmarks.shared import machine, results
from temporal_jax import list_models


def create_parser(description: str, target: Target) -> argparse.ArgumentParser:
  """Returns a parser with the options that `run` reads."""
  parser = results.create_parser(description)
  add, chips = parser.add_argument, target.chips
  add("--chips", nargs="+", choices=chips, default=list(chips), help="chips")
  add("--only", default="", metavar="TEXT", help="text in the names of cases")
  add("--modes", nargs="+", choices=operators.MODES, default=list(operators.MODES))
  add("--networks", nargs="+", default=[], metavar="PATTERN", help="training steps")
  add("--network-chips", nargs="+", choices=chips, help="by default --chips")
  add("--no-operators", action="store_true", help="only networks")
  add("--batch", type=results.count, default=8, help="clips")
  add("--processes", type=results.count, default=1, help="compilers at a time")
  add("--limit", type=results.above_zero, default=1800, help="seconds for one program")
  return parser


def check(
  parser: argparse.ArgumentParser, options: argparse.Namespace, target: Target
) -> None:
  """Ends the process with a message if the options name nothing that exists."""
  if options.no_operators and not options.networks:
    parser.error("--no-operators leaves nothing to estimate without --networks.")
  if options.network_chips and not options.networks:
    parser.error("--network-chips needs --networks.")
  if not _cases(options):
    parser.error(f"no case has {options.only!r} in its name.")
  for pattern in options.networks:
    if not list_models(pattern):
      parser.error(f"no network of the catalog matches {pattern!r}.")
  try:
    target.check_installed()
  except ImportError as error:
    parser.error(str(error))


def prepare() -> None:
  """Sets jax up for children that compile for other devices.

  They need no device of this machine, and what is in the cache would not be
  compiled again: there would be no text to read.
  """
  jax.config.update("jax_platforms", "cpu")
  jax.config.update("jax_enable_compilation_cache", False)


def run(options: argparse.Namespace, target: Target) -> None:
  """Estimates, prints tables and writes the JSON file after every row.

  Failures are reported; the remaining rows still run.

  Raises:
    SystemExit: In the end, if a row failed.
  """
  prepare()
  about = {"processor": machine.processor(), **target.versions()}
  report = {"machine": about, "operators": [], "networks": []}
  sections = {
    "operators": (_operator_jobs, report_tables.OPERATORS[target.platform]),
    "networks": (_network_jobs, report_tables.NETWORKS),
  }
  for section, (create, columns) in sections.items():
    jobs = create(options, target)
    if not jobs:
      continue
    table = results.ResultTable([*columns], name_width=52)
    for row in _reports(jobs, options, target):
      report[section].append(row)
      results.write_json(options.json, report)
      if "error" in row:
        words = [str(value) for name, value in row.items() if name != "error"]
        print(f"{' '.join(words)} failed: {row['error']}", flush=True)
      else:
        table.add(*(cell(row) for cell in columns.values()))
  if any("error" in row for row in (*report["operators"], *report["networks"])):
    raise SystemExit(1)


def job(
  row: Mapping[str, Any], lower: Callable, target: Target, text_file: str | None = None
) -> Job:
  """Returns a job of a target, see `Job`."""
  return Job(
    row=row,
    lower=lower,
    text_file=text_file or target.text_file,
    environment=target.environment,
    flags=target.flags,
  )


def _reports(jobs: Sequence[Job], options: argparse.Namespace, target: Target):
  """Yields the figures of jobs as they end."""
  for outcome in compile_all(jobs, processes=options.processes, limit=options.limit):
    yield reports.report(outcome, target.chips[outcome.job.row["chip"]])


def _cases(options: argparse.Namespace) -> list[OperatorCase]:
  return [case for case in (*OPERATORS, *MODULES) if options.only in case.name]


def _operator_jobs(options: argparse.Namespace, target: Target) -> list[Job]:
  if options.no_operators:
    return []
  every = itertools.product(options.chips, _cases(options), options.modes)
  return [
    job(
      {"name": case.name, "chip": chip, "mode": mode},
      functools.partial(_lower_operator, case, mode, chip, options.batch, target),
      target,
    )
    for chip, case, mode in every
  ]


def _lower_operator(
  case: OperatorCase, mode: str, chip: str, batch: int, target: Target
) -> tuple[jax.stages.Lowered, Mapping[str, Any]]:
  program = operators.program(case, mode, batch=batch)
  facts = {"multiply_adds": program.multiply_adds, "least_bytes": program.least_bytes}
  device = target.device(chip)
  return target.lower(program.function, program.shapes, device), facts


def _network_jobs(options: argparse.Namespace, target: Target) -> list[Job]:
  patterns, chips = options.networks, options.network_chips or options.chips
  # A network that two patterns match is compiled once.
  names = dict.fromkeys(name for one in patterns for name in list_models(one))
  return [
    job(
      {"name": name, "chip": chip, "batch": options.batch},
      functools.partial(_lower_network, name, chip, options.batch, target),
      target,
    )
    for chip, name in itertools.product(chips, names)
  ]


def _lower_network(
  name: str, chip: str, batch: int, target: Target
) -> tuple[jax.stages.Lowered, Mapping[str, Any]]:
  step = training_steps.plan(name, target.device(chip), batch=batch)
  facts = {
    "multiply_adds": training_steps.multiply_adds(name, batch=batch),
    "least_bytes": 0,
    "operator_paths": training_steps.operator_paths(step),
  }
  traced = step.function.trace(step.components.shapes, step.batch)
  return traced.lower(lowering_platforms=(target.platform,)), facts
