r"""Estimates operators and training steps on TPUs that are not there.

  python -m benchmarks.tpu [--chips v5e v5p v6e] [--only TEXT] \
    [--modes forward gradients] [--json FILE]

XLA compiles each case of benchmarks.operators for a chip, in bfloat16, and the
text of what it compiled is read: no TPU is needed, only libtpu of jax's version
(`pip install '.[tpu]'`). A case takes a few CPU seconds.

  estimate  microseconds; the sum over all instructions, each as slow as its
            bytes, its products or its elementwise operations
  ideal     microseconds; the least bytes (each input and output once, without
            padding) or the authors' multiply-adds, whichever takes longer
  ratio     estimate / ideal
  MB        bytes from and to the main memory, with padding, and the least
  cycles    thousands of cycles of the matrix units
  largest   the three instructions that take longest: kind and share

What the figures can be trusted for: padded bytes, and ratios before and after a
change that are above 1.3. They are no absolute times: --calibrate compares the
estimates of plain products, sums and convolutions with XLA's own and with what
the chip can do at best.
"""

import argparse
import functools
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import jax

from benchmarks.cases.modules import MODULES
from benchmarks.cases.operator_case import OperatorCase
from benchmarks.cases.operators import OPERATORS
from benchmarks.compiled import absent_tpu, operators, reports
from benchmarks.compiled.child import Job, compile_all
from benchmarks.compiled.chips import TPUS, Tpu
from benchmarks.shared import machine, results


def _operator_job(case: OperatorCase, mode: str, chip: str, batch: int) -> Job:
  return Job(
    row={"name": case.name, "chip": chip, "mode": mode},
    lower=functools.partial(_lower_operator, case, mode, TPUS[chip], batch),
    text_file=absent_tpu.TEXT_FILE,
    environment=absent_tpu.ENVIRONMENT,
  )


def _lower_operator(
  case: OperatorCase, mode: str, chip: Tpu, batch: int
) -> tuple[jax.stages.Lowered, Mapping[str, Any]]:
  program = operators.program(case, mode, batch=batch)
  facts = {"multiply_adds": program.multiply_adds, "least_bytes": program.least_bytes}
  return absent_tpu.lower(program.function, program.shapes, chip), facts


def _options(argv: list[str] | None) -> argparse.Namespace:
  parser = results.create_parser(__doc__)
  add = parser.add_argument
  add("--chips", nargs="+", choices=TPUS, default=list(TPUS), help="chips")
  add("--only", default="", metavar="TEXT", help="text in the names of cases")
  add("--modes", nargs="+", choices=operators.MODES, default=list(operators.MODES))
  add("--batch", type=int, default=8, help="clips")
  add("--processes", type=int, default=1, help="compilers at a time")
  add("--limit", type=float, default=600, help="seconds for one program")
  options = parser.parse_args(argv)
  options.cases = operators.select((*OPERATORS, *MODULES), options.only)
  if not options.cases:
    parser.error(f"no case has {options.only!r} in its name.")
  try:
    absent_tpu.check_libtpu()
  except ImportError as error:
    parser.error(str(error))
  return options


def _rows(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
  """Yields the figures of all programs as they are compiled."""
  jobs = [
    _operator_job(case, mode, chip, options.batch)
    for chip, case, mode in itertools.product(
      options.chips, options.cases, options.modes
    )
  ]
  for outcome in compile_all(jobs, processes=options.processes, limit=options.limit):
    yield reports.report(outcome, TPUS[outcome.job.row["chip"]])


def main(argv: list[str] | None = None) -> None:
  """Estimates, prints the table and writes the JSON file after every row.

  Failures are reported; the remaining rows still run.

  Raises:
    SystemExit: In the end, if a row failed.
  """
  options = _options(argv)
  # The children need no device of this machine, and what is in the cache would
  # not be compiled again: there would be no text to read.
  jax.config.update("jax_platforms", "cpu")
  jax.config.update("jax_enable_compilation_cache", False)
  about = {
    "processor": machine.processor(),
    "jax": jax.__version__,
    "libtpu": absent_tpu.libtpu_version(),
  }
  table = results.ResultTable(("operator", *reports.COLUMNS), name_width=52)
  rows = []
  for row in _rows(options):
    rows.append(row)
    if "error" in row:
      print(f"{row['name']} {row['chip']} {row['mode']} failed: {row['error']}")
    else:
      table.add(*reports.cells(row))
    results.write_json(options.json, {"machine": about, "operators": rows})
  if any("error" in row for row in rows):
    raise SystemExit(1)


if __name__ == "__main__":
  main()
