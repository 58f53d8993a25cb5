"""Films of a few features, with segments that can be seen in them."""

import csv
import pathlib

import numpy as np

CLASSES = ("jump", "run")
_WIDTH, _FPS, _STRIDE, _WINDOW = 8, 8.0, 4, 8


def write_films(
  folder: pathlib.Path, count: int = 12, length: int = 40, width: int = _WIDTH
) -> pathlib.Path:
  """Writes features and a CSV file of their segments; every fourth tests.

  A segment of a class has its channel raised. The last film to train on has no
  segment.

  Returns:
    The CSV file; the features are in the folder "features" next to it.
  """
  (folder / "features").mkdir(parents=True)
  rng = np.random.default_rng(0)
  file = folder / "segments.csv"
  with file.open("w", newline="") as opened:
    rows = csv.writer(opened)
    rows.writerow(("path", "start", "end", "label", "split"))
    for number in range(count):
      name, split = f"film_{number}", "test" if number % 4 == 3 else "train"
      positions = length + int(rng.integers(0, 7))
      values = rng.normal(0, 0.3, (positions, width)).astype(np.float32)
      if number == count - 2:
        rows.writerow((f"{name}.mp4", "", "", "", split))
      for segment in range(2 * (number != count - 2)):
        start = 4 + 18 * segment + int(rng.integers(0, 4))
        stop = start + int(rng.integers(6, 10))
        label = int(rng.integers(2))
        values[start : stop + 1, label] += 3
        seconds = ((one * _STRIDE + _WINDOW / 2) / _FPS for one in (start, stop))
        rows.writerow((f"{name}.mp4", *seconds, CLASSES[label], split))
      np.savez(
        folder / "features" / f"{name}.npz",
        features=values,
        stride=_STRIDE,
        window=_WINDOW,
        fps=_FPS,
      )
  return file


def write_pairs(folder: pathlib.Path) -> None:
  """Writes the list of `write_films` as EPIC-Kitchens', and logits of windows.

  The verb is the class, the noun is a cup. The logits are in the folder
  "logits".
  """
  columns = "participant_id,video_id,start_timestamp,stop_timestamp,verb_class"
  lines = {"train": [], "test": []}
  with (folder / "segments.csv").open(newline="") as opened:
    for row in csv.DictReader(opened):
      if row["label"]:
        name, label = row["path"].removesuffix(".mp4"), CLASSES.index(row["label"])
        times = (f"00:00:{float(row[one]):09.6f}" for one in ("start", "end"))
        lines[row["split"]].append(f"P01,{name},{','.join(times)},{label},0")
  for split, name in (("train", "train"), ("test", "validation")):
    text = "\n".join([f"{columns},noun_class", *lines[split]])
    (folder / f"EPIC_100_{name}.csv").write_text(text + "\n")
  tasks = {"verb": CLASSES, "noun": ("cup", "pan")}
  rng = np.random.default_rng(1)
  for task, names in tasks.items():
    rows = [f"{number},{name}" for number, name in enumerate(names)]
    (folder / f"EPIC_100_{task}_classes.csv").write_text("\n".join(["id,key", *rows]))
    (folder / "logits" / task).mkdir(parents=True)
    for file in sorted((folder / "features").glob("*.npz")):
      with np.load(file) as features:
        values = features["features"][:, : len(names)] if task == "verb" else None
        facts = {one: features[one] for one in ("stride", "window", "fps")}
        count = len(features["features"])
      if values is None:
        values = rng.normal((5, 0), 0.1, (count, 2)).astype(np.float32)
      np.savez(
        folder / "logits" / task / file.name,
        features=values,
        class_names=np.array(names),
        **facts,
      )
