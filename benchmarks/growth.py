r"""Growth of cost with frames, places, width, clips and devices.

  python -m benchmarks.growth INSTRUMENT [--kinds KIND ...] [--only NAME ...] \
    [--axes AXIS ...] [--json FILE [--resume]]
  python -m benchmarks.growth claims --read FILE ... [--png FOLDER]

Measures operators, the cases of benchmarks.operators and networks of the
catalog at several sizes, and fits an exponent to the larger half of each row,
by least squares in log-log. The instruments are

  products  multiply-adds of inference, counted; nothing is compiled
  memory    bytes that XLA sets aside for forward and backward on this device
  clock     milliseconds of inference on this device: medians of turns, in which
            the sizes of a row follow each other. --processor-time counts the
            processor's over all threads, for a machine that others use
  tpu       microseconds of inference on a TPU, estimated as in benchmarks.tpu;
            needs libtpu, `pip install '.[tpu]'`
  devices   a training step on 1, 2, 4 and 8 simulated devices: operations,
            temporaries and bytes sent of one of them

With --resume the rows of FILE are kept, and those that it lacks or that failed
are measured, with the same instrument, points, chip and processor.

`claims` compares the rows of such files with the papers' complexities: measured
exponents, and in brackets those of the formula at the same sizes; a star marks
those that differ by more than 0.15. With --png it draws growth_operators.png
and growth_networks.png.
"""

import argparse
import json
import pathlib
from typing import Any

from benchmarks.compiled.target import TPU
from benchmarks.growth_parts import claims, pictures
from benchmarks.growth_parts.instruments import INSTRUMENTS, Request
from benchmarks.growth_parts.subjects import AXES, KINDS, SUBJECTS
from benchmarks.shared import machine, results
from temporal_jax.lookup import lookup

_CLAIMS = "claims"


def _options(argv: list[str] | None) -> argparse.Namespace:
  parser = results.create_parser(__doc__)
  add = parser.add_argument
  add("instrument", metavar="INSTRUMENT", help=f"{', '.join(INSTRUMENTS)} or claims")
  add("--kinds", nargs="+", metavar="KIND", help=", ".join(KINDS))
  add("--only", nargs="+", metavar="NAME", help="operators and networks")
  add("--axes", nargs="+", metavar="AXIS", help=", ".join(AXES))
  add("--resume", action="store_true", help="keep the rows of the JSON file")
  add("--points", type=results.count, help="sizes of an axis, the smallest first")
  add("--seconds", type=results.above_zero, default=10.0, help="per row of the clock")
  add("--processor-time", action="store_true", help="not the clock's")
  add("--chip", default="v5e", help="TPU of the estimates")
  add("--read", nargs="+", type=pathlib.Path, metavar="FILE", help="files of claims")
  add("--png", type=pathlib.Path, metavar="FOLDER", help="draw pictures there")
  options = parser.parse_args(argv)
  try:
    lookup({**INSTRUMENTS, _CLAIMS: None}, options.instrument, "instrument")
    for kind in options.kinds or ():
      lookup(dict.fromkeys(KINDS), kind, "kind")
    for name in options.only or ():
      lookup(SUBJECTS, name, "operator or network")
    for axis in options.axes or ():
      lookup(AXES, axis, "axis")
    lookup(TPU.chips, options.chip, "chip")
    if options.instrument == "tpu":
      TPU.check_installed()
    if (options.instrument == _CLAIMS) != bool(options.read):
      raise ValueError("claims need --read FILE, and nothing else reads files.")
    if options.resume and (options.instrument == _CLAIMS or not options.json):
      raise ValueError("--resume needs an instrument and --json FILE.")
    if options.png and options.instrument != _CLAIMS:
      raise ValueError("--png draws claims only.")
    if options.png and not options.png.is_dir():
      raise ValueError(f"--png {options.png} must be a folder that exists.")
    options.rows = claims.read_rows(options.read or ())
    if options.resume and options.json.exists():
      options.rows = _kept_rows(options)
  except (ImportError, OSError, ValueError) as error:
    parser.error(str(error))
  return options


def _settings(options: argparse.Namespace) -> dict[str, Any]:
  """Returns the settings that all rows of a file share."""
  return {
    "instrument": options.instrument,
    "points": options.points,
    "processor_time": options.processor_time,
    "chip": options.chip,
    "processor": machine.processor(),
  }


def _kept_rows(options: argparse.Namespace) -> list[dict[str, Any]]:
  """Returns the rows of the file that are not measured again.

  Raises:
    ValueError: If they were measured with other settings.
  """
  rows = claims.read_rows([options.json])
  known, own = json.loads(options.json.read_text()).get("settings"), _settings(options)
  if known != own:
    raise ValueError(
      f"{options.json} has rows with the settings {known}, not {own}: --resume needs "
      "the same, or another --json."
    )
  return [row for row in rows if "error" not in row]


_COLUMNS = ("of", "axis", "quantity", "sizes", "exponent", "residual")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
  sizes = f"{row['sizes'][0]} to {row['sizes'][-1]}"
  fit = [f"{row[k]:.2f}" if k in row else "-" for k in ("exponent", "residual")]
  return row["name"], row["axis"], row["quantity"], sizes, *fit


def _measure(options: argparse.Namespace) -> None:
  """Measures, prints the table and writes the JSON file after every row.

  Estimates that fail are reported; the remaining rows still run.

  Raises:
    SystemExit: In the end, if a row failed, or if there is none.
  """
  request = Request(
    names=options.only or [*SUBJECTS],
    kinds=options.kinds or KINDS,
    axes=options.axes or [*AXES],
    points=options.points,
    seconds=options.seconds,
    processor_time=options.processor_time,
    chip=options.chip,
    done=[(row["name"], row["axis"]) for row in options.rows],
  )
  table = results.ResultTable(_COLUMNS, name_width=52)
  about: dict[str, Any] = {"processor": machine.processor()}
  if options.instrument == "tpu":  # Its children must be the first to use jax.
    about |= {"chip": options.chip, **TPU.versions()}
  rows = options.rows
  for row in INSTRUMENTS[options.instrument](request):
    if options.instrument != "tpu" and len(about) == 1:
      about = machine.describe()
    rows.append(row)
    shared = {"machine": about, "settings": _settings(options)}
    results.write_json(options.json, {**shared, "rows": rows})
    if "error" in row:
      print(f"{row['name']}, {row['axis']} failed: {row['error']}", flush=True)
    else:
      table.add(*_cells(row))
  if not rows:
    raise SystemExit(
      f"{options.instrument} measures nothing of these kinds, names and axes: "
      f"{', '.join(request.kinds)}; {', '.join(request.names)}; "
      f"{', '.join(request.axes)}."
    )
  if any("error" in row for row in rows):
    raise SystemExit(1)


def _compare(options: argparse.Namespace) -> None:
  """Prints and writes a line per claim, and draws the rows."""
  lines = claims.compare(options.rows)
  table = results.ResultTable(claims.COLUMNS, name_width=52)
  for line in lines:
    table.add(*claims.cells(line))
  print(claims.summary(lines))
  about = {"processor": machine.processor()}
  report = {"machine": about, "lines": claims.report(lines)}
  results.write_json(options.json, report)
  if options.png:
    for name, panels in pictures.PANELS.items():
      pictures.draw(options.rows, panels, options.png / f"growth_{name}.png")


def main(argv: list[str] | None = None) -> None:
  """Measures with an instrument, or compares what was measured."""
  options = _options(argv)
  if options.instrument == _CLAIMS:
    _compare(options)
  else:
    _measure(options)


if __name__ == "__main__":
  main()
