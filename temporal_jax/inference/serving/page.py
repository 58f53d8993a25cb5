"""The page that is served, one file."""

import base64
import hashlib
import importlib.resources
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from temporal_jax.data.listing.file_names import SUFFIXES


class Page(NamedTuple):
  """The page and what a browser may do with it.

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
    settings: What it shows, as JSON: "maxBytes" and "maxSeconds" of a video,
      "model", the number of "classes", and the frames, height and width of a
      "clip"; all but the first may lack.
  """
  file = importlib.resources.files(__package__) / "page.html"
  # "<" would end the element in which the settings stand.
  values = json.dumps(settings).replace("<", "\\u003c")
  text = file.read_text(encoding="utf-8")
  text = text.replace("{suffixes}", ",".join(SUFFIXES))
  text = text.replace("{settings}", values)
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
  return Page(text.encode(), "; ".join(" ".join(item) for item in policy.items()))


def _digest(text: str, element: str) -> str:
  """Returns the digest of the content of the one plain <element>."""
  (content,) = re.findall(f"<{element}>(.*?)</{element}>", text, re.DOTALL)
  digest = hashlib.sha256(content.encode()).digest()
  return f"'sha256-{base64.b64encode(digest).decode()}'"
