"""Runs commands side by side, and ends those that take too long."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_PAUSE = 0.1  # Seconds between two looks at the processes.


class Job(NamedTuple):
  """A command.

  Attributes:
    words: The command.
    settings: Environment variables that it has as well as those of `run`.
    output: File that receives what it prints.
  """

  words: Sequence[str]
  settings: Mapping[str, str]
  output: pathlib.Path


class Ended(NamedTuple):
  """End of a command.

  Attributes:
    status: "ok", "failed" or "stopped", which is what the limit does.
    seconds: Seconds that it ran.
  """

  status: str
  seconds: float


def run(
  jobs: Sequence[Job],
  seconds: float,
  *,
  folder: pathlib.Path,
  environment: Mapping[str, str],
) -> list[Ended]:
  """Runs commands at the same time.

  A command that still runs after the limit is ended, with all processes that it
  started; so are all commands if this function is interrupted.

  Args:
    jobs: The commands.
    seconds: Limit of each.
    folder: Folder in which they run.
    environment: Environment variables of all of them.

  Returns:
    End of each command.
  """
  start = time.monotonic()
  processes: list[subprocess.Popen] = []
  ended: dict[int, Ended] = {}
  try:
    for job in jobs:
      processes.append(_start(job, folder, environment))  # Ended if the next fails.
    while len(ended) < len(jobs):
      passed = time.monotonic() - start
      for place, process in enumerate(processes):
        if place in ended:
          continue
        code = process.poll()
        if code is not None:
          ended[place] = Ended("failed" if code else "ok", passed)
        elif passed > seconds:
          _end(process)
          ended[place] = Ended("stopped", passed)
      time.sleep(_PAUSE)
  finally:
    for process in processes:
      _end(process)
  return [ended[place] for place in range(len(jobs))]


def _start(
  job: Job, folder: pathlib.Path, environment: Mapping[str, str]
) -> subprocess.Popen:
  with job.output.open("w") as output:
    return subprocess.Popen(
      job.words,
      cwd=folder,
      env={**environment, **job.settings},
      stdin=subprocess.DEVNULL,
      stdout=output,
      stderr=subprocess.STDOUT,
      start_new_session=True,  # A group of its own, which can be ended.
    )


def _end(process: subprocess.Popen) -> None:
  """Ends a process and those that it started, and waits for it."""
  with contextlib.suppress(ProcessLookupError):  # All have ended.
    os.killpg(process.pid, signal.SIGKILL)
  process.wait()
