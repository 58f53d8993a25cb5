"""Going on with a league that began in another folder or on another machine."""

import itertools
import json
import pathlib
import shutil
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from benchmarks.league_parts import run
from temporal_jax import storage
from temporal_jax.training.load_variables import VARIABLES_FILE

# Keys of the JSON file with figures of trainings.
_TRAININGS = ("starts", "sweep", "runs")
NOTHING: Mapping[str, Any] = MappingProxyType({name: () for name in _TRAININGS})


def read(file: pathlib.Path) -> dict[str, Any]:
  """Returns the content of a league's JSON file.

  Raises:
    OSError: If it cannot be read.
    ValueError: If another program wrote it.
  """
  try:
    report = json.loads(file.read_text())
    for row in itertools.chain(*(report[name] for name in _TRAININGS)):
      job_of(row)
      # Files of older versions lack the last two.
      _ = row["top1"], row["pair_top1"], row["network"]
    report["settings"]
  except (KeyError, TypeError, ValueError) as error:
    raise ValueError(f"{file} is no JSON file of a league: {error!r}.") from None
  return report


def copy_starts(work: pathlib.Path, source: pathlib.Path) -> None:
  """Copies networks to start from, unless the folder has them.

  Args:
    work: Folder of the league.
    source: Folder of saved networks, or the starts of another league's folder.

  Raises:
    OSError: If they cannot be read or written.
  """
  for folder in sorted(source.iterdir()):
    target = work / run.START / folder.name
    if _has_ended(folder) and not target.exists():
      with storage.whole_folder(target) as partial:
        shutil.copytree(folder, partial)


def take_over(work: pathlib.Path, report: Mapping[str, Any]) -> None:
  """Notes another league's trainings as done.

  Starts whose weights the folder lacks are left out, so that they are trained
  again, see `check_starts`.

  Args:
    work: Folder of this league.
    report: Content of the other's JSON file, see `read`.
  """
  for row in itertools.chain(*(report[name] for name in _TRAININGS)):
    job = job_of(row)
    is_usable = job.purpose != run.START or _has_ended(job.place(work))
    if is_usable and run.figures(work, job) is None:
      run.write_figures(work, job, row)


def check_starts(
  report: Mapping[str, Any], started: Sequence[Mapping[str, Any]]
) -> None:
  """Refuses weights at the start that another league did not start from.

  Args:
    report: Content of its JSON file.
    started: Figures of this league's networks to start from.

  Raises:
    SystemExit: If figures of a network differ.
  """
  theirs = {row["entry"]: row for row in report["starts"]}
  for own in started:
    other = theirs.get(own["entry"], own)
    if any(own[name] != other[name] for name in ("top1", "training_loss")):
      raise SystemExit(
        f"{own['entry']} was trained again and became another network: top-1 "
        f"{own['top1']:.1%}, not {other['top1']:.1%}. Give the weights that the other "
        "trainings started from by --starts."
      )


def _has_ended(folder: pathlib.Path) -> bool:
  """Whether a folder is a saved network or a run that is no longer trained."""
  return any((folder / name).is_file() for name in (VARIABLES_FILE, run.FIGURES))


def job_of(row: Mapping[str, Any]) -> run.Job:
  """Returns the training that has these figures."""
  return run.Job(*(row[field] for field in run.Job._fields))
