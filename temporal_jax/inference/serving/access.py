"""Access to the page by a token that its users know."""

import hmac
import re
import secrets
import urllib.parse
from email.message import Message

from temporal_jax.inference.serving.request_checks import is_loopback, single

# As RFC 6750 writes tokens; of letters and digits 16 are beyond guessing.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{16,256}", re.ASCII)
_LEAST_DIFFERENT = 5  # Characters; random tokens have more.
_BEARER = "bearer "
MAX_FORM = 2048  # Bytes of the form; each sign of a token may be three.


def check_token(host: str, token: str) -> None:
  """Checks the token of a server.

  Args:
    host: Name or address that it serves at.
    token: Its token, "" for none.

  Raises:
    ValueError: If other machines reach the host and there is no token, or the
      token is not one; the message does not hold the token.
  """
  if token and not _TOKEN.fullmatch(token):
    raise ValueError(
      "the token must be 16 to 256 letters, digits and signs of '._~+/=-'; "
      f"got {len(token)} characters."
    )
  if token and len(set(token)) < _LEAST_DIFFERENT:
    raise ValueError(
      f"the token must have {_LEAST_DIFFERENT} different characters or more, got "
      f"{len(set(token))}: others would guess it."
    )
  if not token and not is_loopback(host):
    raise ValueError(
      f"other machines reach --host {host}: give a token of 16 or more characters "
      "in TEMPORAL_JAX_TOKEN, or by --token."
    )


class Access:
  """Checks the token of requests, if there is one.

  A program sends the token in the header Authorization, as "Bearer TOKEN". A
  person writes it into a form, and the browser then has a cookie with a key of
  this server, which ends with it. Both are compared in constant time.
  """

  def __init__(self, host: str, token: str):
    """Takes the token; see `check_token`."""
    check_token(host, token)
    self._token = token
    # Browsers share cookies between the ports of a machine.
    self._cookie = f"temporal_jax_{secrets.token_hex(4)}"
    self._key = secrets.token_urlsafe(32)

  @property
  def is_limited(self) -> bool:
    """Whether the token is needed."""
    return bool(self._token)

  def allows(self, headers: Message) -> bool:
    """Returns whether a request may be answered.

    Args:
      headers: Headers of the request.

    Raises:
      RequestError: If there are two of a header.
    """
    if not self._token:
      return True
    written = single(headers, "Authorization") or ""
    if written[: len(_BEARER)].lower() == _BEARER:
      return _are_equal(written[len(_BEARER) :].strip(), self._token)
    return _are_equal(_cookie(single(headers, "Cookie") or "", self._cookie), self._key)

  def log_in(self, form: bytes) -> str | None:
    """Returns the cookie for a form with the token, None if it has another.

    Args:
      form: Body of the request, "token=TOKEN".
    """
    fields = urllib.parse.parse_qs(form.decode("ascii", "replace"))
    if not self._token or not _are_equal(fields.get("token", [""])[0], self._token):
      return None
    return f"{self._cookie}={self._key}; Path=/; HttpOnly; SameSite=Strict"

  def hide(self, text: str) -> str:
    """Returns a text for logs, in which the token cannot be read."""
    return text.replace(self._token, "[token]") if self._token else text


def _cookie(header: str, name: str) -> str:
  """Returns a cookie's value, "" if there is none."""
  # `http.cookies` reads none after one of another server that breaks its rules.
  for cookie in header.split(";"):
    key, _, value = cookie.strip().partition("=")
    if key == name:
      return value
  return ""


def _are_equal(given: str, wanted: str) -> bool:
  return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
