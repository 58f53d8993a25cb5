"""A connection whose other end may be slow, silent, or send without end."""

import contextlib
import io
import socket
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from temporal_jax.inference.serving.request_checks import RequestError

if TYPE_CHECKING:
  from _typeshed import WriteableBuffer

_CHUNK = 1 << 16  # Bytes.


class TimedReader(io.RawIOBase):
  """Reads a connection, each time until a deadline."""

  def __init__(self, connection: socket.socket, *, pause: float, total: float):
    """Starts the clock.

    Args:
      connection: What is read.
      pause: Seconds that may go by without a byte.
      total: Seconds until `restart`.
    """
    self._connection = connection
    self._pause = pause
    self.restart(total)

  def restart(self, total: float) -> None:
    """Gives what follows a time of its own, in seconds."""
    self._deadline = time.monotonic() + total

  def readable(self) -> bool:
    """Returns True."""
    return True

  def readinto(self, buffer: "WriteableBuffer") -> int:
    """Returns the number of bytes that came.

    Raises:
      RequestError: If there is no time left.
    """
    left = self._deadline - time.monotonic()
    try:
      if left <= 0:
        raise TimeoutError
      self._connection.settimeout(min(self._pause, left))
      return self._connection.recv_into(buffer)
    except TimeoutError:
      raise RequestError(
        HTTPStatus.REQUEST_TIMEOUT, "the request came too slowly."
      ) from None


def close_gently(connection: socket.socket, *, seconds: float) -> None:
  """Closes a connection so that the other end can read what it was sent.

  A connection closed while bytes are unread is reset, and the answer lost. What
  still comes is therefore read, until the other end closes or time is up.

  Args:
    connection: What is closed.
    seconds: Time for that.
  """
  deadline = time.monotonic() + seconds
  with contextlib.closing(connection), contextlib.suppress(OSError):
    connection.shutdown(socket.SHUT_WR)
    while (left := deadline - time.monotonic()) > 0:
      connection.settimeout(left)
      if not connection.recv(_CHUNK):
        break
