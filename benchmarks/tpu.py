r"""Estimates operators and training steps on TPUs that are not there.

  python -m benchmarks.tpu [--chips v5e v5p v6e] [--only TEXT] \
    [--modes forward gradients] [--networks PATTERN ...] [--json FILE]
  python -m benchmarks.tpu --calibrate [--chips v5e v5p v6e]

XLA compiles each case of benchmarks.operators for a chip, in bfloat16, and the
text of what it compiled is read: no TPU is needed, only libtpu of jax's version
(`pip install '.[tpu]'`). A case takes one or two CPU seconds.

  estimate  microseconds; the sum over all instructions, each as slow as its
            bytes, its products or its elementwise operations
  ideal     microseconds; the least bytes (each input and output once, without
            padding) or the authors' multiply-adds, whichever takes longer
  ratio     estimate / ideal
  MB        bytes from and to the main memory, with padding, and the least
  cycles    thousands of cycles of the matrix units
  largest   the three instructions that take longest: kind and share

With --networks, also the training steps of the catalog's networks that match a
shell pattern, each a minute or more; --no-operators leaves out the others.

  ideal        milliseconds of three times the forward multiply-adds at the peak
  utilization  ideal / estimate (MFU)
  operator     share of the instructions made of the layers in temporal slots
  memory       what XLA sets aside

What the figures can be trusted for: padded bytes, and ratios before and after
a change that are above 1.3. They are no absolute times. --calibrate compares
plain products, sums and convolutions: the estimate with the ideal, and the time
of the matrix units, where nothing else takes longer, with XLA's own estimate,
which is there once XLA has made the code for the chip.
"""

import argparse
import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import jax

from benchmarks.cases.modules import MODULES
from benchmarks.cases.operator_case import OperatorCase
from benchmarks.cases.operators import OPERATORS
from benchmarks.compiled import (
  absent_tpu,
  calibration,
  operators,
  reports,
  training_steps,
)
from benchmarks.compiled.child import Job, compile_all
from benchmarks.compiled.chips import TPUS
from benchmarks.shared import machine, results
from temporal_jax import list_models


def _operator_job(case: OperatorCase, mode: str, chip: str, batch: int) -> Job:
  return Job(
    row={"name": case.name, "chip": chip, "mode": mode},
    lower=functools.partial(_lower_operator, case, mode, chip, batch),
    text_file=absent_tpu.TEXT_FILE,
    environment=absent_tpu.ENVIRONMENT,
  )


def _lower_operator(
  case: OperatorCase, mode: str, chip: str, batch: int
) -> tuple[jax.stages.Lowered, Mapping[str, Any]]:
  program = operators.program(case, mode, batch=batch)
  facts = {"multiply_adds": program.multiply_adds, "least_bytes": program.least_bytes}
  device = absent_tpu.device(chip)
  return absent_tpu.lower(program.function, program.shapes, device), facts


def _network_job(name: str, chip: str, batch: int) -> Job:
  return Job(
    row={"name": name, "chip": chip, "batch": batch},
    lower=functools.partial(_lower_network, name, chip, batch),
    text_file=absent_tpu.TEXT_FILE,
    environment=absent_tpu.ENVIRONMENT,
  )


def _lower_network(
  name: str, chip: str, batch: int
) -> tuple[jax.stages.Lowered, Mapping[str, Any]]:
  step = training_steps.plan(name, absent_tpu.device(chip), batch=batch)
  facts = {
    "multiply_adds": training_steps.multiply_adds(name, batch=batch),
    "least_bytes": 0,
    "operator_paths": training_steps.operator_paths(step),
  }
  traced = step.function.trace(step.components.shapes, step.batch)
  return traced.lower(lowering_platforms=("tpu",)), facts


def _calibration_job(plain: calibration.Plain, chip: str) -> Job:
  def lower() -> tuple[jax.stages.Lowered, Mapping[str, Any]]:
    device = absent_tpu.device(chip)
    return absent_tpu.lower(plain.function, plain.inputs(), device), {}

  return Job(
    row={"name": plain.name, "chip": chip},
    lower=lower,
    text_file=calibration.TEXT_FILE,
    environment=absent_tpu.ENVIRONMENT,
  )


def _calibrate(chips: Sequence[str], limit: float) -> None:
  """Prints the table of the plain programs.

  Raises:
    RuntimeError: If one cannot be compiled.
  """
  plain = {one.name: one for one in calibration.PROGRAMS}
  jobs = [
    _calibration_job(one, chip)
    for chip, one in itertools.product(chips, plain.values())
  ]
  table = results.ResultTable(calibration.COLUMNS, name_width=52)
  for outcome in compile_all(jobs, limit=limit):
    name, chip = outcome.job.row.values()
    if outcome.error:
      raise RuntimeError(f"{name}, {chip}: {outcome.error}")
    row = calibration.compare(plain[name], outcome.text, TPUS[chip])
    table.add(*calibration.cells({**row, "chip": chip}))


def _options(argv: list[str] | None) -> argparse.Namespace:
  parser = results.create_parser(__doc__)
  add = parser.add_argument
  add("--chips", nargs="+", choices=TPUS, default=list(TPUS), help="chips")
  add("--only", default="", metavar="TEXT", help="text in the names of cases")
  add("--modes", nargs="+", choices=operators.MODES, default=list(operators.MODES))
  add("--networks", nargs="+", default=[], metavar="PATTERN", help="training steps")
  add("--no-operators", action="store_true", help="only networks")
  add("--batch", type=int, default=8, help="clips")
  add("--processes", type=int, default=1, help="compilers at a time")
  add("--calibrate", action="store_true", help="plain programs only")
  add("--limit", type=float, default=1800, help="seconds for one program")
  options = parser.parse_args(argv)
  options.cases = operators.select((*OPERATORS, *MODULES), options.only)
  if not options.cases:
    parser.error(f"no case has {options.only!r} in its name.")
  for pattern in options.networks:
    if not list_models(pattern):
      parser.error(f"no network of the catalog matches {pattern!r}.")
  try:
    absent_tpu.check_libtpu()
  except ImportError as error:
    parser.error(str(error))
  return options


def _operator_jobs(options: argparse.Namespace) -> list[Job]:
  if options.no_operators:
    return []
  return [
    _operator_job(case, mode, chip, options.batch)
    for chip, case, mode in itertools.product(
      options.chips, options.cases, options.modes
    )
  ]


def _network_jobs(options: argparse.Namespace) -> list[Job]:
  patterns = options.networks
  # A network that two patterns match is compiled once.
  names = dict.fromkeys(name for one in patterns for name in list_models(one))
  return [
    _network_job(name, chip, options.batch)
    for chip, name in itertools.product(options.chips, names)
  ]


def main(argv: list[str] | None = None) -> None:
  """Estimates, prints tables and writes the JSON file after every row.

  Failures are reported; the remaining rows still run.

  Raises:
    SystemExit: In the end, if a row failed.
  """
  options = _options(argv)
  # The children need no device of this machine, and what is in the cache would
  # not be compiled again: there would be no text to read.
  jax.config.update("jax_platforms", "cpu")
  jax.config.update("jax_enable_compilation_cache", False)
  if options.calibrate:
    _calibrate(options.chips, options.limit)
    return
  about = {
    "processor": machine.processor(),
    "jax": jax.__version__,
    "libtpu": absent_tpu.libtpu_version(),
  }
  report = {"machine": about, "operators": [], "networks": []}
  sections = (
    (
      "operators",
      _operator_jobs(options),
      reports.OPERATOR_COLUMNS,
      reports.operator_cells,
    ),
    (
      "networks",
      _network_jobs(options),
      reports.NETWORK_COLUMNS,
      reports.network_cells,
    ),
  )
  for section, jobs, columns, cells in sections:
    if not jobs:
      continue
    table = results.ResultTable(columns, name_width=52)
    for outcome in compile_all(jobs, processes=options.processes, limit=options.limit):
      row = reports.report(outcome, TPUS[outcome.job.row["chip"]])
      report[section].append(row)
      if "error" in row:
        print(f"{' '.join(map(str, outcome.job.row.values()))} failed: {row['error']}")
      else:
        table.add(*cells(row))
      results.write_json(options.json, report)
  if any("error" in row for row in (*report["operators"], *report["networks"])):
    raise SystemExit(1)


if __name__ == "__main__":
  main()
