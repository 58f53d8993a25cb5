"""The requests that the page's server understands, and their answers."""

import contextlib
import http.server
import io
import json
import pathlib
import tempfile
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from absl import logging

from temporal_jax.inference.serving import request_checks
from temporal_jax.inference.serving.access import MAX_FORM
from temporal_jax.inference.serving.connection import Connection
from temporal_jax.inference.serving.page import load_login
from temporal_jax.inference.serving.request_checks import RequestError
from temporal_jax.inference.serving.service import Service

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
  """Answers one request.

  `GET /` is answered by the page and `GET /sample` by a clip to try it with.
  The body of `POST /predict` is a video file, the header X-File-Name has its
  name, and the answer is JSON. So is every error: {"error": reason}.

  Where a token is needed, all of this has status 401 without it, and `GET /` is
  answered by a form whose `POST /login` gives the browser its cookie.
  """

  default_request_version = "HTTP/1.0"  # No answer is without headers.
  command = requestline = ""  # Until they are read.

  def setup(self) -> None:
    """Has the connection read and written against the clock."""
    self._service: Service = self.server.service
    self.connection: Connection = self.request
    self.rfile = io.BufferedReader(self.connection)
    self.wfile = self.connection

  def finish(self) -> None:
    """Leaves the connection to the server, which closes it gently."""

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
        if self._service.has_ended:  # The files are gone.
          return
        line = self._service.access.hide(self.requestline)
        logging.exception("a request failed: %r", line)
        self._send_json(
          HTTPStatus.INTERNAL_SERVER_ERROR,
          {"error": "the server failed; its terminal shows the reason."},
        )

  def do_GET(self) -> None:
    """Sends the page, or the sample clip."""
    self._check_sender()
    if self.path == "/" and not self._service.access.allows(self.headers):
      self._send_login("")
      return
    self._check("/", "/sample")
    if self.path == "/sample":
      self.connection.begin_work()  # Filming takes seconds the first time.
      content = self._service.sample_content()
      self._send(HTTPStatus.OK, content, "video/mp4")
      return
    page = self._service.page
    self._send(HTTPStatus.OK, page.content, "text/html; charset=utf-8", page.policy)

  def do_HEAD(self) -> None:
    """Sends the headers of the page; `_send` leaves out the rest."""
    self.do_GET()

  def do_POST(self) -> None:
    """Takes a video, classifies it, deletes it, and sends the answer."""
    self._check_sender()
    if self.path == "/login" and self._service.access.is_limited:
      self._log_in()
      return
    self._check("/predict")
    length = request_checks.body_length(self.headers, self._service.limits.max_bytes)
    request_checks.check_type(self.headers)
    name = request_checks.file_name(self.headers)
    waits = request_checks.waits_to_send(self.headers)
    with self._service.room(self.connection, length):
      if waits and self.request_version != "HTTP/1.0":
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
      with self._receive(length) as path:
        answer = self._service.look_at(path, self.connection)
    self._send_json(HTTPStatus.OK, {"file": name, **answer})

  def send_error(
    self, code: int, message: str | None = None, explain: str | None = None
  ) -> None:
    """Sends the fault of a request that could not be understood."""
    status = HTTPStatus(code)
    self._send_json(status, {"error": message or status.phrase.lower()})

  def log_message(self, format: str, *args: Any) -> None:
    """Logs a request at verbosity 1."""
    logging.vlog(1, "%s", self._service.access.hide(format % args))

  def _check_sender(self) -> None:
    """Refuses a request of another site."""
    request_checks.check_sender(self.headers, self._service.host)

  def _check(self, *paths: str) -> None:
    """Refuses a request without the token, or for another path."""
    if not self._service.access.allows(self.headers):
      raise RequestError(
        HTTPStatus.UNAUTHORIZED,
        "the token of this server is needed: open its page, or send the header "
        "Authorization: Bearer TOKEN.",
      )
    if self.path not in paths:
      raise RequestError(
        HTTPStatus.NOT_FOUND,
        f"there is no {self.command} {self.path[:80]!r}; there are GET /, "
        "GET /sample and POST /predict.",
      )

  def _log_in(self) -> None:
    """Gives a browser its cookie for a form with the token."""
    length = request_checks.body_length(self.headers, MAX_FORM)
    request_checks.check_form(self.headers)
    self.connection.begin_body()
    form = self.rfile.read(length)
    cookie = self._service.access.log_in(form)
    if cookie is None:
      self._send_login("This is not the token of this server.")
      return
    headers = {"Location": "/", "Set-Cookie": cookie}
    self._send(HTTPStatus.SEE_OTHER, b"", "text/plain", more=headers)

  def _send_login(self, message: str) -> None:
    page = load_login(message)
    # With "no-referrer" browsers send forms with "Origin: null".
    self._send(
      HTTPStatus.UNAUTHORIZED,
      page.content,
      "text/html; charset=utf-8",
      page.policy,
      more={"Referrer-Policy": "same-origin"},
    )

  @contextlib.contextmanager
  def _receive(self, length: int) -> Iterator[pathlib.Path]:
    """Yields a file with the body of `length` bytes, and deletes it."""
    self.connection.begin_body()
    with contextlib.ExitStack() as stack:
      with _storing():
        descriptor, name = tempfile.mkstemp(dir=self._service.folder)
      path = pathlib.Path(name)
      # At the server's end the file may be gone before.
      stack.callback(path.unlink, missing_ok=True)
      file = stack.enter_context(open(descriptor, "wb", buffering=0))
      missing = length
      while missing:
        part = self.rfile.read1(min(missing, _CHUNK))
        if not part:
          raise RequestError(
            HTTPStatus.BAD_REQUEST,
            f"the file ended after {length - missing} of {length} bytes.",
          )
        missing -= len(part)
        with _storing():
          while part:
            part = part[file.write(part) :]
      yield path

  def _send_json(self, status: HTTPStatus, content: dict[str, Any]) -> None:
    text = json.dumps(content, allow_nan=False)
    self._send(status, text.encode(), "application/json")

  def _send(
    self,
    status: HTTPStatus,
    content: bytes,
    kind: str,
    policy: str = "default-src 'none'; frame-ancestors 'none'",
    more: Mapping[str, str] = MappingProxyType({}),
  ) -> None:
    self.log_request(status)
    headers = _HEADERS | {
      "Content-Type": kind,
      "Content-Length": str(len(content)),
      "Content-Security-Policy": policy,
      **more,
    }
    if status is HTTPStatus.UNAUTHORIZED:
      headers["WWW-Authenticate"] = "Bearer"
    lines = [f"HTTP/1.0 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if self.command == "HEAD":
      content = b""
    head = "\r\n".join([*lines, "", ""]).encode("ascii")
    self.wfile.write(head + content)


@contextlib.contextmanager
def _storing() -> Iterator[None]:
  """Answers that the disk is full, or fails otherwise, where it is so."""
  try:
    yield
  except OSError as error:
    logging.error("an upload cannot be stored: %s", error)
    raise RequestError(
      HTTPStatus.INSUFFICIENT_STORAGE,
      f"the server cannot store the file: {error.strerror}.",
    ) from error
