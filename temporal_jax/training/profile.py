"""Profiles of steps, for XProf and its plugin of TensorBoard."""

import contextlib
import pathlib
import re

import jax

FOLDER = "profile"
_RANGE = re.compile(r"([0-9]{1,10}):([0-9]{1,10})", re.ASCII)


class Profile:
  """Traces a range of steps; a context, so that an error ends the trace too.

  The trace is FOLDER/plugins/profile/TIME/HOST.xplane.pb, where XProf and
  TensorBoard look for it. Of several processes the first one traces.
  """

  def __init__(self, workdir: str | pathlib.Path = "", steps: range = range(0)):
    """Prepares a trace; writes nothing.

    Args:
      workdir: Folder of the run, which gets the folder "profile".
      steps: Steps to trace, counted from 0; none by default.
    """
    self._folder = pathlib.Path(workdir) / FOLDER
    self._steps = steps if jax.process_index() == 0 else range(0)
    self._tracing = False

  def __enter__(self) -> "Profile":
    return self

  def __exit__(self, *exception: object) -> None:
    self._stop()

  def step(self, step: int) -> contextlib.AbstractContextManager:
    """Returns the context in which a step runs.

    Args:
      step: Number of steps before it.
    """
    if step not in self._steps:
      return contextlib.nullcontext()
    if not self._tracing:
      jax.profiler.start_trace(self._folder)
      self._tracing = True
    return jax.profiler.StepTraceAnnotation("train", step_num=step)

  def end_step(self, step: int, result: object) -> None:
    """Ends the trace after its last step.

    Args:
      step: Number of steps that are done.
      result: Arrays of the step, which may still be computed.
    """
    if self._tracing and step not in self._steps:
      jax.block_until_ready(result)
      self._stop()

  def _stop(self) -> None:
    if self._tracing:
      self._tracing = False
      jax.profiler.stop_trace()


def parse_steps(text: str, num_steps: int | None) -> range:
  """Returns the steps of "100:110": the ten steps after step 100.

  Args:
    text: First and last step, as metrics.jsonl counts them.
    num_steps: Steps of the run; None if they are not known yet.

  Raises:
    ValueError: If it is no range of steps of the run.
  """
  match = _RANGE.fullmatch(text)
  first, last = map(int, match.groups()) if match else (0, 0)
  if not 0 <= first < last <= (num_steps or last):
    of = f"{num_steps} steps" if num_steps else "number of steps"
    raise ValueError(
      f"--profile must be FIRST:LAST, as 100:110 for the ten steps after step 100, "
      f"with 0 <= FIRST < LAST <= the run's {of}; got {text!r}."
    )
  return range(first, last)
