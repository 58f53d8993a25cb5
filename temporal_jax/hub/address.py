"""Addresses of repositories: `hf://org/name[@revision][/file]`."""

import re
from typing import Any, NamedTuple

_SCHEME = "hf://"
# Revisions of pull requests and conversions have slashes: refs/pr/3.
_FORM = re.compile(
  r"hf://(?P<repository>[\w.-]+/[\w.-]+)"
  r"(?:@(?P<revision>refs/\w+/[\w.-]+|[^@/\s]+))?"
  r"(?:/(?P<file>[^@\s]*[^@\s/]))?/?"
)
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
