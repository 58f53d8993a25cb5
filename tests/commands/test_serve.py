import signal
import socket
import threading

import pytest

from temporal_jax.cli import main
from temporal_jax.commands.shared import output
from temporal_jax.inference import serving
from tests.support.page_server import ask, error_of, post, split


class _Answerer:
  def __init__(self, saved, *, localizer, max_seconds):
    self.saved, self.max_seconds = saved, max_seconds
    self.settings = {"model": "tiny"}
    self.sample = None

  def __call__(self, path):
    return {"saved": str(self.saved), "max_seconds": self.max_seconds}


@pytest.fixture
def served(monkeypatch):
  """Runs the command until all that is asked of its server is answered."""
  handlers = {}
  monkeypatch.setattr(output, "begin_loading", lambda directory: directory)
  monkeypatch.setattr(serving, "VideoAnswerer", _Answerer)
  monkeypatch.setattr(signal, "signal", handlers.__setitem__)
  forever = serving.PageServer.serve_forever

  def serve(words, requests):
    answers = []

    def serve_forever(server):
      thread = threading.Thread(target=forever, args=(server, 0.01))
      thread.start()
      answers.extend(ask(server, request(server)) for request in requests)
      server.shutdown()
      thread.join()
      handlers[signal.SIGTERM](signal.SIGTERM, None)

    monkeypatch.setattr(serving.PageServer, "serve_forever", serve_forever)
    return main(["serve", *words, "--port", "0"]), answers

  return serve


def test_serves_until_it_is_ended(served, capsys):
  code, (answer, large) = served(
    ["runs/a", "--max-size", "1", "--max-seconds", "9"],
    [lambda s: post(s, b"video"), lambda s: post(s, bytes(1_000_001))],
  )
  assert code == 0
  status, _, body = split(answer)
  assert status == 200
  assert b'"saved": "runs/a", "max_seconds": 9' in body
  assert error_of(large)[0] == 413
  shown = capsys.readouterr()
  assert shown.out.startswith("http://127.0.0.1:")
  assert shown.err == "Loading runs/a ...\n"


def test_the_page_has_the_name_that_was_typed(served):
  request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
  _, (page,) = served(["runs/a"], [lambda server: request])
  assert b'"name": "a", "model": "tiny"' in split(page)[2]


def test_warns_where_others_can_reach_it(served, capsys):
  code, _ = served(["runs/a", "--host", "0.0.0.0"], [])
  assert code == 0
  assert "there is no password" in capsys.readouterr().err


def test_what_cannot_be_served_ends_with_2(tmp_path, served, capsys):
  with socket.create_server(("127.0.0.1", 0)) as taken:
    port = str(taken.getsockname()[1])
    assert main(["serve", "runs/a", "--port", port]) == 2
  assert f"port {port}: the port is in use" in capsys.readouterr().err
  assert main(["serve", "runs/a", "--max-size", "0"]) == 2
  assert "max_bytes must be above 0, got 0" in capsys.readouterr().err
