"""The page that is served: one HTML document with its style and script."""

import base64
import hashlib
import importlib.resources
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from temporal_jax.data.listing.file_names import SUFFIXES

# In the order in which they run.
_SCRIPTS = (
  "elements.js",
  "introduction.js",
  "time_axis.js",
  "plot.js",
  "segments.js",
  "answer.js",
  "page.js",
)


class Page(NamedTuple):
  """The page, and its rules for browsers.

  Attributes:
    content: HTML, in UTF-8.
    policy: Content-Security-Policy: nothing comes from, or goes, elsewhere,
      and no script or style runs but the page's own.
  """

  content: bytes
  policy: str


def load_page(settings: Mapping[str, Any]) -> Page:
  """Returns the page.

  Args:
    settings: Values that the page shows, as JSON: "maxBytes" and "maxSeconds"
      of a video, the result of `introduce` for the network, its "name" for the
      user, and "name" and "about" of a "sample" clip. Only the first is needed.
  """
  parts = {
    "style": _read("page.css"),
    "script": "".join(map(_read, _SCRIPTS)),
    "suffixes": ",".join(SUFFIXES),
    # "<" would end the element that holds the settings.
    "settings": json.dumps(settings).replace("<", "\\u003c"),
  }
  text = _filled("page.html", parts)
  policy = {
    "default-src": "'none'",
    "script-src": _digest(text, "script"),
    "style-src": _digest(text, "style"),
    "img-src": "data:",
    "media-src": "blob:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
  }
  return Page(text.encode(), _written(policy))


def load_login(message: str) -> Page:
  """Returns the page that asks for the token.

  Args:
    message: Remark on the last try, plain text of this package; "" for none.
  """
  parts = {"style": _read("page.css"), "message": message}
  text = _filled("login.html", parts)
  policy = {
    "default-src": "'none'",
    "style-src": _digest(text, "style"),
    "img-src": "data:",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
  }
  return Page(text.encode(), _written(policy))


def _filled(name: str, parts: Mapping[str, str]) -> str:
  """Returns the text of a file with its {parts}."""
  return re.sub(r"\{(\w+)\}", lambda found: parts[found[1]], _read(name))


def _written(policy: Mapping[str, str]) -> str:
  return "; ".join(" ".join(item) for item in policy.items())


def _read(name: str) -> str:
  """Returns the text of a file of this package."""
  file = importlib.resources.files(__package__) / "web" / name
  return file.read_text(encoding="utf-8")


def _digest(text: str, element: str) -> str:
  """Returns the digest of the content of the one plain <element>."""
  (content,) = re.findall(f"<{element}>(.*?)</{element}>", text, re.DOTALL)
  digest = hashlib.sha256(content.encode()).digest()
  return f"'sha256-{base64.b64encode(digest).decode()}'"
