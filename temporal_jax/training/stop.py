"""Stopping a run between two steps when the system asks for it."""

import signal
from types import FrameType


class StopRequest:
  """Notes SIGTERM and SIGINT instead of dying from them.

  Use as a context manager; the former handlers come back at its end. A second
  SIGINT interrupts at once.

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

  def _note(self, number: int, frame: FrameType | None) -> None:
    del frame
    if number == signal.SIGINT and self.signal:
      raise KeyboardInterrupt
    self.signal = signal.Signals(number).name
