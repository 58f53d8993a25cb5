"""Compiles programs in child processes, which are ended once the text is there.

XLA writes a program's text when its layouts and its buffers are known. What
follows, the code for the chip, takes longer than all before it and is of no use
here.

A child is a fork: it has all modules already. This process must therefore not
have used jax for anything but its types and traces, as XLA's threads would not
be in the child.
"""

import collections
import contextlib
import json
import multiprocessing
import os
import pathlib
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_POLL_SECONDS = 0.05


class Job(NamedTuple):
  """A program to compile.

  Attributes:
    row: Fields that identify the program in reports.
    lower: Lowers the program; called in the child.
      Returns the lowered program, and facts to report that JSON can hold.
    text_file: Pattern of the name of the file that XLA writes the text to.
    environment: Environment of the child.
    flags: Flags for XLA.
  """

  row: Mapping[str, Any]
  lower: Callable[[], tuple[Any, Mapping[str, Any]]]
  text_file: str
  environment: Mapping[str, str]
  flags: Sequence[str] = ()


class Outcome(NamedTuple):
  """Result of a job.

  Attributes:
    job: The job.
    facts: Facts that its function returned, {} after an error.
    text: The compiled program, "" after an error.
    memory_report: XLA's report of the memory it sets aside, "" without one.
    log: Output of the child, with the compiler's warnings.
    error: Reason for a missing text, "" if there is one.
    seconds: Seconds from the child's start to its end.
  """

  job: Job
  facts: Mapping[str, Any]
  text: str
  memory_report: str
  log: str
  error: str
  seconds: float


def compile_all(
  jobs: Sequence[Job], *, processes: int = 1, limit: float = 600.0
) -> Iterator[Outcome]:
  """Yields the outcomes of jobs as they end.

  Args:
    jobs: The jobs.
    processes: Children at a time.
    limit: Seconds after which a child is ended and counts as failed.
  """
  waiting = collections.deque(jobs)
  running: list[_Child] = []
  with tempfile.TemporaryDirectory(prefix="compiled_") as folder:
    try:
      while waiting or running:
        while waiting and len(running) < processes:
          place = pathlib.Path(folder, str(len(jobs) - len(waiting)))
          running.append(_Child(waiting.popleft(), place, limit))
        for child in [child for child in running if child.has_ended()]:
          running.remove(child)
          yield child.outcome()
        time.sleep(_POLL_SECONDS)
    finally:
      for child in running:
        child.end()


class _Child:
  """A process that compiles one program."""

  def __init__(self, job: Job, folder: pathlib.Path, limit: float):
    self._job, self._folder, self._limit = job, folder, limit
    folder.mkdir()
    self._start = time.monotonic()
    self._process = multiprocessing.get_context("fork").Process(
      target=_work, args=(job, folder), daemon=True
    )
    self._process.start()

  def has_ended(self) -> bool:
    """Returns whether there is a text, or there will be none."""
    late = time.monotonic() - self._start > self._limit
    return late or not self._process.is_alive() or self._text() is not None

  def end(self) -> None:
    """Ends the process."""
    self._process.kill()
    self._process.join()

  def outcome(self) -> Outcome:
    """Ends the process and returns what it left."""
    exited = not self._process.is_alive()
    self.end()
    text, error = self._text(), ""
    if text is None:
      error = self._read("error.txt") or (
        f"the process ended with {self._process.exitcode}: {self._read('log')[-500:]}"
        if exited
        else f"not compiled within {self._limit:g} seconds"
      )
    return Outcome(
      job=self._job,
      facts={} if error else json.loads(self._read("facts.json")),
      text=text or "",
      memory_report=self._read("*memory-usage-report.txt") if text else "",
      log=self._read("log"),
      error=error,
      seconds=time.monotonic() - self._start,
    )

  def _text(self) -> str | None:
    """Returns the program's text if all of it is written."""
    text = self._read(self._job.text_file)
    return text if text.rstrip().endswith("}") and "\nENTRY " in text else None

  def _read(self, pattern: str) -> str:
    """Returns the text of the largest file with a name of a pattern."""
    found = list(self._folder.glob(pattern))
    if not found:
      return ""
    return max(found, key=lambda path: path.stat().st_size).read_text()


def _work(job: Job, folder: pathlib.Path) -> None:
  """Compiles a job's program; runs in the child."""
  os.environ.update(job.environment)
  os.environ["XLA_FLAGS"] = " ".join(
    [f"--xla_dump_to={folder}", "--xla_dump_hlo_as_text", *job.flags]
  )
  log = os.open(folder / "log", os.O_CREAT | os.O_WRONLY)
  for stream in (sys.stdout, sys.stderr):  # Also of libraries in C++.
    os.dup2(log, stream.fileno())
  try:
    lowered, facts = job.lower()
    (folder / "facts.json").write_text(json.dumps(facts))
    lowered.compile()
  except BaseException as error:
    traceback.print_exc()
    words = f"{type(error).__name__}: {error}".strip()
    with contextlib.suppress(OSError):
      (folder / "error.txt").write_text(words[:2000])
    raise SystemExit(1) from None
