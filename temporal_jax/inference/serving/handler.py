"""The requests that the page's server understands, and their answers."""

import contextlib
import http.server
import io
import json
import pathlib
import tempfile
from http import HTTPStatus
from typing import Any

from absl import logging

from temporal_jax.inference.serving import request_checks
from temporal_jax.inference.serving.connection import TimedReader
from temporal_jax.inference.serving.request_checks import RequestError
from temporal_jax.inference.serving.service import Service, busy

_CHUNK = 1 << 16  # Bytes.
_HEADERS = {
  "Connection": "close",
  "Cache-Control": "no-store",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
}


class Handler(http.server.BaseHTTPRequestHandler):
  """Answers one request: `GET /`, the page, or `POST /predict`, a video.

  The body of the latter is the file itself, its name stands in X-File-Name, and
  the answer is JSON. So is every error: {"error": reason}.
  """

  default_request_version = "HTTP/1.0"  # No answer is without headers.
  command = requestline = ""  # Until they are read.

  def setup(self) -> None:
    """Has the connection read against the clock."""
    super().setup()
    self.rfile.close()
    self._service: Service = self.server.service
    limits = self._service.limits
    self._timed = TimedReader(self.connection, pause=limits.pause, total=limits.head)
    self.rfile = io.BufferedReader(self._timed)

  def handle(self) -> None:
    """Answers a request, also one that cannot be answered."""
    with contextlib.suppress(ConnectionError, TimeoutError):
      try:
        self.handle_one_request()
      except RequestError as error:
        self._send_json(error.status, {"error": error.reason})
      except (ConnectionError, TimeoutError):
        raise
      except Exception:
        logging.exception("a request failed: %r", self.requestline)
        self._send_json(
          HTTPStatus.INTERNAL_SERVER_ERROR,
          {"error": "the server failed; its terminal says why."},
        )

  def do_GET(self) -> None:
    """Sends the page."""
    self._check("/")
    page = self._service.page
    self._send(HTTPStatus.OK, page.content, "text/html; charset=utf-8", page.policy)

  def do_POST(self) -> None:
    """Takes a video, looks at it, deletes it, and sends what is in it."""
    self._check("/predict")
    length = request_checks.body_length(self.headers, self._service.limits.max_bytes)
    request_checks.check_type(self.headers)
    name = request_checks.file_name(self.headers)
    if not self._service.uploads.acquire(blocking=False):
      raise busy()
    try:
      with tempfile.TemporaryDirectory(dir=self._service.folder) as folder:
        path = pathlib.Path(folder) / "video"
        self._receive(length, path)
        answer = self._service.look_at(path)
    finally:
      self._service.uploads.release()
    self._send_json(HTTPStatus.OK, {"file": name, **answer})

  def send_error(
    self, code: int, message: str | None = None, explain: str | None = None
  ) -> None:
    """Sends what is wrong with a request that could not be understood."""
    status = HTTPStatus(code)
    self._send_json(status, {"error": message or status.phrase.lower()})

  def log_message(self, format: str, *args: Any) -> None:
    """Tells of requests where that is wanted."""
    logging.vlog(1, format, *args)

  def _check(self, path: str) -> None:
    """Refuses a request of another site, or for another path."""
    request_checks.check_sender(self.headers, self._service.host)
    if self.path != path:
      raise RequestError(
        HTTPStatus.NOT_FOUND,
        f"there is no {self.command} {self.path[:80]!r}; there are GET / and "
        "POST /predict.",
      )

  def _receive(self, length: int, path: pathlib.Path) -> None:
    """Writes a body of `length` bytes to a file."""
    self._timed.restart(self._service.limits.body)
    missing = length
    with path.open("xb") as file:
      while missing:
        part = self.rfile.read1(min(missing, _CHUNK))
        if not part:
          raise RequestError(
            HTTPStatus.BAD_REQUEST,
            f"the file ended after {length - missing} of {length} bytes.",
          )
        file.write(part)
        missing -= len(part)

  def _send_json(self, status: HTTPStatus, content: dict[str, Any]) -> None:
    text = json.dumps(content, allow_nan=False)
    self._send(status, text.encode(), "application/json")

  def _send(
    self,
    status: HTTPStatus,
    content: bytes,
    kind: str,
    policy: str = "default-src 'none'; frame-ancestors 'none'",
  ) -> None:
    self.log_request(status)
    headers = _HEADERS | {
      "Content-Type": kind,
      "Content-Length": str(len(content)),
      "Content-Security-Policy": policy,
    }
    lines = [f"HTTP/1.0 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if self.command == "HEAD":
      content = b""
    self.connection.settimeout(self._service.limits.pause)
    head = "\r\n".join([*lines, "", ""]).encode("ascii")
    self.wfile.write(head + content)
