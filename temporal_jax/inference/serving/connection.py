"""Sockets with limits on slow, silent or endless clients."""

import contextlib
import io
import math
import socket
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from temporal_jax.inference.serving.limits import Limits
from temporal_jax.inference.serving.request_checks import RequestError
from temporal_jax.inference.serving.shared_places import client_of

if TYPE_CHECKING:
  from _typeshed import ReadableBuffer, WriteableBuffer

_CHUNK = 1 << 16  # Bytes.
_PULSE = 0.2  # Longest wait in seconds until a connection sees its end.
# Bytes by which a connection is ahead at first, so that a new one does
# not count as slow: the rate of older ones falls with their age.
_HEAD_START = 10_000


class Connection(io.RawIOBase):
  """Reads and writes a socket, as long as its other end is fast enough.

  A request passes through phases, each with a limit of its time. Reading the
  head and closing give way to new connections at any time; a body and an answer
  do below `Limits.fair_rate`; work on a received file never does.

  Attributes:
    client: Client at the other end, see `shared_places.client_of`.
  """

  def __init__(self, connection: socket.socket, address: str, limits: Limits):
    """Starts with the head of a request.

    Args:
      connection: The socket, which this closes.
      address: IP address of the other end.
      limits: Limits of its times and rates.
    """
    self.client = client_of(address)
    self._socket, self._limits = connection, limits
    self._stopped = False
    self._lock = threading.Lock()
    self._begin("the request", limits.head, fair_rate=math.inf)

  def begin_body(self) -> None:
    """Starts the clock of the body."""
    limits = self._limits
    self._begin(
      "the upload",
      limits.body,
      min_rate=limits.min_rate,
      fair_rate=limits.fair_rate,
    )

  def begin_work(self) -> None:
    """Stops the clock while the server works.

    Raises:
      RequestError: If the connection has given way.
    """
    self._begin("the request", math.inf)
    self._check()

  @property
  def rate(self) -> float:
    """Bytes per second that passed in this phase, see `_HEAD_START`."""
    age = max(time.monotonic() - self._began, 1e-3)
    return (self._passed + _HEAD_START) / age

  def gives_way(self) -> bool:
    """Returns whether it is slow enough to be ended for another."""
    return not self._stopped and self.rate < self._fair_rate

  def stop(self) -> bool:
    """Ends it if it gives way; returns whether it was ended."""
    with self._lock:
      if not self.gives_way():
        return False
      self._stopped = True
      return True

  def is_open(self) -> bool:
    """Returns whether the other end still waits for an answer."""
    self._socket.settimeout(0)
    try:
      return bool(self._socket.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
      return True
    except OSError:
      return False

  def readable(self) -> bool:
    """Returns True."""
    return True

  def writable(self) -> bool:
    """Returns True."""
    return True

  def readinto(self, buffer: "WriteableBuffer") -> int:
    """Returns the number of bytes that came.

    Raises:
      RequestError: If they come too slowly, or the connection has given way.
    """
    while True:
      self._check()
      try:
        return self._count(self._socket.recv_into(buffer))
      except TimeoutError:
        pass  # `_check` knows how long to wait.

  def write(self, content: "ReadableBuffer") -> int:
    """Sends all of an answer and returns its number of bytes.

    Raises:
      TimeoutError: If it is read too slowly.
    """
    if self._stopped:
      self._socket.settimeout(_PULSE)
      return self._socket.send(content)
    limits = self._limits
    self._begin(
      "the answer",
      limits.body,
      min_rate=limits.min_rate,
      fair_rate=limits.fair_rate,
    )
    left = memoryview(content)
    while left:
      try:
        self._check()
        left = left[self._count(self._socket.send(left)) :]
      except RequestError as error:
        raise TimeoutError(str(error)) from error
      except TimeoutError:
        pass  # `_check` knows how long to wait.
    return len(content)

  def end(self) -> None:
    """Closes the socket so that the other end can read all sent bytes.

    A socket closed while bytes are unread is reset, and the answer lost. What
    still comes is therefore read, until the other end closes or time is up.
    """
    seconds = _PULSE if self._stopped else self._limits.goodbye
    self._stopped = False
    self._begin("the end", seconds, fair_rate=math.inf)
    with (
      contextlib.closing(self._socket),
      contextlib.suppress(OSError, RequestError),
    ):
      self._socket.shutdown(socket.SHUT_WR)
      rest = bytearray(_CHUNK)
      while self.readinto(rest):
        pass

  def refuse(self, answer: bytes) -> None:
    """Sends the bytes that fit at once and closes the socket."""
    with contextlib.closing(self._socket), contextlib.suppress(OSError):
      self._socket.settimeout(0)
      self._socket.send(answer)
      self._socket.shutdown(socket.SHUT_WR)
      # Bytes that are unread would reset the connection, see `end`.
      self._socket.recv(_CHUNK)

  def _begin(
    self,
    name: str,
    seconds: float,
    *,
    min_rate: float = 0.0,
    fair_rate: float = 0.0,
  ) -> None:
    """Begins a phase.

    Args:
      name: Name of the message that passes in it.
      seconds: Longest time of it.
      min_rate: Bytes per second below which it is ended.
      fair_rate: Bytes per second below which it gives way.
    """
    with self._lock:
      self._name, self._seconds = name, seconds
      self._began = self._window_began = time.monotonic()
      self._passed = self._window = 0
      self._min_rate, self._fair_rate = min_rate, fair_rate

  def _count(self, count: int) -> int:
    self._passed += count
    self._window += count
    return count

  def _check(self) -> None:
    """Sets how long the socket waits.

    Raises:
      RequestError: If there is no time left, or the connection has given way.
    """
    if self._stopped:
      raise RequestError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"{self._name} was slow and had to give way to another; try again.",
      )
    now, grace = time.monotonic(), self._limits.grace
    if now - self._began >= self._seconds:
      raise RequestError(
        HTTPStatus.REQUEST_TIMEOUT,
        f"{self._name} takes more than {self._seconds:g} s.",
      )
    if now - self._window_began >= grace:
      if self._window < self._min_rate * grace:
        raise RequestError(
          HTTPStatus.REQUEST_TIMEOUT,
          f"{self._name} is too slow: {self._window:,} bytes came in "
          f"{grace:g} s; at least {self._min_rate:,.0f} bytes per second must.",
        )
      self._window_began, self._window = now, 0
    left = self._began + self._seconds - now
    self._socket.settimeout(min(_PULSE, left, grace))
