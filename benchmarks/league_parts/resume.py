"""Going on with a league that began in another folder or on another machine."""

import itertools
import json
import pathlib
import shutil
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from benchmarks.league_parts import run
from benchmarks.shared import trained_once
from temporal_jax import storage

# Keys of the JSON file with figures of trainings.
_TRAININGS = ("starts", "sweep", "runs", "causes")
# Figures that two networks of different weights hardly share.
_IDENTITY = ("top1", "training_loss")
_STARTS = "starts.json"  # In the league's folder, those of its starts.
NOTHING: Mapping[str, Any] = MappingProxyType({name: () for name in _TRAININGS})


def read(file: pathlib.Path) -> dict[str, Any]:
  """Returns the content of a league's JSON file.

  Raises:
    OSError: If it cannot be read.
    ValueError: If another program wrote it.
  """
  try:
    report = {"causes": [], **json.loads(file.read_text())}  # Older ones lack it.
    for row in itertools.chain(*(report[name] for name in _TRAININGS)):
      job_of(row)
      # Rows of older versions lack the last two.
      _ = row["top1"], row["pair_top1"], row["network"]
    report["settings"]
  except (KeyError, TypeError, ValueError) as error:
    raise ValueError(f"{file} is no JSON file of a league: {error!r}.") from None
  return report


def check_starts(work: pathlib.Path, started: Sequence[Mapping[str, Any]]) -> None:
  """Refuses networks that the trainings of a folder do not start from.

  Args:
    work: Folder of the league.
    started: Figures of the networks.

  Raises:
    ValueError: If its trainings start from others of the same names.
  """
  noted = _noted_starts(work)
  for row in started:
    other = noted.get(row["entry"], row)
    if any(other[name] != row[name] for name in _IDENTITY):
      raise ValueError(
        f"trainings in {work} start from {row['entry']} with top-1 "
        f"{other['top1']:.1%}, and there is one with {row['top1']:.1%}. Remove "
        f"{job_of(row).place(work)}, and give the folder of the first by --starts; "
        "or take another --work."
      )


def note_starts(work: pathlib.Path, started: Sequence[Mapping[str, Any]]) -> None:
  """Notes the networks that a league's trainings start from.

  Args:
    work: Folder of the league.
    started: Figures of the networks.

  Raises:
    ValueError: As `check_starts`.
  """
  check_starts(work, started)
  if not started:
    return
  rows = {row["entry"]: {name: row[name] for name in _IDENTITY} for row in started}
  noted = json.dumps(_noted_starts(work) | rows, indent=1)
  storage.write_text(work / _STARTS, noted + "\n")


def _noted_starts(work: pathlib.Path) -> dict[str, Any]:
  file = work / _STARTS
  return json.loads(file.read_text()) if file.exists() else {}


def copy_starts(work: pathlib.Path, source: pathlib.Path) -> None:
  """Copies networks to start from, unless the folder has them.

  Args:
    work: Folder of the league.
    source: Folder of starts in another league's folder.

  Raises:
    OSError: If they cannot be read or written.
    ValueError: If there are none, or the folder has others.
  """
  ended = [one for one in sorted(source.iterdir()) if trained_once.figures(one)]
  if not ended:
    raise ValueError(f"{source} has no networks that a league has trained.")
  targets = [work / run.START / folder.name for folder in ended]
  for folder, target in zip(ended, targets, strict=True):
    if target.exists() and not _are_equal(folder, target):
      raise ValueError(f"{target} is another network than {folder}: remove it.")
  for folder, target in zip(ended, targets, strict=True):
    if not target.exists():
      with storage.whole_folder(target) as partial:
        shutil.copytree(folder, partial)


def take_over(work: pathlib.Path, report: Mapping[str, Any]) -> None:
  """Notes another league's trainings as done, but not the starts.

  Weights of the starts are copied, or trained again; see `note_starts`.

  Args:
    work: Folder of this league.
    report: Content of the other's JSON file, see `read`.
  """
  for row in itertools.chain(report["sweep"], report["runs"], report["causes"]):
    job = job_of(row)
    if run.figures(work, job) is None:
      trained_once.take_over(job.place(work), row)


def _are_equal(folder: pathlib.Path, other: pathlib.Path) -> bool:
  """Whether two folders have the same ended training."""
  both = [trained_once.figures(one) or {} for one in (folder, other)]
  mine, theirs = ([own.get(name) for name in _IDENTITY] for own in both)
  return mine == theirs


def job_of(row: Mapping[str, Any]) -> run.Job:
  """Returns the training that has these figures."""
  return run.Job(*(row[field] for field in run.Job._fields))
