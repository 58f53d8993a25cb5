"""Times a run of train.py from its start to its report."""

import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from temporal_jax import training

_ROOT = pathlib.Path(__file__).parents[2]
_PAUSE = 0.05  # Seconds between two checks of the run.


def measure(
  config: str, num_steps: int, arguments: Sequence[str] = ()
) -> dict[str, Any]:
  """Times a run in a process of its own and in a fresh workdir.

  Before it, the data set is prepared and its files are read once.

  Args:
    config: File of the run's config.
    num_steps: Length of the run; at least twice its log_every.
    arguments: Other arguments of train.py.

  Returns:
    The result of `summarize`, "seconds" of the whole process, and "peak_bytes",
    its largest resident memory.

  Raises:
    ValueError: If train.py fails, or logs fewer than two times.
  """
  with tempfile.TemporaryDirectory() as folder:
    place = pathlib.Path(folder)
    command = [
      sys.executable,
      "train.py",
      f"--config={config}",
      f"--config.num_steps={num_steps}",
      *arguments,
    ]
    _watch(
      [*command, f"--workdir={place / 'drawn'}", f"--draw={place}/sheet.png"],
      place / "drawn",
    )
    peak = place / "peak"
    child = [sys.executable, "-m", "benchmarks.shared.peak_memory", str(peak)]
    first, seconds = _watch(
      [*child, *command, f"--workdir={place / 'run'}"], place / "run"
    )
    rows = training.read_rows(place / "run" / "timing.jsonl")
    return {
      "config": " ".join([config, *arguments]),
      **summarize(rows, first),
      "seconds": seconds,
      "peak_bytes": int(peak.read_text()),
    }


def _watch(command: Sequence[str], workdir: pathlib.Path) -> tuple[float, float]:
  """Returns the seconds to the first row of timing.jsonl, and to the end."""
  with tempfile.TemporaryFile("w+") as output:
    start = time.perf_counter()
    with subprocess.Popen(
      command, cwd=_ROOT, stdout=output, stderr=subprocess.STDOUT
    ) as process:
      first = None
      while process.poll() is None:
        if first is None and training.read_rows(workdir / "timing.jsonl"):
          first = time.perf_counter() - start
        time.sleep(_PAUSE)
    seconds = time.perf_counter() - start
    output.seek(0)
    if process.returncode:
      raise ValueError(f"train.py failed:\n{output.read()[-2000:]}")
  return first or seconds, seconds


def summarize(
  rows: Sequence[dict[str, float]], first_row_seconds: float
) -> dict[str, float]:
  """Returns the speed of a run after its first logging step.

  Args:
    rows: Rows of timing.jsonl.
    first_row_seconds: Seconds from the run's start to its first row.

  Returns:
    "steps" of the run; "clips_per_second" and "data_wait", the share of the
    time that the device waits for data, both after the first logging step,
    which compiles; "first_step_seconds" from the run's start to the end of its
    first step, if the other steps up to the first row are as fast as later
    ones.

  Raises:
    ValueError: If there are fewer than two rows.
  """
  if len(rows) < 2:
    raise ValueError(
      f"a run must log at least twice to be timed, got {len(rows)} rows: give "
      "more steps, or a smaller --config.log_every."
    )
  ends = [row["step"] for row in rows]
  seconds = clips = waited = 0.0
  for begin, row in zip(ends, rows[1:], strict=False):
    length = row["seconds_per_step"] * (row["step"] - begin)
    seconds += length
    clips += row["clips_per_second"] * length
    waited += row["data_wait"] * length
  per_step = seconds / (ends[-1] - ends[0])
  return {
    "steps": ends[-1],
    "clips_per_second": clips / seconds,
    "data_wait": waited / seconds,
    "first_step_seconds": first_row_seconds - (ends[0] - 1) * per_step,
  }
