"""Addresses of repositories: `hf://org/name[@revision][/file]`."""

import os
import re
from typing import Any, NamedTuple

_SCHEME = "hf://"
# Revisions of pull requests and conversions have slashes: refs/pr/3.
_FORM = re.compile(
  r"hf://(?P<repository>[\w.-]+/[\w.-]+)"
  r"(?:@(?P<revision>refs/\w+/[\w.-]+|[^@/\s]+))?"
  r"(?:/(?P<file>[^@\s]*[^@\s/]))?/?"
)
# Other ways to write an address, and paths that were made of one.
_ALIKE = re.compile(
  r"(?i:hf:/*|hf\.co/|(https?://)?(www\.)?(huggingface\.co|hf\.co)/(models/)?)"
  r"(?P<repository>[\w.-]+/[\w.-]+)(/.*)?"
)
_PLAIN = re.compile(r"[\w.-]+/[\w.-]+")
# First parts of the addresses of repositories that hold no networks.
_OTHER_KINDS = ("buckets", "datasets", "kernels", "spaces")


class Address(NamedTuple):
  """A repository, or a file in it.

  Attributes:
    repository: "org/name".
    revision: Branch, tag or commit; "" for the main branch.
    file: Path of a file in the repository; "" for the weights that it has.
  """

  repository: str
  revision: str = ""
  file: str = ""

  def __str__(self) -> str:
    revision = f"@{self.revision}" if self.revision else ""
    file = f"/{self.file}" if self.file else ""
    return f"{_SCHEME}{self.repository}{revision}{file}"


def is_address(name: Any) -> bool:
  """Whether a name is an address, rather than a path or another name."""
  return isinstance(name, str) and name.startswith(_SCHEME)


def parse_address(text: str) -> Address:
  """Returns the parts of an address.

  Raises:
    ValueError: If it has another form than hf://org/name[@revision][/file].
  """
  match = _FORM.fullmatch(text)
  parts = match["file"].split("/") if match and match["file"] else []
  if not match or {"", ".", ".."} & set(parts):
    raise ValueError(
      f"{text} must have the form hf://org/name, with @revision and /file after it "
      "where they are needed."
    )
  kind = match["repository"].partition("/")[0]
  if kind in _OTHER_KINDS:
    raise ValueError(f"{text} must be a repository of a model, not of {kind}.")
  return Address(match["repository"], match["revision"] or "", match["file"] or "")


def refuse_address(path: str | os.PathLike, instead: str) -> None:
  """Raises ValueError if an address is given as a folder to write.

  Args:
    path: The folder.
    instead: Advice about writing to an address, for the message.
  """
  if _ALIKE.fullmatch(os.fspath(path)):
    raise ValueError(f"{path} must be a folder on this machine: {instead}.")


def address_hint(name: str) -> str:
  """Returns words about the address that a name may be meant to be; or ""."""
  match = _ALIKE.fullmatch(name)
  repository = match["repository"] if match else name
  if match or _PLAIN.fullmatch(name):
    return f"; for a repository of the hub write {_SCHEME}{repository}"
  return ""
