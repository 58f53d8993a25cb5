"""A server in a thread, and plain sockets to talk to it."""

import contextlib
import json
import socket
import threading
import time

from temporal_jax.inference import serving

PATIENCE = 5.0  # Seconds, far more than any answer takes here.


@contextlib.contextmanager
def running(answer, **options):
  """Yields a server on a free port."""
  limits = serving.Limits(**options.pop("limits", {}))
  with serving.PageServer(answer, port=0, limits=limits, **options) as server:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
      yield server
    finally:
      server.shutdown()
      thread.join()


def connect(server, client=None):
  """Returns a connection, from an address of this machine if one is given."""
  source = client and (client, 0)
  return socket.create_connection(
    server.server_address[:2], PATIENCE, source_address=source
  )


def wait_for(true):
  """Waits until a function returns something true, and returns it."""
  deadline = time.monotonic() + PATIENCE
  while not (result := true()):
    assert time.monotonic() < deadline
    time.sleep(0.01)
  return result


def read_all(connection):
  """Returns all bytes until the other end closes; it fails if it does not."""
  parts = []
  with contextlib.suppress(ConnectionResetError):
    while part := connection.recv(1 << 16):
      parts.append(part)
  return b"".join(parts)


def wait_in_line(server, count):
  """Waits until that many received files wait for their turn."""
  wait_for(lambda: len(server.service._turns._waiting) == count)


def ask(server, request, client=None):
  with connect(server, client) as connection:
    connection.sendall(request)
    return read_all(connection)


def post(server, body, **headers):
  """Returns a request, with `_` for `-` in the names of headers."""
  port = server.server_address[1]
  lines = {
    "Host": f"127.0.0.1:{port}",
    "Content-Length": len(body),
    "Content-Type": "application/octet-stream",
  }
  lines |= {name.replace("_", "-"): text for name, text in headers.items()}
  head = [f"{name}: {text}" for name, text in lines.items() if text is not None]
  return "\r\n".join(["POST /predict HTTP/1.1", *head, "", ""]).encode() + body


def split(answer):
  """Returns status, headers in lower case, and body; checks their form."""
  head, end, body = answer.partition(b"\r\n\r\n")
  assert end, answer[:200]
  first, *lines = head.decode("ascii").split("\r\n")
  version, status, _ = first.split(" ", 2)
  assert version == "HTTP/1.0"
  headers = dict(line.lower().split(": ", 1) for line in lines)
  return int(status), headers, body


def error_of(answer):
  """Returns status and reason of an error answer; there is nothing else."""
  status, headers, body = split(answer)
  assert 400 <= status < 600, answer[:200]
  assert headers["content-type"] == "application/json"
  assert int(headers["content-length"]) == len(body)
  content = json.loads(body)
  assert list(content) == ["error"]
  assert content["error"]
  return status, content["error"]
