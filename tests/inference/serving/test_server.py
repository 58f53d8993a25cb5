import concurrent.futures
import contextlib
import json
import re
import resource
import socket
import threading
import time

import pytest

from temporal_jax.data import VideoError
from temporal_jax.data.listing.file_names import SUFFIXES
from temporal_jax.inference import serving
from temporal_jax.inference.serving.sample import SampleClip
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


def _get(server, path="/", **headers):
  headers = {"Host": "localhost"} | headers
  lines = [f"GET {path} HTTP/1.1"]
  lines += [f"{name}: {text}" for name, text in headers.items()]
  return ask(server, "\r\n".join([*lines, "", ""]).encode())


def test_a_file_is_answered_and_deleted():
  seen = []

  def answer(path):
    seen.append((path, path.read_bytes()))
    return ANSWER

  with running(answer) as server:
    request = post(server, b"\0video" * 50_000, X_File_Name="caf%C3%A9%202.mp4")
    status, headers, body = split(ask(server, request))
    ((path, content),) = seen
    assert server.service.folder in path.parents
    assert list(server.service.folder.iterdir()) == []
  assert status == 200
  assert json.loads(body) == {"file": "café 2.mp4"} | ANSWER
  assert content == b"\0video" * 50_000
  assert headers["content-type"] == "application/json"
  assert headers["cache-control"] == "no-store"
  assert not server.service.folder.exists()


@pytest.mark.parametrize(
  ("failure", "status", "words"),
  [
    (VideoError("the file is cut off"), 422, "the file is cut off"),
    (ValueError("a secret of the machine"), 500, "the server failed"),
    (float("nan"), 500, "the server failed"),
  ],
)
def test_a_failure_is_answered_and_the_file_deleted(failure, status, words):
  def answer(path):
    if isinstance(failure, Exception):
      raise failure
    return {"probability": failure}

  with running(answer) as server:
    got, reason = error_of(ask(server, post(server, b"video")))
    assert list(server.service.folder.iterdir()) == []
    assert split(_get(server))[0] == 200
  assert (got, reason.split(";")[0]) == (status, words)


def test_the_page_runs_nothing_but_its_own():
  settings = {"model": "</script><script>alert(1)</script>"}
  with running(None, settings=settings) as server:
    status, headers, body = split(_get(server))
  assert status == 200
  page = body.decode()
  assert page.count("<script") == 2
  assert f'accept="video/*,{",".join(SUFFIXES)}"' in page
  (stated,) = re.findall(r'id="settings">(.*?)</script>', page)
  assert json.loads(stated) == settings | {"maxBytes": 200_000_000}
  policy = headers["content-security-policy"]
  assert "default-src 'none'" in policy
  assert "unsafe" not in policy
  assert "http" not in policy
  assert headers["x-content-type-options"] == "nosniff"
  addresses = set(re.findall(r"https?://[^\"')\s]+", page))
  assert addresses == {"http://www.w3.org/2000/svg"}  # Names, not sources.


def test_the_sample_clip_is_sent_to_the_page_only():
  sample = SampleClip(("pan up",), 16)
  sample.content = b"a film"
  with running(None, sample=sample) as server:
    status, headers, body = split(_get(server, "/sample"))
    page = split(_get(server))
    refused = [
      error_of(_get(server, "/sample", Origin="http://evil.example"))[0],
      error_of(_get(server, "/sample", Host="rebound.example"))[0],
      error_of(_get(server, "/sample/"))[0],
      error_of(_get(server, "/sample?x"))[0],
    ]
  assert f'"sample": {{"name": "{sample.name}"' in page[2].decode()
  assert refused == [403, 421, 404, 404]
  assert status == 200
  assert headers["content-type"] == "video/mp4"
  assert int(headers["content-length"]) == len(body)
  own = ("content-type", "content-length", "content-security-policy")
  shared = {name for name in page[1] if name not in own}
  assert {name: headers[name] for name in shared} == {
    name: page[1][name] for name in shared
  }
  assert headers["content-security-policy"].startswith("default-src 'none'")
  assert body == b"a film"


def test_there_may_be_no_sample_clip():
  with running(None) as server:
    assert error_of(_get(server, "/sample")) == (
      404,
      "there is no sample clip.",
    )
    page = split(_get(server))[2].decode()
  assert '"sample":' not in page


@pytest.mark.parametrize(
  ("host", "asked", "status"),
  [
    ("127.0.0.1", "127.0.0.1:8000", 200),
    ("127.0.0.1", "LocalHost:9000", 200),  # Case of a forwarded port.
    ("127.0.0.1", "[::1]", 200),
    ("127.0.0.1", "192.168.0.7", 421),
    ("127.0.0.1", "rebound.example", 421),
    ("0.0.0.0", "192.168.0.7:8000", 200),
    ("0.0.0.0", "rebound.example", 421),
    ("localhost", "localhost", 200),
  ],
)
def test_the_page_has_few_names(host, asked, status):
  token = "sesame-sesame-sesame"
  headers = {"Host": asked, "Authorization": f"Bearer {token}"}
  with running(None, host=host, token=token) as server:
    assert split(_get(server, **headers))[0] == status
    origin = split(_get(server, **headers, Origin=f"http://{asked}"))[0]
    assert origin == status


def test_files_wait_in_line_and_too_many_are_sent_away():
  begun, go = threading.Semaphore(0), threading.Event()
  at_once, most = [], []

  def answer(path):
    at_once.append(path)
    most.append(len(at_once))
    begun.release()
    go.wait()
    at_once.remove(path)
    return ANSWER

  limits = {"max_bytes": 1, "uploads": 2, "share": 1.0}
  with running(answer, limits=limits) as server:
    with connect(server) as first, connect(server) as second:
      first.sendall(post(server, b"1"))
      assert begun.acquire(timeout=5)
      second.sendall(post(server, b"2"))
      wait_in_line(server, 1)
      assert error_of(ask(server, post(server, b"3")))[0] == 503
      assert split(_get(server))[0] == 200
      go.set()
      statuses = [split(read_all(held))[0] for held in (first, second)]
    assert statuses == [200, 200]
    assert split(ask(server, post(server, b"4")))[0] == 200
  assert most == [1, 1, 1]


def test_a_file_does_not_wait_for_ever():
  go = threading.Event()
  begun = threading.Event()

  def answer(path):
    begun.set()
    go.wait()
    return ANSWER

  with (
    running(answer, limits={"turn": 0.05}) as server,
    connect(server) as first,
  ):
    first.sendall(post(server, b"1"))
    assert begun.wait(5)
    assert error_of(ask(server, post(server, b"2")))[0] == 503
    go.set()
    assert split(read_all(first))[0] == 200


def test_the_end_waits_only_for_the_answer_in_hand():
  go, begun, seen = threading.Event(), threading.Event(), []

  def answer(path):
    seen.append(path)
    begun.set()
    go.wait()
    return ANSWER

  with contextlib.ExitStack() as stack:
    with running(answer) as server:
      first, second = (stack.enter_context(connect(server)) for _ in range(2))
      first.sendall(post(server, b"1"))
      assert begun.wait(5)
      second.sendall(post(server, b"2"))
      while len(list(server.service.folder.iterdir())) < 2:
        time.sleep(0.01)
      assert server.service.is_answering
      threading.Timer(0.1, go.set).start()
    assert go.is_set()
    assert split(read_all(first))[0] == 200
    assert not server.service.folder.exists()
  assert len(seen) == 1


def test_a_large_file_is_refused_in_words_that_arrive():
  with running(None, limits={"max_bytes": 100_000}) as server:
    answer = ask(server, post(server, bytes(30_000_000)))
  status, reason = error_of(answer)
  assert (status, reason) == (
    413,
    "the file has 30.0 MB; at most 0.1 MB are taken.",
  )


def test_a_sender_that_leaves_leaves_no_file():
  with running(None) as server:
    request = post(server, b"video")
    with connect(server) as connection:
      connection.sendall(request[:-2])
      # Closed with a reset, as by a browser that is killed.
      option = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
      connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
    wait_for(lambda: not list(server.service.folder.iterdir()))
    assert split(_get(server))[0] == 200


def test_what_cannot_be_served_at():
  with running(None) as server:
    port = server.server_address[1]
    assert server.url == f"http://127.0.0.1:{port}/"
    with pytest.raises(OSError, match=f"port {port}: the port is in use"):
      serving.PageServer(None, port=port)
  for host, port, error in (
    ("192.0.2.1", 0, OSError),
    ("no such host", 0, OSError),
    ("127.0.0.1", 1 << 16, ValueError),
  ):
    with pytest.raises(error, match=r"cannot serve at|port must be in"):
      serving.PageServer(None, host=host, port=port, token="sesame-sesame-sesame")
  with pytest.raises(ValueError, match="uploads must be above 0, got 0"):
    serving.Limits(uploads=0)
  with pytest.raises(ValueError, match=r"share must be at most 1, got 1\.5"):
    serving.Limits(share=1.5)


def test_the_sixth_version_of_addresses():
  with contextlib.ExitStack() as stack:
    try:
      server = stack.enter_context(running(None, host="::1"))
    except OSError:
      pytest.skip("this machine has no ::1")
    port = server.server_address[1]
    assert server.url == f"http://[::1]:{port}/"
    assert split(_get(server, Host=f"[::1]:{port}"))[0] == 200


def test_a_sender_that_waits_is_told_to_go_on():
  with running(lambda path: ANSWER) as server, connect(server) as connection:
    request = post(server, b"video", Expect="100-continue")
    connection.sendall(request[:-5])
    assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(request[-5:])
    assert split(read_all(connection))[0] == 200
    refused = post(server, b"video", Expect="200-ok")
    status, reason = error_of(ask(server, refused))
    assert status == 417
    assert reason == "Expect must be 100-continue, got '200-ok'."
    # Refused before the body is sent.
    large = post(server, b"", Expect="100-continue", Content_Length=1 << 40)
    assert error_of(ask(server, large))[0] == 413


def test_the_head_of_the_page():
  with running(None) as server:
    head = ask(server, b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    status, headers, body = split(head)
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) == len(server.service.page.content)


def test_what_follows_a_request_is_ignored():
  def answer(path):
    return {"bytes": path.read_bytes().decode()}

  with running(answer) as server:
    for more in (b"6789", post(server, b"second"), bytes(1_000_000)):
      status, _, body = split(ask(server, post(server, b"12345") + more))
      assert status == 200
      assert json.loads(body) == {"file": "video", "bytes": "12345"}


def test_two_files_of_one_name_at_once():
  both = threading.Barrier(2, timeout=5)

  def send(server, content):
    request = post(server, content, X_File_Name="a.mp4")
    with connect(server) as connection:
      connection.sendall(request[:-1])
      both.wait()
      connection.sendall(request[-1:])
      return json.loads(split(read_all(connection))[2])

  with (
    running(lambda path: {"is": path.read_bytes().decode()}) as server,
    concurrent.futures.ThreadPoolExecutor(2) as pool,
  ):
    got = list(pool.map(lambda text: send(server, text), (b"one", b"two")))
  assert got == [{"file": "a.mp4", "is": text} for text in ("one", "two")]


def test_a_full_disk_is_said_and_leaves_nothing():
  with running(lambda path: ANSWER) as server:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # No file grows further, as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
      status, reason = error_of(ask(server, post(server, bytes(2_000_000))))
    finally:
      resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (status, reason) == (
      507,
      "the server cannot store the file: File too large.",
    )
    wait_for(lambda: not list(server.service.folder.iterdir()))
    assert split(ask(server, post(server, b"video")))[0] == 200
