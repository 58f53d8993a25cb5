"""Orderings that the papers state, and whether the league finds them."""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.league_parts.entries import BIG_LITTLE, ENTRIES, RESNET, VIT, group_of

HOLDS, TIE, FAILS = "holds", "tie", "does not hold"
_CLOSE = 0.02  # Difference of accuracies that still counts as close.
# Standard deviations of a difference that chance exceeds once in twenty times.
_CLEAR = 2


class Claim(NamedTuple):
  """An ordering: all of one group are below all of another.

  Attributes:
    text: The ordering in words.
    source: Paper and table.
    lower: Keys of `ENTRIES` that should be below,
    upper: or above. The best of `lower` is compared with the worst of `upper`.
    close: Whether the paper has both groups about equal instead; it then holds
      if they differ by at most 2 points, or not clearly.
  """

  text: str
  source: str
  lower: Sequence[str]
  upper: Sequence[str]
  close: bool = False


def _published(backbone: str, *, without: Sequence[str]) -> tuple[str, ...]:
  return tuple(
    name
    for name, entry in ENTRIES.items()
    if entry.published and entry.backbone == backbone and name not in without
  )


_ARITHMETIC = ("atm_sum", "atm_difference", "atm_product", "atm_quotient")
_SINGLE = ("atm_product", "atm_difference")
CLAIMS = (
  Claim(
    "no operator < every published operator, in the ResNet",
    "all",
    ("resnet_none",),
    _published(RESNET, without=("resnet_none",)),
  ),
  Claim(
    "no operator < every published operator, in bLVNet",
    "bLVNet, table 5",
    ("blvnet",),
    _published(BIG_LITTLE, without=("blvnet",)),
  ),
  Claim(
    "no operator < every published operator, in the ViT",
    "all",
    ("vit_none",),
    _published(VIT, without=("vit_none",)),
  ),
  Claim("TSM < TAM, in the ResNet", "bLVNet, table 5", ("tsm",), ("tam",)),
  Claim("TSM < TAM, in bLVNet", "bLVNet, table 5", ("blvnet_tsm",), ("blvnet_tam",)),
  Claim(
    "the same frames < alternate frames in both branches",
    "bLVNet, table 5",
    ("blresnet",),
    ("blvnet",),
  ),
  Claim("TAM with 3 taps < 5 taps", "bLVNet, section 3.3", ("tam",), ("tam_5",)),
  Claim(
    "context features < every operation", "ATM, A.4", ("atm_context",), _ARITHMETIC
  ),
  Claim(
    "sum, quotient, difference < product",
    "ATM, A.4",
    ("atm_sum", "atm_quotient", "atm_difference"),
    ("atm_product",),
  ),
  Claim("product, difference < cascade", "ATM, A.5", _SINGLE, ("atm_cascade",)),
  Claim("product, difference < parallel", "ATM, A.5", _SINGLE, ("atm_parallel",)),
  Claim(
    "cascade, parallel < ATM's combination",
    "ATM, A.5",
    ("atm_cascade", "atm_parallel"),
    ("atm",),
  ),
  Claim(
    "learned < dynamic, both the same for all frames",
    "TAda, 3a",
    ("tada_static",),
    ("tada_clip",),
  ),
  Claim(
    "learned for all frames < learned per frame",
    "TAda, 3a",
    ("tada_static",),
    ("tada_static_frames",),
  ),
  Claim(
    "dynamic for all frames < dynamic per frame",
    "TAda, 3a",
    ("tada_clip",),
    ("tada_clip_frames",),
  ),
  Claim(
    "other calibrations < TAdaConv's",
    "TAda, 3a",
    ("tada_static", "tada_static_frames", "tada_clip", "tada_clip_frames"),
    ("tada_conv",),
  ),
  Claim(
    "without < with context from neighbouring frames",
    "TAda, 3d",
    ("tada_no_neighbours",),
    ("tada_no_global",),
  ),
  Claim(
    "linear < with a hidden layer", "TAda, 3d", ("tada_linear",), ("tada_no_global",)
  ),
  Claim(
    "without < with global context", "TAda, 3d", ("tada_no_global",), ("tada_conv",)
  ),
  Claim("random < identity at first", "TAda, 3a", ("tada_random",), ("tada_conv",)),
  Claim(
    "1/16 < 1/4 of the channels", "TAda, figure 4", ("tada_16th",), ("tada_quarter",)
  ),
  Claim(
    "1/4 < all of the channels", "TAda, figure 4", ("tada_quarter",), ("tada_conv",)
  ),
  Claim(
    "TAdaConv, aggregation < both",
    "TAda, 3e",
    ("tada_conv", "tada_pooling"),
    ("tada",),
  ),
  Claim("TAdaConv < TAdaConvV2, with aggregation", "TAda, 4", ("tada",), ("tada_v2",)),
  Claim(
    "TAdaFormer: without < with TAdaConvV2",
    "TAda, 5",
    ("tadaformer_plain",),
    ("tadaformer_no_pooling",),
  ),
  Claim(
    "TAdaFormer: without < with pooling",
    "TAda, 5",
    ("tadaformer_no_pooling",),
    ("tadaformer",),
  ),
  Claim("within frames < X-CLIP", "ILA, 2", ("vit_none",), ("xclip",)),
  Claim("X-CLIP close to joint", "ILA, 2", ("xclip",), ("joint",), close=True),
  Claim("X-CLIP, joint < divided", "ILA, 2", ("xclip", "joint"), ("divided",)),
  Claim("divided < ATA", "ILA, 2", ("divided",), ("ata",)),
  Claim("ATA, divided < ILA", "ILA, 2", ("ata", "divided"), ("ila",)),
  Claim("TSM-ViT < X-ViT, both averaged", "X-ViT, S2", ("tsm_vit",), ("xvit_average",)),
  Claim(
    "TSM-ViT < X-ViT, both with attention over frames",
    "X-ViT, S2",
    ("tsm_vit_attention",),
    ("xvit",),
  ),
  Claim(
    "X-ViT: average < attention over frames", "X-ViT, S2", ("xvit_average",), ("xvit",)
  ),
  Claim(
    "X-ViT close to joint attention", "X-ViT", ("xvit_average",), ("joint",), close=True
  ),
)


def rows(runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
  """Returns mean and spread of each entry, the best of a task and group first.

  "pair" is the mean share of clips whose class or its time-reversal is
  predicted, "order" the share of those whose class is predicted.

  The spread is the standard deviation over seeds. That of an entry with one
  seed is the root mean square of those of entries with several, of the same
  group and task. If there are none, it is the standard error of a share of the
  test clips.

  Args:
    runs: Figures of trainings that were tested on the test clips.
  """
  found = []
  for task, group in dict.fromkeys((r["task"], group_of(r["entry"])) for r in runs):
    own = [
      run for run in runs if run["task"] == task and group_of(run["entry"]) == group
    ]
    by_entry = {
      name: [run for run in own if run["entry"] == name]
      for name in dict.fromkeys(run["entry"] for run in own)
    }
    several = [
      statistics.variance(run["top1"] for run in same)
      for same in by_entry.values()
      if len(same) > 1
    ]
    of_task = []
    for name, same in by_entry.items():
      top1 = [run["top1"] for run in same]
      mean = statistics.fmean(top1)
      if len(same) > 1:
        spread = statistics.stdev(top1)
      elif several:
        spread = math.sqrt(statistics.fmean(several))
      else:
        spread = math.sqrt(mean * (1 - mean) / same[0]["test_clips"])
      pair = statistics.fmean(run["pair_top1"] for run in same)
      row = {"task": task, "entry": name, "top1": mean, "spread": spread}
      row |= {"pair": pair, "order": mean / pair if pair else 0.0}
      of_task.append({**row, "seeds": len(same)})
    found += sorted(of_task, key=lambda row: -row["top1"])
  return found


def judge(
  claim: Claim, task: str, all_rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
  """Returns whether a claim holds, None if an entry of it is not trained.

  Args:
    claim: The claim.
    task: A key of `config.TASKS`.
    all_rows: Result of `rows`.

  Returns:
    "task", "claim", "verdict", the compared entries "lower" and "upper", the
    "difference" of their mean accuracies, upper less lower, and its standard
    "deviation", from the spreads and the numbers of seeds.
  """
  known = {row["entry"]: row for row in all_rows if row["task"] == task}
  if not known.keys() >= {*claim.lower, *claim.upper}:
    return None
  lower = max((known[name] for name in claim.lower), key=lambda row: row["top1"])
  upper = min((known[name] for name in claim.upper), key=lambda row: row["top1"])
  difference = upper["top1"] - lower["top1"]
  deviation = math.hypot(_deviation_of_mean(lower), _deviation_of_mean(upper))
  if claim.close:
    verdict = HOLDS if abs(difference) <= max(_CLEAR * deviation, _CLOSE) else FAILS
  elif abs(difference) <= _CLEAR * deviation:
    verdict = TIE
  else:
    verdict = HOLDS if difference > 0 else FAILS
  return {
    "task": task,
    "claim": claim.text,
    "verdict": verdict,
    "lower": lower["entry"],
    "upper": upper["entry"],
    "difference": difference,
    "deviation": deviation,
  }


def _deviation_of_mean(row: Mapping[str, Any]) -> float:
  return row["spread"] / math.sqrt(row["seeds"])


def judge_all(all_rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
  """Yields the verdicts on all claims whose entries are trained, by task."""
  for task in dict.fromkeys(row["task"] for row in all_rows):
    for claim in CLAIMS:
      verdict = judge(claim, task, all_rows)
      if verdict is not None:
        yield verdict
