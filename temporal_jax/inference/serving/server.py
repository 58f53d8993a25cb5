"""A server of one page that takes a video and shows what is in it."""

import contextlib
import errno
import socket
import socketserver
import threading
from collections.abc import Mapping
from typing import Any

from absl import logging

from temporal_jax.inference.serving.connection import close_gently
from temporal_jax.inference.serving.handler import Handler
from temporal_jax.inference.serving.service import Answerer, Limits, Service

_FULL = (
  b"HTTP/1.0 503 Service Unavailable\r\nContent-Type: application/json\r\n\r\n"
  b'{"error": "there are too many connections; try again in a moment."}'
)


class PageServer(socketserver.ThreadingTCPServer):
  """Serves the page, a thread a connection and a connection a request.

  `serve_forever()` serves, `shutdown()` from another thread ends that, and
  `server_close()`, or the end of a with block, removes what is left once the
  video in hand is answered.

  Attributes:
    service: What it serves, and what it takes.
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
    self.service = Service(
      answer, host=host, limits=limits or Limits(), settings=settings or {}
    )
    self._connections = threading.BoundedSemaphore(self.service.limits.connections)
    try:
      self.address_family, *_, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
      )[0]
      super().__init__(address, Handler)
    except OSError as error:
      self.service.close()
      words = error.strerror
      if error.errno == errno.EADDRINUSE:
        words = "the port is in use; choose another with --port"
      raise OSError(f"cannot serve at {host}, port {port}: {words}.") from error

  @property
  def url(self) -> str:
    """Where the page is."""
    host = self.service.host
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{self.server_address[1]}/"

  def server_close(self) -> None:
    """Gives the port free, waits for the last answer, removes all files."""
    super().server_close()
    self.service.close()

  def process_request(self, request: socket.socket, client_address: Any) -> None:
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

  def process_request_thread(self, request: socket.socket, client_address: Any) -> None:
    """Answers a request."""
    try:
      super().process_request_thread(request, client_address)
    finally:
      self._connections.release()

  def shutdown_request(self, request: socket.socket) -> None:
    """Ends a connection."""
    close_gently(request, seconds=self.service.limits.goodbye)

  def handle_error(self, request: socket.socket, client_address: Any) -> None:
    """Writes down what went wrong; the server goes on."""
    logging.exception("a connection of %s failed", client_address)
