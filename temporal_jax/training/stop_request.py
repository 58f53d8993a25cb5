"""Stops a run between two steps when the system sends a signal."""

import signal
from types import FrameType

import jax
from jax.experimental import multihost_utils


class StopRequest:
  """Notes SIGTERM and SIGINT instead of dying from them.

  Use as a context manager; the former handlers come back at its end. A second
  SIGINT interrupts at once.

  Of several processes any may get a SIGTERM, and all stop after the same step:
  `jax.distributed`, which takes SIGTERM over when it is initialised, lets them
  agree. SIGINT then interrupts at once.

  Attributes:
    signal: Name of the signal that came, or None.
  """

  def __init__(self):
    self.signal: str | None = None

  def __enter__(self) -> "StopRequest":
    self._former = {
      number: signal.signal(number, self._note)
      for number in (signal.SIGTERM, signal.SIGINT)
    }
    return self

  def __exit__(self, *exception: object) -> None:
    for number, handler in self._former.items():
      signal.signal(number, handler)

  def comes_after(self, step: int) -> bool:
    """Whether to stop after `step` steps; asked by all processes alike."""
    several = jax.distributed.is_initialized()
    if several and multihost_utils.reached_preemption_sync_point(step):
      self.signal = "SIGTERM"
    return self.signal is not None

  def _note(self, number: int, frame: FrameType | None) -> None:
    del frame
    again = self.signal or jax.distributed.is_initialized()
    if number == signal.SIGINT and again:
      raise KeyboardInterrupt
    self.signal = signal.Signals(number).name
