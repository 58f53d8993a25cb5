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
