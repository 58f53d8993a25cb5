"""Clients that are slow, silent, or too many: others are served."""

import contextlib
import json
import select
import threading
import time

import pytest

from tests.support.page_server import (
  ask,
  connect,
  error_of,
  post,
  read_all,
  running,
  split,
  wait_for,
  wait_in_line,
)

ANSWER = {"tasks": [], "frames": 1}
# Nothing but the want of places ends a request.
PATIENT = {"head": 60.0, "body": 60.0, "grace": 60.0, "share": 1.0}


def _page(server, client=None):
  request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
  return split(ask(server, request, client))[0]


@contextlib.contextmanager
def _slow(server, beginning, count, client=None):
  """Yields connections that send a beginning, if any, and then drip bytes."""
  ended = threading.Event()

  def drip(connections):
    while not ended.wait(0.05):
      for connection in connections if beginning else ():
        with contextlib.suppress(OSError):
          connection.send(b"a")

  with contextlib.ExitStack() as stack:
    connections = [stack.enter_context(connect(server, client)) for _ in range(count)]
    for connection in connections:
      connection.sendall(beginning)
    thread = threading.Thread(target=drip, args=(connections,))
    thread.start()
    time.sleep(0.1)  # Younger ones do not count as slow.
    try:
      yield connections
    finally:
      ended.set()
      thread.join()


def _beginnings(server):
  """Returns silent and slow heads, and a body of which most is missing."""
  body = post(server, bytes(1_000))[:-999]
  return {"silent": b"", "head": b"POST /predict HTTP/1.1\r\nX: ", "body": body}


def _answered(connections):
  """Returns the first of some connections that has an answer to be read."""
  ready, *_ = select.select(connections, [], [], 10)
  return ready[0]


@pytest.mark.parametrize("kind", ["silent", "head", "body"])
def test_all_connections_may_be_slow(kind):
  limits = PATIENT | {"connections": 8}
  with running(lambda path: ANSWER, limits=limits) as server:
    beginning = _beginnings(server)[kind]
    with _slow(server, beginning, 8) as slow:
      begun = time.monotonic()
      assert split(ask(server, post(server, bytes(500_000))))[0] == 200
      assert _page(server) == 200
      assert time.monotonic() - begun < 4
      # One of the slow was ended in its favour, and that is said.
      status, reason = error_of(read_all(_answered(slow)))
    assert status == 503
    assert "was slow and had to give way to another" in reason


def test_the_disk_may_be_taken_by_slow_uploads():
  limits = PATIENT | {"max_bytes": 1_000, "uploads": 4}
  with running(lambda path: ANSWER, limits=limits) as server:
    beginning = _beginnings(server)["body"]
    with _slow(server, beginning, 4) as slow:
      wait_for(lambda: len(list(server.service.folder.iterdir())) == 4)
      assert split(ask(server, post(server, bytes(1_000))))[0] == 200
      assert error_of(read_all(_answered(slow)))[0] == 503
      assert len(list(server.service.folder.iterdir())) == 3


def test_uploads_that_are_fast_enough_do_not_give_way():
  limits = PATIENT | {"max_bytes": 1_000, "uploads": 4, "fair_rate": 1e-3}
  with running(lambda path: ANSWER, limits=limits) as server:
    request = post(server, bytes(1_000))
    with _slow(server, request[:-999], 4) as uploads:
      wait_for(lambda: len(list(server.service.folder.iterdir())) == 4)
      assert error_of(ask(server, request))[0] == 503
      for upload in uploads:
        upload.sendall(bytes(999))
        assert split(read_all(upload))[0] == 200


def test_a_slow_upload_ends_in_words():
  limits = {"grace": 0.6, "min_rate": 1_000}
  with running(lambda path: ANSWER, limits=limits) as server:
    beginning = _beginnings(server)["body"]
    with _slow(server, beginning, 1) as (connection,):
      status, reason = error_of(read_all(connection))
    assert status == 408
    assert reason.startswith("the upload is too slow: ")
    assert reason.endswith("at least 1,000 bytes per second must.")
    # A pause that is shorter, and a small file, are fine.
    with connect(server) as connection:
      request = post(server, bytes(3_000))
      for start in range(0, len(request), 1_000):
        connection.sendall(request[start:][:1_000])
        time.sleep(0.15)
      assert split(read_all(connection))[0] == 200


def test_a_slow_head_ends_in_words():
  with running(None, limits={"head": 0.3}) as server:
    for beginning in (b"", b"GET / HTTP/1.1\r\nX: "):
      with _slow(server, beginning, 1) as (connection,):
        answer = error_of(read_all(connection))
      assert answer == (408, "the request takes more than 0.3 s.")


def test_a_client_holds_only_its_share():
  limits = PATIENT | {"connections": 8, "share": 0.5, "fair_rate": 1e-3}
  with running(lambda path: ANSWER, limits=limits) as server:
    request = post(server, bytes(1_000))
    with _slow(server, request[:-999], 4, "127.0.0.2"):
      wait_for(lambda: len(list(server.service.folder.iterdir())) == 4)
      refused = ask(server, request, "127.0.0.2")
      assert refused.startswith(b"HTTP/1.0 503 ")
      assert b"too many connections" in refused
      assert split(ask(server, request, "127.0.0.3"))[0] == 200
      assert _page(server) == 200


def test_a_client_holds_only_its_share_of_the_disk():
  limits = PATIENT | {"max_bytes": 1_000, "uploads": 2, "share": 0.5}
  with running(lambda path: ANSWER, limits=limits | {"fair_rate": 1}) as server:
    request = post(server, bytes(1_000))
    with _slow(server, request[:-999], 1, "127.0.0.2"):
      wait_for(lambda: len(list(server.service.folder.iterdir())) == 1)
      assert error_of(ask(server, request, "127.0.0.2"))[0] == 503
      assert split(ask(server, request, "127.0.0.3"))[0] == 200


def test_clients_are_answered_by_turns():
  begun, go, order = threading.Event(), threading.Event(), []

  def answer(path):
    order.append(path.read_bytes())
    begun.set()
    go.wait()
    return ANSWER

  with running(answer) as server, contextlib.ExitStack() as stack:
    sent = []
    for number, client in enumerate("22223", 1):
      connection = stack.enter_context(connect(server, f"127.0.0.{client}"))
      connection.sendall(post(server, b"%d" % number))
      assert begun.wait(5)
      wait_in_line(server, number - 1)
      sent.append(connection)
    go.set()
    for connection in sent:
      assert split(read_all(connection))[0] == 200
  assert order == [b"1", b"5", b"2", b"3", b"4"]


def test_who_left_is_not_waited_for():
  begun, go, seen = threading.Event(), threading.Event(), []

  def answer(path):
    seen.append(path.read_bytes())
    begun.set()
    go.wait()
    return ANSWER

  with running(answer) as server, connect(server) as first:
    first.sendall(post(server, b"first"))
    assert begun.wait(5)
    with connect(server) as second:
      second.sendall(post(server, b"second"))
      wait_for(lambda: len(list(server.service.folder.iterdir())) == 2)
    go.set()
    assert split(read_all(first))[0] == 200
    assert split(ask(server, post(server, b"third")))[0] == 200
  assert seen == [b"first", b"third"]


def test_an_answer_that_is_not_read_is_given_up():
  def answer(path):
    return {"long": "a" * 20_000_000}

  threads = threading.active_count()
  limits = {"grace": 0.3, "min_rate": 1_000_000, "goodbye": 0.2}
  with running(answer, limits=limits) as server:
    request = post(server, b"video")
    with connect(server) as silent:
      silent.sendall(request)
      # Its thread ends, and there was none that waits on it.
      wait_for(lambda: threading.active_count() == threads + 2)
      wait_for(lambda: threading.active_count() == threads + 1)
    with connect(server) as reader:  # A slow one that is fast enough.
      reader.sendall(request)
      parts = []
      while part := reader.recv(1_000_000):
        parts.append(part)
        time.sleep(0.01)
    assert len(json.loads(split(b"".join(parts))[2])["long"]) == 20_000_000
