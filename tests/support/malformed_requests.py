"""Requests that no honest page sends, drawn at random from a seed."""

import random
from typing import NamedTuple

MOST = 1_000_000  # Bytes of a file that the server takes.
_TRICKS = (
  "../../etc/passwd",
  "..%2f..%2fetc%2fpasswd",
  "%2e%2e/%2e%2e/escaped",
  "..\\..\\escaped",
  "%2e%2e%5cescaped",
  "....//....//escaped",
  "/etc/passwd",
  "%2fetc%2fpasswd",
  "escaped%00.mp4",
  "a%0d%0aX: y",
)
_LENGTHS = (
  *("-1", "+5", "5.0", "0x10", "1e3", "", "1_000", "5, 5", "NaN", "5 5"),
  *("\xb2", "0", "00", "--5", "five", "5;", "9" * 5000),
)
_TYPES = (
  "text/html",
  "multipart/form-data; boundary=x",
  "application/json",
  "",
  "image/png",
  "video/",
  "video",
  "video/mp4/x",
  "application/x-www-form",
)
_HOSTS = (
  *("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", ""),
  *("localhost@evil.example", "127.0.0.1:123456", "8.8.8.8", "[::2]", "[::1"),
  *(
    "local host",
    "127.0.0.1:80:80",
    "0x7f.1.evil",
    "\xe4.example",
    "2130706433",
  ),
)
_ORIGINS = (
  "http://evil.example",
  "null",
  "https://{host}",
  "http://localhost.evil",
  "http://{host}.evil.example",
  "http://127.0.0.1:1",
  "file://",
  "",
  "*",
)
_METHODS = (
  *("PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "BREW", "get"),
  *("__class__", "POST\x00", "G\xc4T"),
)
_VERSIONS = (
  *("HTTP/2.0", "HTTP/9.9", "HTTP/1", "HTTP/one.one", "HTTP/0.9x", "FTP/1.1"),
  *(
    "HTTP/1.1.1",
    "HTTP/-1.1",
    "HTTP/",
    "HTTP/11111111111.1",
    "X",
    "HTTP/\xb2.0",
  ),
)
_LINES = (
  *(
    "no colon here",
    "Content-Length : 5",
    " folded: 1",
    ": empty",
    "\x00: \x00",
  ),
  *("Host: 127.0.0.1", "Content-Length: 6", "Content-Length: 5\r\n 5", "\t"),
  *("X-File-Name: a\r\nX-File-Name: b", "Content-Type: a\r\nContent-Type: b"),
)


class Attempt(NamedTuple):
  """A request: parts that are sent, and seconds between them.

  Attributes:
    kind: Name of the fault.
    parts: Bytes.
    pause: Between the parts.
    leaves: Whether the sender closes its side.
  """

  kind: str
  parts: tuple[bytes, ...]
  pause: float = 0.0
  leaves: bool = False


def attempts(count: int, seed: int, host: str, video: bytes) -> list[Attempt]:
  """Returns `count` attempts, of every kind about as many.

  Args:
    count: Number of requests.
    seed: Seed of the draw.
    host: Host of the server, with its port.
    video: A good file, to be spoiled.
  """
  rng = random.Random(seed)
  kinds = list(_KINDS)
  return [
    _KINDS[kinds[i % len(kinds)]](rng, host, video)._replace(kind=kinds[i % len(kinds)])
    for i in range(count)
  ]


def _request(
  host,
  body=b"12345",
  *,
  first="POST /predict HTTP/1.1",
  more=(),
  **changed,
):
  headers = {
    "Host": host,
    "Content-Length": str(len(body)),
    "Content-Type": "video/mp4",
  }
  headers |= {name.replace("_", "-"): text for name, text in changed.items()}
  lines = [
    first,
    *(f"{name}: {text}" for name, text in headers.items() if text is not None),
    *more,
  ]
  return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _one(*parts, **options):
  return Attempt("", parts, **options)


def _declared_huge(rng, host, video):
  length = rng.choice([MOST + 1, 10 ** rng.randint(7, 30)])
  return _one(_request(host, video, Content_Length=str(length)))


def _really_huge(rng, host, video):
  body = rng.randbytes(1 << 16) * (2 * MOST >> 16)
  return _one(_request(host, body + bytes(rng.randint(0, 99))))


def _odd_length(rng, host, video):
  return _one(_request(host, video, Content_Length=rng.choice(_LENGTHS)))


def _no_length(rng, host, video):
  return _one(_request(host, rng.choice([b"", video]), Content_Length=None))


def _chunked(rng, host, video):
  coding = rng.choice(["chunked", "gzip, chunked", "identity", "xchunked"])
  length = rng.choice([None, "5"])
  body = rng.choice([b"5\r\n12345\r\n0\r\n\r\n", b"zz\r\n", b"fffffffff\r\n"])
  return _one(_request(host, body, Content_Length=length, Transfer_Encoding=coding))


def _cut_body(rng, host, video):
  whole = _request(host, video)
  return _one(whole[: -rng.randint(1, len(video))], leaves=True)


def _cut_file(rng, host, video):
  return _one(_request(host, video[: rng.randint(1, len(video) * 3 // 4)]))


def _no_video(rng, host, video):
  body = rng.choice(
    [
      rng.randbytes(rng.randint(1, 4000)),
      b"\x89PNG\r\n\x1a\n" + rng.randbytes(500),
      b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
      b"ffconcat version 1.0\nfile /etc/passwd\n",
      b"<html>" * 50,
      b"\0" * rng.randint(1, 4000),
      video[:48] + rng.randbytes(len(video) - 48),
      video[::-1],
    ]
  )
  return _one(_request(host, body))


def _wrong_type(rng, host, video):
  return _one(_request(host, video, Content_Type=rng.choice([*_TYPES, None])))


def _noise(rng, host, video):
  return _one(rng.randbytes(rng.randint(1, 9000)), leaves=True)


def _path(rng, host, video):
  trick = rng.choice(_TRICKS)
  start = rng.choice(["/", "//", "", "/predict/", "http://evil.example/", "/?"])
  return _one(
    _request(host, first=f"{rng.choice(['GET', 'POST'])} {start}{trick} HTTP/1.1")
  )


def _file_name(rng, host, video):
  name = rng.choice([*_TRICKS[:9], "..", "%ff", "\xff", "a" * 256, "%20.", "a%0a"])
  return _one(_request(host, video, X_File_Name=name))


def _long(rng, host, video):
  size = rng.randint(66_000, 200_000)
  return rng.choice(
    [
      _one(_request(host, first=f"GET /{'a' * size} HTTP/1.1")),
      _one(_request(host, video, X_Long="a" * size)),
      _one(_request(host, video, more=[f"X-{i}: a" for i in range(150)])),
      _one(b"A" * size, leaves=True),
    ]
  )


def _host(rng, host, video):
  return _one(_request(rng.choice([*_HOSTS, None]), video))


def _origin(rng, host, video):
  return _one(_request(host, video, Origin=rng.choice(_ORIGINS).format(host=host)))


def _method(rng, host, video):
  path = rng.choice(["/", "/predict", "/sample", "*"])
  first = f"{rng.choice(_METHODS)} {path} HTTP/1.1"
  return _one(_request(host, video, first=first))


def _version(rng, host, video):
  return _one(_request(host, video, first=f"POST /predict {rng.choice(_VERSIONS)}"))


def _header(rng, host, video):
  return _one(_request(host, more=[rng.choice(_LINES)]))


def _slow(rng, host, video):
  whole = _request(host, video)
  cut = rng.choice([0, 1, rng.randint(1, 60), len(whole) - len(video), 300])
  start = whole[:cut]
  drops = [whole[i : i + 1] for i in range(cut, cut + 40)]
  return rng.choice([_one(start), _one(start, *drops, pause=0.04)])


def _pipelined(rng, host, video):
  first = _request(host, first="GET /nothing HTTP/1.1", Connection="keep-alive")
  second = _request(host, b"", first="GET / HTTP/1.1")
  return _one(first + rng.choice([second, rng.randbytes(500), first * 20]))


def _half_closed(rng, host, video):
  head = _request(host, b"")
  return _one(head[: rng.randint(0, len(head) - 1)], leaves=True)


_KINDS = {
  "declared huge": _declared_huge,
  "really huge": _really_huge,
  "odd length": _odd_length,
  "no length": _no_length,
  "chunked": _chunked,
  "cut body": _cut_body,
  "cut file": _cut_file,
  "no video": _no_video,
  "wrong type": _wrong_type,
  "noise": _noise,
  "path": _path,
  "file name": _file_name,
  "long": _long,
  "host": _host,
  "origin": _origin,
  "method": _method,
  "version": _version,
  "header": _header,
  "slow": _slow,
  "pipelined": _pipelined,
  "half closed": _half_closed,
}
