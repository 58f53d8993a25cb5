"""Holds the library against figures of the authors' own code.

  python -m tests.golden.check DIR

DIR holds case folders. A row a case: its name, the worst quantity's relative
error and what is allowed, and ok, FAIL, unsupported or not carried. Unsupported
are, by name, a class, an argument or an argument's value that ours does not
know. The exit code is 1 if a case fails or is unsupported.
"""

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


def check(path: pathlib.Path, options: compare.Options | None = None) -> Row:
  """Runs one case, compiled with `options`; a row tells its worst quantity."""
  case = Case.read(path)
  if case.source in NOT_CARRIED:
    return Row(case.name, "not carried")
  if case.source not in REFERENCES:
    return Row(case.name, "unsupported", ": ".join(case.source))
  try:
    errors = compare.errors(case, REFERENCES[case.source], options)
  except UnsupportedError as error:
    return Row(case.name, "unsupported", f"{': '.join(case.source)}: {error}")
  except (KeyError, TypeError, ValueError, RuntimeError) as error:
    return Row(case.name, "FAIL", f"{type(error).__name__}: {error}")
  allowed = {name: case.tolerance(name) for name in errors}
  worst = max(errors, key=lambda name: errors[name] / allowed[name])
  verdict = "ok" if errors[worst] <= allowed[worst] else "FAIL"
  return Row(case.name, verdict, worst, errors[worst], allowed[worst])


def main(directory: str) -> int:
  """Prints the table of all cases under `directory`."""
  paths = sorted(p.parent for p in pathlib.Path(directory).rglob("case.json"))
  if not paths:
    print(f"no case.json under {directory}")
    return 1
  print(f"{'case':34} {'error':>9} {'allowed':>9} verdict, worst quantity")
  rows = []
  for path in paths:
    rows.append(check(path))
    print(rows[-1], flush=True)
  verdicts = [row.verdict for row in rows]
  counts = {v: verdicts.count(v) for v in sorted(set(verdicts))}
  print(", ".join(f"{n} {v}" for v, n in counts.items()))
  return int("FAIL" in counts or "unsupported" in counts)


if __name__ == "__main__":
  if len(sys.argv) != 2:
    sys.exit(__doc__)
  sys.exit(main(sys.argv[1]))
