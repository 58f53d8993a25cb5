r"""Holds the library against figures of the authors' own code.

  python -m tests.golden.check DIR [--dtype bfloat16] [--only TEXT ...] \
    [--workers N] [--json FILE]

DIR holds case folders. A row a case: its name, the worst quantity's relative
error and what is allowed, and ok, FAIL, unsupported or not carried. Unsupported
are, by name, a class, an argument or an argument's value that ours does not
know. The exit code is 1 if a case fails or is unsupported.

With bfloat16, whose rounding is 2^-9, much more is allowed. The JSON file has
the rows, and is written after every row.
"""

import argparse
import concurrent.futures
import functools
import json
import pathlib
import sys
from typing import NamedTuple

from tests.golden import compare
from tests.golden.arguments import UnsupportedError
from tests.golden.case import Case
from tests.golden.references import NOT_CARRIED, REFERENCES


class Row(NamedTuple):
  """One line of the table."""

  name: str
  verdict: str
  quantity: str = ""
  error: float = 0.0
  tolerance: float = 0.0

  def __str__(self) -> str:
    if self.verdict not in ("ok", "FAIL"):
      return f"{self.name:34} {'':9} {'':9} {self.verdict} {self.quantity}"
    figures = f"{self.error:9.1e} {self.tolerance:9.1e}"
    return f"{self.name:34} {figures} {self.verdict} {self.quantity}"


def check(
  path: pathlib.Path,
  options: compare.Options | None = None,
  *,
  dtype: str = "float32",
) -> Row:
  """Runs one case, compiled with `options`; a row tells its worst quantity."""
  case = Case.read(path)
  if case.source in NOT_CARRIED:
    return Row(case.name, "not carried")
  if case.source not in REFERENCES:
    return Row(case.name, "unsupported", ": ".join(case.source))
  try:
    errors = compare.errors(case, REFERENCES[case.source], options, dtype=dtype)
  except UnsupportedError as error:
    return Row(case.name, "unsupported", f"{': '.join(case.source)}: {error}")
  except (KeyError, TypeError, ValueError, RuntimeError) as error:
    return Row(case.name, "FAIL", f"{type(error).__name__}: {error}")
  allowed = {name: case.tolerance(name, dtype) for name in errors}
  worst = max(errors, key=lambda name: errors[name] / allowed[name])
  verdict = "ok" if errors[worst] <= allowed[worst] else "FAIL"
  return Row(case.name, verdict, worst, errors[worst], allowed[worst])


def main(argv: list[str] | None = None) -> int:
  """Prints the table of all cases under a folder."""
  options = _options(argv)
  paths = sorted(p.parent for p in options.directory.rglob("case.json"))
  paths = [p for p in paths if any(text in p.name for text in options.only)]
  if not paths:
    print(f"no case.json under {options.directory}")
    return 1
  print(f"{'case':34} {'error':>9} {'allowed':>9} verdict, worst quantity")
  rows = []
  run = functools.partial(check, dtype=options.dtype)
  with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
    futures = [pool.submit(run, path) for path in paths]
    for future in concurrent.futures.as_completed(futures):
      rows.append(future.result())
      print(rows[-1], flush=True)
      if options.json:
        options.json.write_text(
          json.dumps({"rows": [row._asdict() for row in rows]}, indent=1) + "\n"
        )
  verdicts = [row.verdict for row in rows]
  counts = {v: verdicts.count(v) for v in sorted(set(verdicts))}
  print(", ".join(f"{n} {v}" for v, n in counts.items()))
  return int("FAIL" in counts or "unsupported" in counts)


def _options(argv: list[str] | None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  add = parser.add_argument
  add("directory", type=pathlib.Path, metavar="DIR")
  add("--dtype", choices=["float32", "bfloat16"], default="float32")
  add("--only", nargs="+", default=[""], metavar="TEXT", help="in the folders' names")
  add("--workers", type=int, default=1, help="cases that are compiled at a time")
  add("--json", type=pathlib.Path, help="file to write")
  return parser.parse_args(argv)


if __name__ == "__main__":
  sys.exit(main())
