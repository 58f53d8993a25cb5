"""Fresh processes of both sides: seconds to an answer, and peak memory.

Each reads saved weights and one H.264 clip and prints its five likeliest
classes; ours is `temporal-jax predict`. For the memory of training, others do
two steps with AdamW. No process has both libraries.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks import first_answer
from benchmarks.cases.networks import NetworkCase, find_clip_shape
from benchmarks.peers_parts import torch_side
from benchmarks.shared import network_sides
from benchmarks.shared.videos import write_videos
from temporal_jax import inference
from temporal_jax.models import find_model

_TOLERANCE = 1e-3  # Relative, for a probability.


def measure(
  case: NetworkCase,
  *,
  turns: int,
  modes: Sequence[str] = ("eager", "compiled"),
  clip_shape: tuple[int, int, int] | None = None,
) -> dict[str, Any]:
  """Measures the processes of one network.

  Args:
    case: The network.
    turns: Times that each process runs with an empty cache and with a full one.
    modes: Modes of torch.
    clip_shape: (T, H, W), by default the catalog's.

  Returns:
    "first_answer", see `first_answer.measure`, and "peak_bytes" of "answer" and
    "step", of each side: "ours" and the modes. "errors" has the last line of
    those that fail.

  Raises:
    ValueError: If ours fails, or answers differ.
  """
  clip_shape = clip_shape or find_clip_shape(case.key)
  with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    answers, steps = _commands(case, folder, modes, clip_shape)
    peaks: dict[str, dict[str, int]] = {"answer": {}, "step": {}}
    errors = {}
    for work, commands in (("answer", answers), ("step", steps)):
      for side, words in commands.items():
        try:
          peaks[work][side] = _peak_bytes(words, folder)
        except ValueError as error:
          if side == "ours":
            raise ValueError(f"{case.name}: {error}") from None
          errors[f"{side} {work}"] = str(error)
    found = {side: words for side, words in answers.items() if side in peaks["answer"]}
    difference = _difference(folder, found)
    if not difference < _TOLERANCE:
      raise ValueError(f"{case.name}: probabilities differ by {difference:.1e}.")
    return {
      "name": case.name,
      "clip": (1, *clip_shape, 3),
      "first_answer": first_answer.measure(found, turns),
      "peak_bytes": peaks,
      "errors": errors,
      "difference": difference,
    }


def _commands(
  case: NetworkCase,
  folder: pathlib.Path,
  modes: Sequence[str],
  clip_shape: tuple[int, int, int],
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
  """Writes clip and weights, and returns the commands that answer or train."""
  spec = find_model(case.key)
  pixels = {"mean": list(spec.mean), "std": list(spec.std)}
  network = network_sides.build(case)
  torch_side.save(folder / "torch", network, pixels)
  clip = np.zeros((1, *clip_shape, 3), np.float32)
  _, variables = network_sides.with_weights(case, network, clip, "float32")
  overrides = {**case.kwargs, "dtype": "float32"}
  num_classes = overrides.pop("num_classes")
  labels = case.labels or [f"class {number}" for number in range(num_classes)]
  inference.save_model(
    folder / "ours",
    variables,
    {
      "model": case.key,
      "overrides": overrides,
      "num_classes": len(labels),
      "clip_shape": clip.shape[1:],
      "class_names": labels,
      "pixels": pixels,
    },
  )
  (file,) = write_videos(folder, 1, clip_shape[1:], length=clip_shape[0])

  def theirs(work: str, mode: str) -> list[str]:
    words = ["-m", torch_side.__name__, work, str(folder / "torch"), file]
    words += ["--json", str(folder / f"{mode}.json")]
    return [*words, "--compiled"] if mode == "compiled" else words

  ours = ["-m", "temporal_jax", "predict", file, "--model", str(folder / "ours")]
  ours += ["--json", str(folder / "ours.json")]
  ours_step = ["-m", "benchmarks.peers_parts.our_side", str(folder / "ours")]
  return (
    {"ours": ours, **{mode: theirs("answer", mode) for mode in modes}},
    {"ours": ours_step, **{mode: theirs("step", mode) for mode in modes}},
  )


def _peak_bytes(words: Sequence[str], folder: pathlib.Path) -> int:
  """Returns the largest resident memory of a process with an empty cache."""
  file = folder / "peak"
  child = [sys.executable, "-m", "benchmarks.shared.peak_memory", str(file)]
  with tempfile.TemporaryDirectory() as kept:
    done = subprocess.run(
      [*child, sys.executable, *words],
      env=first_answer.environment(kept),
      capture_output=True,
      text=True,
      check=False,
    )
  if done.returncode:
    *_, last = done.stderr.strip().splitlines() or ["no message"]
    raise ValueError(last)
  return int(file.read_text())


def _difference(folder: pathlib.Path, sides: Mapping[str, Any]) -> float:
  """Returns the largest relative difference of our best probabilities."""
  (answer,) = json.loads((folder / "ours.json").read_text())
  names = json.loads((folder / "ours" / "model.json").read_text())["class_names"]
  best = {names.index(p["label"]): p["probability"] for p in answer["predictions"]}
  errors = [0.0]
  for mode in sides.keys() - {"ours"}:
    wanted = json.loads((folder / f"{mode}.json").read_text())
    errors += [abs(p - wanted[place]) / wanted[place] for place, p in best.items()]
  return max(errors)
