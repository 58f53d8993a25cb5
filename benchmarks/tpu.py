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

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import jax

from benchmarks.compiled import calibration, jobs
from benchmarks.compiled.child import Job, compile_all
from benchmarks.compiled.target import TPU
from benchmarks.shared import results


def _calibration_job(plain: calibration.Plain, chip: str) -> Job:
  def lower() -> tuple[jax.stages.Lowered, Mapping[str, Any]]:
    return TPU.lower(plain.function, plain.inputs(), TPU.device(chip)), {}

  row = {"name": plain.name, "chip": chip}
  return jobs.job(row, lower, TPU, calibration.TEXT_FILE)


def _calibrate(chips: Sequence[str], limit: float) -> None:
  """Prints the table of the plain programs.

  Raises:
    RuntimeError: If one cannot be compiled.
  """
  jobs.prepare()
  plain = {one.name: one for one in calibration.PROGRAMS}
  every = itertools.product(chips, plain.values())
  table = results.ResultTable(calibration.COLUMNS, name_width=52)
  todo = [_calibration_job(one, chip) for chip, one in every]
  for outcome in compile_all(todo, limit=limit):
    name, chip = outcome.job.row.values()
    if outcome.error:
      raise RuntimeError(f"{name}, {chip}: {outcome.error}")
    row = calibration.compare(plain[name], outcome.text, TPU.chips[chip])
    table.add(*calibration.cells({**row, "chip": chip}))


def main(argv: list[str] | None = None) -> None:
  """Estimates, see `jobs.run`, or compares plain programs."""
  parser = jobs.create_parser(__doc__, TPU)
  parser.add_argument("--calibrate", action="store_true", help="plain programs only")
  options = parser.parse_args(argv)
  jobs.check(parser, options, TPU)
  if options.calibrate:
    _calibrate(options.chips, options.limit)
  else:
    jobs.run(options, TPU)


if __name__ == "__main__":
  main()
