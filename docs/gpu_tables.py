"""Rows of what benchmarks.on_gpu has measured, for the pages."""

import collections
import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_FILE = pathlib.Path(__file__).parents[1] / "benchmarks" / "results" / "on_gpu.json"


def parts(file: pathlib.Path = _FILE) -> Iterator[Sequence[str]]:
  """Yields the parts, how each ended and what it found."""
  if not file.exists():
    yield ("GPU",)
    yield ("No GPU has been measured yet.",)
    return
  report = json.loads(file.read_text())
  yield report["machine"].get("device", "GPU"), "outcome", "seconds", "found"
  for part in report["parts"]:
    found = _FOUND.get(part["name"].partition(",")[0], _count)
    yield (
      part["name"],
      part["status"],
      f"{part['seconds']:.0f}",
      found(_rows(part)),
    )


def speed(file: pathlib.Path = _FILE) -> Iterator[Sequence[str]]:
  """Yields operators, networks and steps, timed next to torch."""
  if not file.exists():
    yield ("speed",)
    yield ("Not measured yet.",)
    return
  yield (
    "what",
    "ours, ms",
    "eager torch, ms",
    "times as fast",
    "compiled torch, ms",
    "times as fast",
    "share of the peak",
  )
  figures: dict[str, dict[str, Any]] = collections.defaultdict(dict)
  for part in json.loads(file.read_text())["parts"]:
    kind, _, mode = part["name"].partition(", ")
    for row in _rows(part):
      for what, times, share in _timings(kind, row):
        figures[what][mode.removesuffix(" torch")] = times
        figures[what].setdefault("share", share)
  for what, found in figures.items():
    eager, compiled = found.get("eager"), found.get("compiled")
    share = found["share"]
    yield (
      what,
      f"{(eager or compiled)['ours']:.3f}",
      *_against(eager),
      *_against(compiled),
      "" if share is None else f"{share:.0%}",
    )


def _rows(part: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
  """Returns the rows of a part; those of benchmarks.training are its steps."""
  report = part["report"]
  return report.get("rows") or report.get("steps") or []


def _timings(
  kind: str, row: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, float], float | None]]:
  """Yields what a row has timed: its words, the times and the share."""
  if "error" in row:
    return
  if kind == "operators":
    shares = row["share_of_peak"]
    yield row["name"], row["forward"], shares["forward"]
    name = f"{row['name']}, with gradients"
    yield name, row["forward_backward"], shares["forward_backward"]
  elif kind == "networks":
    fastest = row["folded"] or row["inference"]
    yield f"`{row['name']}`", fastest, row["share_of_peak"]
  elif kind == "training step":
    yield f"`{row['name']}`, training step", row["step"], row["flops_utilization"]


def _against(times: Mapping[str, float] | None) -> tuple[str, str]:
  if times is None:
    return "", ""
  return f"{times['theirs']:.3f}", f"{times['ratio']:.2f}"


def _count(rows: Sequence[Mapping[str, Any]]) -> str:
  """Returns the number of rows, and those that failed."""
  failed = [row["name"] for row in rows if "error" in row]
  words = f"{len(rows) - len(failed)} measured"
  return f"{words}, failed: {', '.join(failed)}" if failed else words


def _verdicts(rows: Sequence[Mapping[str, Any]]) -> str:
  """Returns how many golden cases hold, and the names of those that do not."""
  counts = collections.Counter(row["verdict"] for row in rows)
  failed = [row["name"] for row in rows if row["verdict"] == "FAIL"]
  words = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
  return f"{words}: {', '.join(failed)}" if failed else words


def _peaks(rows: Sequence[Mapping[str, Any]]) -> str:
  return "; ".join(
    f"{row['name']}: {row['measured']:.0f}"
    + (f" of {row['stated']:.0f}" if row["stated"] else "")
    for row in rows
  )


def _memory(rows: Sequence[Mapping[str, Any]]) -> str:
  return "; ".join(
    f"`{row['name']}`, {row['batch']} x {row['frames']} frames"
    + (" with remat" if row["remat"] else "")
    + f": {row['temporary_bytes'] / 2**30:.1f} GiB"
    for row in rows
  )


_FOUND = {"chip": _peaks, "golden figures": _verdicts, "memory": _memory}
