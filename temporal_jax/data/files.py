"""Listing a user's own videos: a folder a class, or a CSV file."""

import csv
import hashlib
import pathlib

from temporal_jax.data.sources import FileSource

SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")
SPLITS = ("train", "test")

_Row = tuple[str, str, str]  # Path, class name, split or "".


def file_sources(
  root: str | pathlib.Path, test_fraction: float
) -> dict[str, FileSource]:
  """Lists the videos of a folder or a CSV file, train and test apart.

  A folder holds `class/video.mp4`, or `train/class/video.mp4` and
  `test/class/video.mp4`. A CSV file has a header with `path` and `label` and,
  if wanted, `split` (train or test); paths are relative to the file. Where
  nothing says the split, each class gives `test_fraction` of its videos to the
  test, chosen by a hash of their names: always the same ones.

  Args:
    root: The folder or the CSV file.
    test_fraction: In [0, 1).

  Returns:
    "train" and "test" sources with the same `class_names`, sorted.

  Raises:
    FileNotFoundError: If `root` does not exist.
    ValueError: If it lists no video, a column is missing, a split is unknown,
      or a class has no video to train on.
  """
  root = pathlib.Path(root).expanduser()
  if not root.exists():
    raise FileNotFoundError(f"data.root {root} does not exist.")
  rows = _folder(root) if root.is_dir() else _csv(root)
  if not rows:
    raise ValueError(
      f"{root} lists no video; a folder holds class/video with one of "
      f"{', '.join(SUFFIXES)}."
    )
  class_names = tuple(sorted({label for _, label, _ in rows}))
  splits = {split: [] for split in SPLITS}
  for label, name in enumerate(class_names):
    of_class = [row for row in rows if row[1] == name]
    for path, split in _split(of_class, test_fraction):
      splits[split].append((path, label))
  trained = {label for _, label in splits["train"]}
  untrained = [n for i, n in enumerate(class_names) if i not in trained]
  if untrained:
    raise ValueError(f"no training video for the classes {untrained}.")
  return {
    split: FileSource(sorted(files), class_names)
    for split, files in splits.items()
  }


def _folder(root: pathlib.Path) -> list[_Row]:
  """Lists root/class/video, or root/split/class/video."""
  folders = {path.name for path in root.iterdir() if path.is_dir()}
  if folders and folders <= set(SPLITS):
    return [
      (path, label, split)
      for split in sorted(folders)
      for path, label, _ in _folder(root / split)
    ]
  return [
    (str(path), path.parent.name, "")
    for path in sorted(root.glob("*/*"))
    if path.suffix.lower() in SUFFIXES
  ]


def _csv(file: pathlib.Path) -> list[_Row]:
  """Lists the rows of a CSV file."""
  with file.open(newline="") as lines:
    reader = csv.DictReader(lines)
    columns = reader.fieldnames or []
    missing = {"path", "label"} - set(columns)
    if missing:
      raise ValueError(
        f"{file} needs the columns path and label, its header is {columns}."
      )
    rows = []
    for row in reader:
      where = f"{file}, line {reader.line_num}"
      split = row.get("split") or ""
      if split not in ("", *SPLITS):
        raise ValueError(f"{where}: split must be in {SPLITS}, got {split!r}.")
      if not row["path"] or not row["label"]:
        raise ValueError(f"{where}: path or label is empty.")
      rows.append((str(file.parent / row["path"]), row["label"], split))
    return rows


def _split(rows: list[_Row], test_fraction: float) -> list[tuple[str, str]]:
  """Returns (path, split) of the rows of one class."""
  said = [(path, split) for path, _, split in rows if split]
  unsaid = [path for path, _, split in rows if not split]
  unsaid.sort(key=lambda path: hashlib.sha256(_name(path)).digest())
  count = round(test_fraction * len(unsaid))
  if test_fraction > 0 and len(unsaid) > 1:
    count = min(max(count, 1), len(unsaid) - 1)
  return said + [
    (path, "test" if place < count else "train")
    for place, path in enumerate(unsaid)
  ]


def _name(path: str) -> bytes:
  """The part of a path that does not change when the data moves."""
  return "/".join(pathlib.Path(path).parts[-2:]).encode()
