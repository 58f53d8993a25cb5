"""HTTP server of a page that classifies dropped videos."""

import errno
import socket
import socketserver
from collections.abc import Mapping
from typing import Any

from absl import logging

from temporal_jax.inference.serving.connection import Connection
from temporal_jax.inference.serving.handler import Handler
from temporal_jax.inference.serving.limits import Limits
from temporal_jax.inference.serving.sample import SampleClip
from temporal_jax.inference.serving.service import Answerer, Service
from temporal_jax.inference.serving.shared_places import Places

_FULL = (
  b"HTTP/1.0 503 Service Unavailable\r\nContent-Type: application/json\r\n\r\n"
  b'{"error": "there are too many connections; try again in a moment."}'
)
# Connections that gave way and are being closed, for each that is allowed.
_MOST_ENDING = 8


class PageServer(socketserver.ThreadingTCPServer):
  """Serves the page: a thread for each connection, one request for each.

  `serve_forever()` serves, `shutdown()` from another thread ends that, and
  `server_close()`, or the end of a with block, waits for the video in hand, at
  most `Limits.ending`, and removes all files.

  Attributes:
    service: The page and the answers that it serves.
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
    token: str = "",
    limits: Limits | None = None,
    settings: Mapping[str, Any] | None = None,
    sample: SampleClip | None = None,
  ):
    """Takes the port; the page is served once `serve_forever` is called.

    Args:
      answer: Called with the path of a file, one at a time; the page shows
        its result. It raises VideoError if the file cannot be looked
        at.
      host: Name or address of this machine.
      port: 0 for one that is free.
      token: Token that requests need, see `Access`; "" for none, which only
        a host may have that other machines do not reach.
      limits: Limits of requests; the defaults if None.
      settings: See `load_page`.
      sample: A clip to try the page with.

    Raises:
      ValueError: If there is no such port, or see `check_token`.
      OSError: If the host is not of this machine, or the port in use.
    """
    if not 0 <= port < 1 << 16:
      raise ValueError(f"port must be in [0, 65535], got {port}.")
    self.service = Service(
      answer,
      host=host,
      token=token,
      limits=limits or Limits(),
      settings=settings or {},
      sample=sample,
    )
    limits = self.service.limits
    self._places = Places(limits.connections, limits.client_connections)
    self._open: set[Connection] = set()
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
    """Address of the page."""
    host = self.service.host
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{self.server_address[1]}/"

  def server_close(self) -> None:
    """Frees the port, waits for the last answer, removes all files."""
    super().server_close()
    self.service.close()

  def get_request(self) -> tuple[Connection, Any]:
    """Accepts a connection."""
    accepted, address = super().get_request()
    return Connection(accepted, address[0], self.service.limits), address

  def process_request(self, request: Connection, client_address: Any) -> None:
    """Starts a thread, or refuses the connection if there are too many."""
    most = _MOST_ENDING * self.service.limits.connections
    if len(self._open) >= most or not self._places.take(request, 1):
      request.refuse(_FULL)
      return
    self._open.add(request)
    try:
      super().process_request(request, client_address)
    except BaseException:
      self._forget(request)
      raise

  def process_request_thread(self, request: Connection, client_address: Any) -> None:
    """Answers a request."""
    try:
      super().process_request_thread(request, client_address)
    finally:
      self._forget(request)

  def shutdown_request(self, request: Connection) -> None:
    """Ends a connection."""
    request.end()

  def _forget(self, connection: Connection) -> None:
    self._places.give_back(connection)
    self._open.discard(connection)

  def handle_error(self, request: Connection, client_address: Any) -> None:
    """Logs an error; the server goes on."""
    logging.exception("a connection of %s failed", client_address)
