"""Requests with the token, with another one, and without."""

import logging
import re

import pytest

from temporal_jax.inference import serving
from temporal_jax.inference.serving.sample import SampleClip
from tests.support.page_server import ask, error_of, post, running, split

TOKEN = "Sesame.open+the~door/7="
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def server():
  sample = SampleClip(("pan up",), 16)
  sample.content = b"a film"
  with running(lambda path: {"frames": 1}, token=TOKEN, sample=sample) as server:
    yield server


def _request(server, line, body=b"", **headers):
  headers = {
    "Host": "localhost",
    **{k.replace("_", "-"): v for k, v in headers.items()},
  }
  if body:
    headers["Content-Length"] = len(body)
  lines = [f"{line} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
  return split(ask(server, "\r\n".join([*lines, "", ""]).encode("latin-1") + body))


def _log_in(server, form, **headers):
  return _request(server, "POST /login", form, **{**FORM, **headers})


def _cookie(server):
  """Logs in as a browser does, and returns the cookie."""
  form = b"token=Sesame.open%2Bthe%7Edoor%2F7%3D"
  head = "\r\n".join(
    [
      "POST /login HTTP/1.1",
      "Host: localhost",
      "Origin: http://localhost",
      f"Content-Type: {FORM['Content-Type']}",
      f"Content-Length: {len(form)}",
      *("", ""),
    ]
  )
  answer = ask(server, head.encode() + form)
  status, headers, body = split(answer)
  assert (status, headers["location"], body) == (303, "/", b"")
  (cookie,) = re.findall(
    r"Set-Cookie: (temporal_jax_\w+=[\w-]{43}); Path=/; HttpOnly; SameSite=Strict\r",
    answer.decode(),
  )
  return cookie


WRONG = [
  {},
  {"Authorization": "Bearer"},
  {"Authorization": "Bearer "},
  {"Authorization": f"Bearer {TOKEN[:-1]}"},
  {"Authorization": f"Bearer {TOKEN}x"},
  {"Authorization": f"Bearer {TOKEN.lower()}"},
  {"Authorization": f"Basic {TOKEN}"},
  {"Authorization": TOKEN},
  {"Authorization": "Bearer \xe9\xff"},
  {"Cookie": f"temporal_jax={TOKEN}"},
  {"Cookie": f"token={TOKEN}"},
  {"Cookie": '"; =\x01'},
]
ROUTES = [
  "GET /",
  "HEAD /",
  "GET /sample",
  "HEAD /sample",
  "POST /predict",
  "GET /nothing",
  "POST /nothing",
  f"GET /?token={TOKEN}",
]


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_needs_the_token(server, route):
  body = b"video" if route.startswith("POST") else b""
  for headers in WRONG:
    status, found, answer = _request(server, route, body, **headers)
    assert status == 401, headers
    assert found["www-authenticate"] == "bearer"
    assert "set-cookie" not in found
    assert b"settings" not in answer
    assert TOKEN.encode() not in answer
    assert b"nothing" not in answer  # Not even what there is.
  allowed = {
    "GET /": 200,
    "HEAD /": 200,
    "GET /sample": 200,
    "HEAD /sample": 200,
  }.get(route, 415 if route == "POST /predict" else 404)
  for scheme in ("Bearer", "bearer", "BEARER "):
    status, *_ = _request(server, route, body, Authorization=f"{scheme} {TOKEN}")
    assert status == allowed


def test_a_video_is_answered_with_the_token_only(server):
  assert error_of(ask(server, post(server, b"video")))[0] == 401
  answer = ask(server, post(server, b"video", Authorization=f"Bearer {TOKEN}"))
  assert split(answer)[0] == 200
  assert list(server.service.folder.iterdir()) == []


def test_two_tokens_are_refused(server):
  line = f"Authorization: Bearer {TOKEN}\r\n"
  request = f"GET / HTTP/1.1\r\nHost: localhost\r\n{line}{line}\r\n"
  assert error_of(ask(server, request.encode()))[0] == 400


def test_the_form_gives_a_cookie_that_is_not_the_token(server):
  status, headers, body = _request(server, "GET /")
  assert status == 401
  assert b'<form class="card login" method="post" action="/login">' in body
  assert "form-action 'self'" in headers["content-security-policy"]
  assert "script-src" not in headers["content-security-policy"]
  cookie = _cookie(server)
  assert TOKEN not in cookie
  for route in ("GET /", "GET /sample"):
    assert _request(server, route, Cookie=f"[a]={{b; {cookie}")[0] == 200
    assert _request(server, route, Cookie=f"{cookie}x")[0] == 401
    assert _request(server, route, Cookie=cookie, Host="evil.example")[0] == 421
    assert (
      _request(server, route, Cookie=cookie, Origin="http://evil.example")[0] == 403
    )
  assert split(ask(server, post(server, b"video", Cookie=cookie)))[0] == 200
  with running(None, token=TOKEN) as other:  # Its key is another.
    assert _request(other, "GET /", Cookie=cookie)[0] == 401


@pytest.mark.parametrize(
  "form",
  [b"token=", b"token=wrong", b"x=1", b"\xff\x00", b"&" * 500, b"token=" + b"a" * 500],
)
def test_a_wrong_form_is_asked_for_again(server, form):
  status, headers, body = _log_in(server, form)
  assert status == 401
  assert "set-cookie" not in headers
  assert b"This is not the token of this server." in body


def test_a_form_keeps_to_the_other_checks(server):
  form = b"token=" + TOKEN.encode()
  assert _log_in(server, form, Origin="http://evil.example")[0] == 403
  assert _log_in(server, form, Host="evil.example")[0] == 421
  assert _log_in(server, b"token=" + b"a" * 3000)[0] == 413
  assert _request(server, "POST /login", form)[0] == 415
  assert _log_in(server, b"")[0] == 411


def test_without_a_token_there_is_no_form():
  with running(None) as server:
    assert _log_in(server, b"token=a")[0] == 404
    assert _request(server, "GET /", Authorization="Bearer x")[0] == 200


def test_the_token_is_in_no_log(server, caplog, monkeypatch):
  monkeypatch.setattr("absl.logging.vlog", lambda level, *words: logging.info(*words))
  with caplog.at_level(logging.DEBUG):
    _request(server, f"GET /?token={TOKEN}", Authorization=f"Bearer {TOKEN}")
    _log_in(server, b"token=" + TOKEN.encode())
    _cookie(server)
    monkeypatch.setattr(server.service, "sample_content", lambda: 1 / 0)
    status, _, answer = _request(server, "GET /sample", Authorization=f"Bearer {TOKEN}")
  assert (status, TOKEN.encode() in answer) == (500, False)
  assert "GET /?token=[token]" in caplog.text
  assert TOKEN not in caplog.text
  assert TOKEN not in server.url


@pytest.mark.parametrize("token", ["short", "a" * 15, "a" * 257, "é" * 20, "a b" * 9])
def test_what_is_no_token_is_refused(token):
  with pytest.raises(ValueError, match="16 to 256 letters, digits") as caught:
    serving.PageServer(None, port=0, token=token)
  assert token not in str(caught.value)


def test_a_token_of_few_different_characters_is_refused():
  with pytest.raises(ValueError, match="5 different characters or more, got 2"):
    serving.PageServer(None, port=0, token="ab" * 10)


def test_other_machines_need_a_token():
  with pytest.raises(ValueError, match=r"reach --host 0\.0\.0\.0: give a token"):
    serving.PageServer(None, host="0.0.0.0", port=0)
