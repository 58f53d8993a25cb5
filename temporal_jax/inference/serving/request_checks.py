"""Checks of a request to the page, before anything else is done with it."""

import ipaddress
import re
import urllib.parse
from email.message import Message
from http import HTTPStatus

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
_NOT_IN_NAMES = re.compile(r"[/\\\x00-\x1f\x7f-\x9f]")
_LONGEST_NAME = 255  # Characters.
_FORM = "application/x-www-form-urlencoded"


class RequestError(Exception):
  """An error answer.

  Attributes:
    status: Status of HTTP.
    reason: Sentence for a person.
  """

  def __init__(self, status: HTTPStatus, reason: str):
    super().__init__(reason)
    self.status = status
    self.reason = reason


def check_sender(headers: Message, served: str) -> None:
  """Refuses requests that a browser sends for a page of another site.

  The name under which the page was asked for must be an address, "localhost" or
  the served name: another site's name that leads here (DNS rebinding) is none.

  Args:
    headers: Headers of the request.
    served: Name or address that the server serves at. If only this machine
      reaches it, other addresses are refused.

  Raises:
    RequestError: If it may come from another site, or the headers make no
      sense.
  """
  if headers.defects:
    raise RequestError(HTTPStatus.BAD_REQUEST, "the headers cannot be read.")
  host = single(headers, "Host")
  if host is None:
    raise RequestError(HTTPStatus.BAD_REQUEST, "there is no header Host.")
  found = _HOST.fullmatch(host.lower())
  if not found or not _is_served(found[1].strip("[]"), served.lower()):
    raise RequestError(
      HTTPStatus.MISDIRECTED_REQUEST,
      f"{host!r} is not served. Open the page by the address that was printed.",
    )
  origin = single(headers, "Origin")
  if origin is not None and origin.lower() != f"http://{host}".lower():
    raise RequestError(
      HTTPStatus.FORBIDDEN, f"requests of pages of {origin!r} are refused."
    )


def body_length(headers: Message, max_bytes: int) -> int:
  """Returns the bytes of the body, at least 1.

  Raises:
    RequestError: If the headers do not state it once and plainly, or it is over
      `max_bytes`.
  """
  if "Transfer-Encoding" in headers:
    raise RequestError(
      HTTPStatus.LENGTH_REQUIRED,
      "Transfer-Encoding is not supported; send Content-Length.",
    )
  length = single(headers, "Content-Length")
  if length is None:
    raise RequestError(HTTPStatus.LENGTH_REQUIRED, "there is no Content-Length.")
  if not (length.isascii() and length.isdigit() and len(length) < 20):
    raise RequestError(
      HTTPStatus.BAD_REQUEST,
      f"Content-Length must be a number of bytes, got {length[:40]!r}.",
    )
  if not int(length):
    raise RequestError(HTTPStatus.BAD_REQUEST, "the file is empty.")
  if int(length) > max_bytes:
    raise RequestError(
      HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
      f"the file has {_megabytes(int(length))} MB; at most "
      f"{_megabytes(max_bytes)} MB are taken.",
    )
  return int(length)


def waits_to_send(headers: Message) -> bool:
  """Returns whether the sender waits for "100 Continue" before the body.

  Raises:
    RequestError: If it waits for something else.
  """
  expected = single(headers, "Expect")
  if expected is not None and expected.lower() != "100-continue":
    raise RequestError(
      HTTPStatus.EXPECTATION_FAILED,
      f"Expect must be 100-continue, got {expected[:40]!r}.",
    )
  return expected is not None


def check_form(headers: Message) -> None:
  """Refuses a body that is not a form of a page.

  Raises:
    RequestError: If the type is another one.
  """
  kind = (single(headers, "Content-Type") or "").partition(";")[0].strip()
  if kind.lower() != _FORM:
    raise RequestError(
      HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
      f"Content-Type must be {_FORM}, got {kind[:80]!r}.",
    )


def check_type(headers: Message) -> None:
  """Refuses a body that is not a file's bytes.

  Raises:
    RequestError: If the type is neither application/octet-stream nor a video's.
  """
  kind = (single(headers, "Content-Type") or "").partition(";")[0].strip()
  if kind.lower() != "application/octet-stream" and not re.fullmatch(
    r"video/[\w.+-]+", kind, re.ASCII
  ):
    raise RequestError(
      HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
      f"Content-Type must be application/octet-stream or video/..., got {kind[:80]!r}.",
    )


def file_name(headers: Message) -> str:
  """Returns the name that the sender has for the file; it is only shown.

  It comes percent-encoded in the header X-File-Name.

  Raises:
    RequestError: If it is no name of a file.
  """
  encoded = single(headers, "X-File-Name") or "video"
  try:
    encoded.encode("ascii")
    name = urllib.parse.unquote(encoded, errors="strict")
  except UnicodeError:
    raise RequestError(
      HTTPStatus.BAD_REQUEST, "X-File-Name must be UTF-8, percent-encoded."
    ) from None
  if len(name) > _LONGEST_NAME or _NOT_IN_NAMES.search(name) or not name.strip(" ."):
    raise RequestError(
      HTTPStatus.BAD_REQUEST,
      f"X-File-Name must be the name of a file, of at most {_LONGEST_NAME} "
      f"characters and without folders, got {name[:80]!r}.",
    )
  return name


def single(headers: Message, name: str) -> str | None:
  """Returns a header's value, None if it is not there.

  Raises:
    RequestError: If it is there twice.
  """
  values = headers.get_all(name, [])
  if len(values) > 1:
    raise RequestError(HTTPStatus.BAD_REQUEST, f"there are {len(values)} {name}.")
  return str(values[0]).strip() if values else None


def is_loopback(host: str) -> bool:
  """Returns whether only this machine reaches a name or address."""
  address = _address(host)
  return host == "localhost" if address is None else address.is_loopback


def _is_served(name: str, served: str) -> bool:
  if name in ("localhost", served):
    return True
  address = _address(name)
  return address is not None and (address.is_loopback or not is_loopback(served))


def _address(
  name: str,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
  """Returns the address that is written in digits, else None."""
  try:
    return ipaddress.ip_address(name)
  except ValueError:
    return None


def _megabytes(number: int) -> str:
  return f"{number / 1e6:,.1f}"
