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


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "box"])
def test_others_reach_it_only_with_a_token(served, capsys, monkeypatch, host):
  monkeypatch.delenv("TEMPORAL_JAX_TOKEN", raising=False)
  assert served(["runs/a", "--host", host], [])[0] == 2
  _, words = capsys.readouterr().err.splitlines()
  assert words == (
    f"temporal-jax serve: other machines reach --host {host}: give a token of 16 or "
    "more characters in TEMPORAL_JAX_TOKEN, or by --token."
  )


@pytest.mark.parametrize("place", ["argument", "environment"])
def test_a_token_is_taken_and_not_shown(served, capsys, monkeypatch, place):
  token, more = "sesame-sesame-sesame", []
  if place == "argument":
    more = ["--token", token]
  else:
    monkeypatch.setenv("TEMPORAL_JAX_TOKEN", token)
  code, (refused, answer) = served(
    ["runs/a", "--host", "0.0.0.0", *more],
    [
      lambda server: post(server, b"video"),
      lambda server: post(server, b"video", Authorization=f"Bearer {token}"),
    ],
  )
  assert code == 0
  assert error_of(refused)[0] == 401
  assert split(answer)[0] == 200
  shown = capsys.readouterr()
  assert token not in shown.out + shown.err


def test_a_short_token_is_refused_and_not_shown(served, capsys):
  assert served(["runs/a", "--token", "sesame"], [])[0] == 2
  words = capsys.readouterr().err
  assert "16 to 256 letters, digits" in words
  assert "sesame" not in words


def test_what_cannot_be_served_ends_with_2(tmp_path, served, capsys):
  with socket.create_server(("127.0.0.1", 0)) as taken:
    port = str(taken.getsockname()[1])
    assert main(["serve", "runs/a", "--port", port]) == 2
  assert f"port {port}: the port is in use" in capsys.readouterr().err
  assert main(["serve", "runs/a", "--max-size", "0"]) == 2
  assert "max_bytes must be above 0, got 0" in capsys.readouterr().err
