"""Checks of the files that a command is asked to write, before it begins."""

import os
import pathlib
from collections.abc import Iterable, Mapping

from temporal_jax.storage.bucket_addresses import refuse_bucket

Path = str | os.PathLike
# Files of a run or network that cannot be made again, and of a test.
_RECORDS = (
  "config.json",
  "detections.json",
  "metrics.jsonl",
  "model.json",
  "model.safetensors",
  "observers.json",
  "report.json",
  "scores.npz",
  "timing.jsonl",
  "truth.json",
)
_OF_A_TEST = ("report.json", "scores.npz")


def check_outputs(files: Mapping[str, Path | None], read: Iterable[Path] = ()) -> None:
  """Refuses files that cannot be written or whose content would be lost.

  Args:
    files: Files to write, by the names of their options; None is no file.
    read: Files that are read meanwhile; they need not exist.

  Raises:
    OSError: If the folder of a file does not exist, the file is a folder, or it
      is a record of the run, network or test in its folder.
    ValueError: If two files are the same, one is a file that is read, or it is
      in a bucket.
  """
  given = {name: pathlib.Path(file) for name, file in files.items() if file is not None}
  if not given:
    return
  taken = {_identity(file): "a file that is read" for file in read}
  for name, file in given.items():
    refuse_bucket(file, name)
    if not file.parent.is_dir():
      raise FileNotFoundError(f"{file.parent} is no folder to write to.")
    if file.is_dir():
      raise IsADirectoryError(f"{file} is a folder, and no file to write.")
    other = taken.setdefault(_identity(file), name)
    if other != name:
      raise ValueError(f"{file} cannot be both {other} and {name}.")
    for place in (file, pathlib.Path(os.path.realpath(file))):
      if _is_record(place):
        raise FileExistsError(
          f"{file} is a record of the run, network or test in {place.parent}, and "
          "would be lost: give another name."
        )


def _identity(file: Path) -> tuple[int, int] | str:
  """Returns a key that is equal for all names of one file."""
  try:
    status = os.stat(file)
  except OSError:  # It is not there yet.
    return os.path.realpath(file)
  return status.st_dev, status.st_ino


def _is_record(file: pathlib.Path) -> bool:
  """Whether a file belongs to a run or a network, or is one of a test's."""
  if file.name in _RECORDS and (file.parent / "model.json").exists():
    return True
  is_of_a_test = file.name in _OF_A_TEST
  return is_of_a_test and all((file.parent / name).exists() for name in _OF_A_TEST)
