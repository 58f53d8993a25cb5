"""Queue of connections that wait for their answer."""

import contextlib
import threading
from collections.abc import Iterator

from temporal_jax.inference.serving.shared_places import Holder


class Turns:
  """Lets one connection at a time proceed. Safe to use from many threads.

  Connections of one client proceed in the order in which they came. Where
  several clients wait, none gets two turns in a row.

  Attributes:
    is_busy: Whether a connection has its turn.
  """

  def __init__(self):
    """Makes an empty line."""
    self.is_busy = False
    self._ended = False
    self._last = ""
    self._waiting: list[Holder] = []
    self._changed = threading.Condition()

  @contextlib.contextmanager
  def turn(self, holder: Holder, seconds: float) -> Iterator[bool]:
    """Waits for the turn of a connection, which lasts for the with block.

    Args:
      holder: The connection.
      seconds: Longest wait.

    Yields:
      Whether it is its turn: not if that did not come in time, nor after `end`.
    """
    with self._changed:
      self._waiting.append(holder)
      try:
        self._changed.wait_for(lambda: self._ended or self._next() is holder, seconds)
        granted = not self._ended and self._next() is holder
        if granted:
          self.is_busy, self._last = True, holder.client
      finally:
        self._waiting.remove(holder)
        self._changed.notify_all()
    try:
      yield granted
    finally:
      if granted:
        with self._changed:
          self.is_busy = False
          self._changed.notify_all()

  def end(self, seconds: float) -> None:
    """Grants no more turns, and waits for the end of the present one.

    Args:
      seconds: Longest wait.
    """
    with self._changed:
      self._ended = True
      self._changed.notify_all()
      self._changed.wait_for(lambda: not self.is_busy, seconds)

  def _next(self) -> Holder | None:
    """Returns the connection whose turn it is; None while one has its turn."""
    if self.is_busy:
      return None
    others = (holder for holder in self._waiting if holder.client != self._last)
    return next(others, self._waiting[0])
