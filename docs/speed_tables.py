"""Rows of the figures that benchmarks/results holds, for the pages."""

import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from docs import accelerator_tables

_RESULTS = pathlib.Path(__file__).parents[1] / "benchmarks" / "results"
_HEAD = ("ours, ms", "torch, ms", "times as fast")
_BUSY = 3  # Processes that run or wait, from which on a page must state them.
# Networks of the table in README.
_FEW = (
  "resnet50",
  "xvit_b16",
  "atm_vit_b16",
  "tada2d_resnet50",
)


def networks() -> Iterator[Sequence[str]]:
  """Yields inference of networks, timed next to torch."""
  yield "network", "clip", *_HEAD
  yield from _inference("networks_cpu")


def image_and_video_transformers() -> Iterator[Sequence[str]]:
  """Yields inference of networks that `transformers` has, timed next to it."""
  yield "network", "clip", *_HEAD
  yield from _inference("transformers_cpu")


def _inference(file: str) -> Iterator[Sequence[str]]:
  for row in _figures(file)["rows"]:
    yield f"`{row['name']}`", _clip(row), *_timing(row["inference"])


def training() -> Iterator[Sequence[str]]:
  """Yields training steps, timed next to torch."""
  yield "network", "clip", *_HEAD
  for row in _figures("training_cpu")["steps"]:
    yield f"`{row['name']}`", _clip(row), *_timing(row["step"])


def operators() -> Iterator[Sequence[str]]:
  """Yields operators, timed next to torch."""
  yield "operator", *_HEAD, *(f"with gradients: {words}" for words in _HEAD)
  for row in _figures("operators_cpu")["rows"]:
    yield row["name"], *_timing(row["forward"]), *_timing(row["forward_backward"])


def localization() -> Iterator[Sequence[str]]:
  """Yields localization networks, timed next to torch."""
  yield "network", *_HEAD, *(f"training step: {words}" for words in _HEAD)
  for row in _figures("localization_cpu")["rows"]:
    yield row["name"], *_timing(row["inference"]), *_timing(row["training"])


def few() -> Iterator[Sequence[str]]:
  """Yields some networks: timed next to torch, and estimated for a TPU."""
  yield "network", "inference", "training step", "of a TPU v5e's peak, estimated"
  steps = {row["name"]: row["step"] for row in _figures("training_cpu")["steps"]}
  shares = accelerator_tables.utilization("v5e")
  for row in _figures("networks_cpu")["rows"]:
    name = row["name"]
    if name in _FEW:
      share = f"{shares[name]:.0%}" if name in shares else ""
      times = (_timing(row["inference"])[-1], _timing(steps.get(name))[-1])
      yield f"`{name}`", *times, share


def origins() -> Iterator[Sequence[str]]:
  """Yields when and where the figures of each file were measured."""
  yield "file", "date", "commit", "recorded", "processor"
  for name, report in _reports():
    measured, machine = report["measured"], report["machine"]
    yield (
      f"`{name}`",
      measured["date"],
      f"`{measured['commit']}`",
      measured.get("recorded", "when it ran"),
      f"{machine['processor']} {machine.get('instructions', '')}".strip(),
    )


def origin_notes() -> Iterator[Sequence[str]]:
  """Yields what must be known of the figures of some files."""
  yield "file", "note"
  for name, report in _reports():
    notes = [report["measured"].get("note", "")]
    if (load := report.get("load", 0)) > _BUSY:
      notes.append(f"Other programs ran: the load was {load:.0f} before it.")
    if any(notes):
      yield f"`{name}`", " ".join(filter(None, notes))


def _reports() -> Iterator[tuple[str, Any]]:
  """Yields the files of figures by their names."""
  for path in sorted(_RESULTS.glob("*.json")):
    yield path.name, _figures(path.stem)


def _figures(name: str) -> Any:
  return json.loads((_RESULTS / f"{name}.json").read_text())


def _clip(row: Mapping[str, Any]) -> str:
  """Returns clips x frames x height x width."""
  return " x ".join(map(str, row["clip"][:4]))


def _timing(pair: Mapping[str, float] | None) -> tuple[str, str, str]:
  """Returns milliseconds of ours and torch's, and the ratio of speeds."""
  if not pair:
    return "", "", ""
  return f"{pair['ours']:.1f}", f"{pair['theirs']:.1f}", f"{pair['ratio']:.2f}"


def order_needed() -> Iterator[Sequence[str]]:
  """Yields the accuracy of networks that see the order of frames, or do not."""
  yield "network", "top-1", "pair of events, in any order", "order, of right pairs"
  for row in _figures("order_needed_cpu")["rows"]:
    top1, pair = row["top1"], row["pair"]
    yield row["network"], f"{top1:.1%}", f"{pair:.1%}", f"{top1 / pair:.1%}"


def few_clips() -> Iterator[Sequence[str]]:
  """Yields the accuracy of networks that learn from few clips."""
  rows = _figures("few_clips_cpu")["rows"]
  clips = sorted({row["clips"] for row in rows})
  yield "", *(f"{count} clips per class" for count in clips), "held out", "seconds"
  for method in dict.fromkeys(row["method"] for row in rows):
    own = {row["clips"]: row for row in rows if row["method"] == method}
    held_out = [own[count].get("cross_validation") for count in clips]
    seconds = [own[count]["seconds"] for count in clips]
    yield (
      method,
      *(f"{own[n]['top1']:.1%} ± {100 * own[n]['deviation']:.1f}" for n in clips),
      ", ".join(f"{value:.0%}" for value in held_out if value is not None),
      f"{min(seconds):.0f} to {max(seconds):.0f}",
    )
