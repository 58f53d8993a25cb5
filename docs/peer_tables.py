"""Rows of what benchmarks.peers has measured, for the pages."""

import json
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_FILE = pathlib.Path(__file__).parents[1] / "benchmarks" / "results" / "peers_cpu.json"
_SIDES = {"ours": "ours", "eager": "torch, eager", "compiled": "torch.compile"}

Rows = Iterator[Sequence[str]]
Row = Mapping[str, Any]


def speed(file: pathlib.Path = _FILE) -> Rows:
  """Returns inference and training steps, timed next to both modes of torch."""
  head = (
    "network",
    "clip",
    "work",
    "ours, clips/s",
    "eager torch, clips/s",
    "times as fast",
    "torch.compile, clips/s",
    "times as fast",
  )
  return _table(head, file, "speed", _speed)


def processes(file: pathlib.Path = _FILE) -> Rows:
  """Returns the seconds and the memory of fresh processes of each side."""
  head = (
    "network",
    "side",
    "first answer, s",
    "with its cache, s",
    "answer, peak GiB",
    "training, peak GiB",
  )
  return _table(head, file, "processes", _processes)


def supplement(file: pathlib.Path = _FILE) -> Rows:
  """Returns videos per second over X-ViT's, ours next to the paper's."""
  head = (
    "method",
    "network",
    "view",
    "views",
    "multiply-adds of a video, G",
    "videos/s over X-ViT's",
    "of the paper",
  )
  return _table(head, file, "supplement", _supplement)


def _table(
  head: Sequence[str], file: pathlib.Path, part: str, cells: Callable[[Row], Rows]
) -> Rows:
  """Yields the head and the rows of a part, or that it was not measured."""
  yield head
  rows = json.loads(file.read_text()).get(part) if file.exists() else None
  if not rows:
    yield "Not measured yet.", *[""] * (len(head) - 1)
    return
  for row in rows:
    yield from cells(row)


def _speed(row: Row) -> Rows:
  for work, key in (("inference", "inference"), ("training", "step")):
    found = {mode: one[key] for mode, one in row[work].items()}
    ours = [_rate(times["ours"]) for times in found.values()]
    yield (
      f"`{row['name']}`",
      " x ".join(map(str, row["clip"][:4])),
      work,
      ours[0] if ours else "",
      *_against(found.get("eager"), row["errors"].get(f"eager {work}")),
      *_against(found.get("compiled"), row["errors"].get(f"compiled {work}")),
    )


def _rate(milliseconds: float) -> str:
  return f"{1e3 / milliseconds:.2f}"


def _against(times: Mapping[str, float] | None, error: str | None) -> tuple[str, str]:
  """Returns torch's clips per second and the ratio, or why there are none."""
  if times is None:
    return f"failed: {error}" if error else "", ""
  return _rate(times["theirs"]), f"{times['ratio']:.2f}"


def _processes(row: Row) -> Rows:
  for side, title in _SIDES.items():
    times = row.get("first_answer", {}).get(side)
    if times:
      seconds = [f"{times[run][0]:.1f}" for run in ("first", "second")]
    else:
      error = row["errors"].get(f"{side} answer") or row["errors"].get("processes")
      seconds = [f"failed: {error}" if error else "", ""]
    peaks = [row.get("peak_bytes", {}).get(work, {}) for work in ("answer", "step")]
    sizes = [f"{peak[side] / 2**30:.2f}" if side in peak else "" for peak in peaks]
    yield f"`{row['name']}`", title, *seconds, *sizes


def _supplement(row: Row) -> Rows:
  printed = f"{row['printed_ratio']:.3f}"
  if "ratio" not in row:
    yield row["name"], "not built", "", "", "", "", printed
    return
  yield (
    row["name"],
    f"`{row['network']}`",
    " x ".join(map(str, row["clip"][1:4])),
    str(row["views"]),
    f"{row['multiply_adds'] / 1e9:.0f}",
    f"{row['ratio']:.3f}",
    printed,
  )
