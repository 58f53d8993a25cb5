"""A server of one page that takes a video and shows what is in it."""

import contextlib
import dataclasses
import errno
import pathlib
import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from absl import logging

from temporal_jax.data.pictures import VideoError
from temporal_jax.inference.serving.checks import RequestError
from temporal_jax.inference.serving.connection import close_gently
from temporal_jax.inference.serving.handler import Handler, busy
from temporal_jax.inference.serving.page import load_page

# From the path of a video to what the page shows of it, see `VideoAnswerer`.
Answerer = Callable[[pathlib.Path], Mapping[str, Any]]

_FULL = (
  b"HTTP/1.0 503 Service Unavailable\r\nContent-Type: application/json\r\n\r\n"
  b'{"error": "there are too many connections; try again in a moment."}'
)


@dataclasses.dataclass(frozen=True)
class Limits:
  """What the server takes. Times are in seconds.

  Attributes:
    max_bytes: Of a file.
    uploads: Files held at a time; they are answered one after the other.
    connections: Open at a time.
    pause: Time without a byte, of either end.
    head: Time for a request without its body.
    body: Time for a body.
    turn: Time that a file waits for those before it.
    goodbye: Time for an answer to be read before the connection is closed.
  """

  max_bytes: int = 200_000_000
  uploads: int = 4
  connections: int = 32
  pause: float = 10.0
  head: float = 10.0
  body: float = 300.0
  turn: float = 300.0
  goodbye: float = 2.0

  def __post_init__(self) -> None:
    for name, value in dataclasses.asdict(self).items():
      if value <= 0:
        raise ValueError(f"{name} must be above 0, got {value}.")


class PageServer(socketserver.ThreadingTCPServer):
  """Serves the page, a thread a connection and a connection a request.

  `serve_forever()` serves, `shutdown()` from another thread ends that, and
  `server_close()`, or the end of a with block, removes what is left once the
  video in hand is answered.

  Attributes:
    host: Name or address it serves at.
    limits: What it takes.
    page: What it serves.
    folder: Where a file lies while it is looked at.
    uploads: Free places for files.
  """

  allow_reuse_address = True
  daemon_threads = True
  request_queue_size = 64

  def __init__(
    self,
    answer: Answerer,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    limits: Limits | None = None,
    settings: Mapping[str, Any] | None = None,
  ):
    """Takes the port; the page is served once `serve_forever` is called.

    Args:
      answer: Called with the path of a file, one at a time; what it returns is
        the page's to show. It raises VideoError if the file is the reason that
        it cannot.
      host: Name or address of this machine.
      port: 0 for one that is free.
      limits: What is taken.
      settings: See `load_page`.

    Raises:
      ValueError: If there is no such port.
      OSError: If the host is not of this machine, or the port in use.
    """
    if not 0 <= port < 1 << 16:
      raise ValueError(f"port must be in [0, 65535], got {port}.")
    self.host = host
    self.limits = limits or Limits()
    self.page = load_page(
      {**(settings or {}), "maxBytes": self.limits.max_bytes}
    )
    self.uploads = threading.BoundedSemaphore(self.limits.uploads)
    self._connections = threading.BoundedSemaphore(self.limits.connections)
    self._turn = threading.Lock()
    self._ends = False
    self._answer = answer
    self._folder = tempfile.TemporaryDirectory(
      prefix="temporal_jax_serve_", ignore_cleanup_errors=True
    )
    self.folder = pathlib.Path(self._folder.name)
    try:
      self.address_family, *_, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
      )[0]
      super().__init__(address, Handler)
    except OSError as error:
      self._folder.cleanup()
      words = error.strerror
      if error.errno == errno.EADDRINUSE:
        words = "the port is in use; choose another with --port"
      raise OSError(f"cannot serve at {host}, port {port}: {words}.") from error

  @property
  def url(self) -> str:
    """Where the page is."""
    host = f"[{self.host}]" if ":" in self.host else self.host
    return f"http://{host}:{self.server_address[1]}/"

  @property
  def is_answering(self) -> bool:
    """Whether a video is looked at."""
    return self._turn.locked()

  def look_at(self, path: pathlib.Path) -> Mapping[str, Any]:
    """Returns the answer for a file, once those before it have theirs.

    Raises:
      RequestError: If it is no video that can be read, or has waited too long.
    """
    if not self._turn.acquire(timeout=self.limits.turn):
      raise busy()
    try:
      if self._ends:
        raise busy()
      return self._answer(path)
    except VideoError as error:
      raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
    finally:
      self._turn.release()

  def server_close(self) -> None:
    """Gives the port free, waits for the last answer, removes all files.

    A process that ends while a thread computes would crash.
    """
    super().server_close()
    if self._ends:
      return
    self._ends = True
    try:
      self._turn.acquire()
    finally:
      self._folder.cleanup()

  def process_request(
    self, request: socket.socket, client_address: Any
  ) -> None:
    """Starts a thread, or closes the connection if there are too many."""
    if not self._connections.acquire(blocking=False):
      with contextlib.suppress(OSError):
        request.setblocking(False)
        request.send(_FULL)
      self.close_request(request)
      return
    try:
      super().process_request(request, client_address)
    except BaseException:
      self._connections.release()
      raise

  def process_request_thread(
    self, request: socket.socket, client_address: Any
  ) -> None:
    """Answers a request."""
    try:
      super().process_request_thread(request, client_address)
    finally:
      self._connections.release()

  def shutdown_request(self, request: socket.socket) -> None:
    """Ends a connection."""
    close_gently(request, seconds=self.limits.goodbye)

  def handle_error(self, request: socket.socket, client_address: Any) -> None:
    """Writes down what went wrong; the server goes on."""
    logging.exception("a connection of %s failed", client_address)
